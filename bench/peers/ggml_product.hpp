// SPDX-License-Identifier: MIT
//
// y = W x by ggml's CPU backend, W in one of its block types: a set of
// matrices to rotate over, in the buffer that ggml prefers for the type
// (repacked) or as the type is stored.
#ifndef SMARTQUANT_BENCH_PEERS_GGML_PRODUCT_HPP
#define SMARTQUANT_BENCH_PEERS_GGML_PRODUCT_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class GgmlProduct {
public:
	static constexpr std::uint32_t columns_max = 8;

	// `type` by ggml's name, "q4_0". As many matrices as `bytes` need, to be
	// multiplied with 1 to columns_max columns.
	GgmlProduct(const std::string &type, bool repacked, std::uint32_t rows, std::uint32_t cols,
		    std::size_t bytes);
	~GgmlProduct();

	// False: ggml has no repacked form of this type for this CPU.
	bool is_there() const;
	std::size_t matrix_bytes() const;
	std::size_t matrices() const;
	void multiply(std::size_t matrix, std::uint32_t columns, unsigned int threads);
	// ggml's helpers poll for tens of milliseconds for the next product. This
	// makes them sleep until it comes.
	static void rest(unsigned int threads);

private:
	struct Parts;
	std::unique_ptr<Parts> parts_;
};

} // namespace bench

#endif // SMARTQUANT_BENCH_PEERS_GGML_PRODUCT_HPP
