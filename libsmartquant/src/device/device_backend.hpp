// SPDX-License-Identifier: MIT
//
// A card behind the driver
//
// Reads and stores that are larger than the card takes at once go in pieces
// of whole rows. A read's pieces are put together to the bytes that one
// request would have delivered; where a piece can, it goes straight to its
// places in the caller's memory.
#ifndef SMARTQUANT_SRC_DEVICE_DEVICE_BACKEND_HPP
#define SMARTQUANT_SRC_DEVICE_DEVICE_BACKEND_HPP

#include <memory>
#include <string_view>

#include "backend.hpp"
#include "device/card.hpp"
#include "workers.hpp"

namespace smartquant {

std::shared_ptr<Backend> open_device(std::string_view path, const OpenOptions &options);

class DeviceBackend final : public Backend, public std::enable_shared_from_this<DeviceBackend> {
public:
	DeviceBackend(std::string path, const OpenOptions &options);

	StoreInfo info() override;
	std::vector<RegionInfo> regions() override;
	RegionInfo create_region(const RegionSpec &spec) override;
	std::optional<RegionInfo> find_region(std::string_view name) override;
	RegionInfo region_info(const RegionInfo &region) override;
	void remove(const RegionInfo &region) override;
	void seal(const RegionInfo &region) override;
	void pack(const RegionInfo &region) override;
	void set_precision(const RegionInfo &region, Format format) override;
	void flush(const RegionInfo &region) override;
	void flush_all() override;
	void sanitize() override;
	std::uint64_t store_bytes(const RegionInfo &region,
				  const sqc_write_request &request) override;
	StoreResult store(const RegionInfo &region, const sqc_write_request &request,
			  std::span<const float> importance,
			  std::span<const std::byte> data) override;
	sqc_layout layout(const RegionInfo &region, const sqc_read_request &request) override;
	FetchResult fetch(const RegionInfo &region, const sqc_read_request &request,
			  const sqc_layout &layout, std::span<std::byte> buffer) override;
	FetchTrace trace(const RegionInfo &region, const sqc_read_request &request) override;
	FetchResult fetch_vector(const RegionInfo &region, const VectorPlan &plan,
				 std::span<std::byte> buffer) override;
	std::unique_ptr<View::Window> map(const RegionInfo &region,
					  const sqc_read_request &request) override;
	std::unique_ptr<Multiplier::Planes> planes(const RegionInfo &region,
						   const sqc_read_request &request) override;
	VerifyResult verify(const RegionInfo &region, const VerifyOptions &options) override;
	VerifyResult verify_all(const VerifyOptions &options) override;
	Statistics statistics(std::uint32_t scope, std::uint32_t key,
			      std::string_view subject) override;
	void reset_statistics(std::uint32_t scope, std::uint32_t key,
			      std::string_view subject) override;
	unsigned int queue_threads(unsigned int depth) const override;

	const Card &card() const noexcept { return card_; }

private:
	RegionInfo region_of(std::uint32_t handle, std::string_view subject) const;
	std::vector<std::uint32_t> handles() const;
	void simple(unsigned long number, std::uint32_t handle, const std::string &subject) const;
	std::uint32_t rows_of_piece(const RegionInfo &region, const sqc_read_request &request,
				    const sqc_layout &layout) const;
	sqc_result fetch_piece(const RegionInfo &region, const sqc_read_request &request,
			       const sqc_layout &piece, const sqc_layout &whole,
			       std::uint32_t first_row, std::span<std::byte> buffer) const;
	sqc_result fetch_all(const RegionInfo &region, const sqc_read_request &request,
			     const sqc_layout &layout, std::span<std::byte> buffer);
	std::size_t parts_of_transfer(const VectorPlan &plan, std::size_t first) const;
	sqc_result submit_vector(const RegionInfo &region, const VectorPlan &plan,
				 std::size_t first, std::size_t end,
				 std::span<std::byte> buffer) const;
	// Submits a fetch of exactly so many bytes; `request` is for messages.
	sqc_result submit_read(const RegionInfo &region, const sqc_read_request &request,
			       sq_ioc_submit &submit, std::uint64_t bytes) const;
	sqc_result submit_fetch(const RegionInfo &region, const sqc_read_request &request,
				std::uint64_t bytes, std::span<const sq_buffer> buffers) const;
	sqc_result submit_store(const RegionInfo &region, const sqc_write_request &request,
				std::span<const std::byte> data) const;
	VerifyResult verify_handle(std::uint32_t handle, const std::string &subject,
				   const VerifyOptions &options) const;

	Card card_;
	sq_ioc_info limits_; // as of opening: what does not change
	Workers workers_;    // of products on the host
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_DEVICE_DEVICE_BACKEND_HPP
