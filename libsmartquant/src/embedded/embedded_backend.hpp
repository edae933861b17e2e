// SPDX-License-Identifier: MIT
//
// The embedded store: the controller in this process, behind a reader-writer
// lock. Reads, verification and questions share it; whatever changes the
// store has it alone.
#ifndef SMARTQUANT_SRC_EMBEDDED_EMBEDDED_BACKEND_HPP
#define SMARTQUANT_SRC_EMBEDDED_EMBEDDED_BACKEND_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "activations.h"
#include "backend.hpp"
#include "embedded/fair_mutex.hpp"
#include "embedded/plane_memory.hpp"
#include "workers.hpp"

namespace smartquant {

std::shared_ptr<Backend> open_embedded_memory(const OpenOptions &options);
std::shared_ptr<Backend> open_embedded_file(std::string_view path, const OpenOptions &options);

class EmbeddedPlanes;
class EmbeddedWindow;

class EmbeddedBackend final : public Backend,
			      public std::enable_shared_from_this<EmbeddedBackend> {
public:
	// Opens the store in the memory that `options` describe; without a
	// path, an empty one in memory of this process.
	EmbeddedBackend(std::string uri, std::optional<std::string_view> path,
			const OpenOptions &options);

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

	void unmap(EmbeddedWindow &window) noexcept;
	void unmap(const struct sqc_view_info &view) noexcept;
	FetchResult multiply(const EmbeddedPlanes &planes, const sqc_activations &x,
			     std::span<float> y);

private:
	using WriteLock = std::unique_lock<FairMutex>;

	struct CloseStore {
		void operator()(sqc_store *store) const noexcept { sqc_close(store); }
	};

	void open();
	// The store alone, for a change of it.
	WriteLock change();
	std::string subject() const;
	// These expect the lock to be held.
	void check(sqc_status status, std::string_view subject) const;
	[[noreturn]] void fail_full(std::string_view subject, std::uint64_t needed_bytes) const;
	RegionInfo known_region(std::uint32_t handle, std::string_view subject) const;
	FetchResult read(const RegionInfo &region, const sqc_read_request &request,
			 std::span<std::byte> buffer);
	// A new view and what holds it; the lock is held alone.
	template <typename Holder>
	std::unique_ptr<Holder> map_view(const RegionInfo &region, const sqc_read_request &request);
	void refresh_windows(std::uint32_t handle) noexcept;
	void check_planes(const EmbeddedPlanes &planes);
	// Takes the lock, a segment at a time. False: it was stopped.
	bool verify_segments(const RegionInfo &region, VerifyResult &result,
			     const std::function<bool()> &segment_done);

	PlaneMemory memory_;
	Workers workers_;
	mutable FairMutex lock_; // guards what is below
	std::unique_ptr<sqc_store, CloseStore> store_;
	std::vector<EmbeddedWindow *> windows_; // mapped
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_EMBEDDED_BACKEND_HPP
