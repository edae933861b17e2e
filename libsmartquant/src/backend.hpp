// SPDX-License-Identifier: MIT
//
// What a store is to the rest of the library
//
// Two backends implement it: the embedded store (src/embedded/), which links
// the controller, and the device (src/device/), which talks to the driver.
// Requests arrive checked as far as that is possible without asking the
// store (request.hpp), in the controller's own structs; a backend reports
// failure by throwing Error. Every function may be called from several
// threads at the same time.
#ifndef SMARTQUANT_SRC_BACKEND_HPP
#define SMARTQUANT_SRC_BACKEND_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <smartquant/store.hpp>

#include "controller_api.hpp"

namespace smartquant {

struct VectorPlan;

class Backend {
public:
	explicit Backend(std::string uri) : uri_(std::move(uri)) {}
	Backend(const Backend &) = delete;
	Backend &operator=(const Backend &) = delete;
	virtual ~Backend() = default;

	const std::string &uri() const noexcept { return uri_; }

	virtual StoreInfo info() = 0;
	virtual std::vector<RegionInfo> regions() = 0;
	virtual RegionInfo create_region(const RegionSpec &spec) = 0;
	virtual std::optional<RegionInfo> find_region(std::string_view name) = 0;
	virtual RegionInfo region_info(const RegionInfo &region) = 0;
	virtual void remove(const RegionInfo &region) = 0;
	virtual void seal(const RegionInfo &region) = 0;
	virtual void pack(const RegionInfo &region) = 0;
	virtual void set_precision(const RegionInfo &region, Format format) = 0;
	virtual void flush(const RegionInfo &region) = 0;
	virtual void flush_all() = 0;
	virtual void sanitize() = 0;

	virtual std::uint64_t store_bytes(const RegionInfo &region,
					  const sqc_write_request &request) = 0;
	// `importance` is empty, or has a number for each column.
	virtual StoreResult store(const RegionInfo &region, const sqc_write_request &request,
				  std::span<const float> importance,
				  std::span<const std::byte> data) = 0;
	// Resolves SQ_FORMAT_TAG.
	virtual sqc_layout layout(const RegionInfo &region, const sqc_read_request &request) = 0;
	// `layout` is that of the request, `buffer` exactly layout.bytes.
	virtual FetchResult fetch(const RegionInfo &region, const sqc_read_request &request,
				  const sqc_layout &layout, std::span<std::byte> buffer) = 0;
	// Resolves SQ_FORMAT_TAG.
	virtual FetchTrace trace(const RegionInfo &region, const sqc_read_request &request) = 0;
	// `buffer` is exactly as long as the plan says.
	virtual FetchResult fetch_vector(const RegionInfo &region, const VectorPlan &plan,
					 std::span<std::byte> buffer) = 0;
	virtual std::unique_ptr<View::Window> map(const RegionInfo &region,
						  const sqc_read_request &request) = 0;

	virtual std::unique_ptr<Multiplier::Planes> planes(const RegionInfo &region,
							   const sqc_read_request &request) = 0;

	virtual VerifyResult verify(const RegionInfo &region, const VerifyOptions &options) = 0;
	virtual VerifyResult verify_all(const VerifyOptions &options) = 0;
	virtual Statistics statistics(std::uint32_t scope, std::uint32_t key,
				      std::string_view subject) = 0;
	virtual void reset_statistics(std::uint32_t scope, std::uint32_t key,
				      std::string_view subject) = 0;

	// Threads that serve a queue of this depth.
	virtual unsigned int queue_threads(unsigned int depth) const = 0;

private:
	std::string uri_;
};

// Opens a backend by URI; throws for one that it does not understand.
std::shared_ptr<Backend> open_backend(std::string_view uri, const OpenOptions &options);

} // namespace smartquant

#endif // SMARTQUANT_SRC_BACKEND_HPP
