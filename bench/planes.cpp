// SPDX-License-Identifier: MIT
//
// Words to planes (store) and planes to words or codes (fetch), the kernels
// alone: a segment in the second cache level, and memory that is in no cache.
// Each version that the CPU has runs under the name ours-LEVEL.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "conditions.hpp"
#include "controller.h"
#include "kernel.h"
#include "planes.h"
#include "stream.h"
#include "weights.hpp"

#ifdef SQ_PEER_BITSHUFFLE
extern "C" {
#include <bitshuffle_core.h>
}
#endif

namespace {

constexpr std::uint32_t elements = SQC_SEGMENT_ELEMENTS;
constexpr std::size_t segment_bytes = std::size_t{elements} * 2;
constexpr std::size_t run_bytes = elements / 8;
constexpr unsigned int runs = 17; // sign and 16, as of bf16 with placement aligned

// Memory that begins at a page.
class Pages {
public:
	explicit Pages(std::size_t bytes) : memory_(bytes + page) {}

	std::uint8_t *data()
	{
		const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());

		return memory_.data() + (page - at % page) % page;
	}

private:
	static constexpr std::size_t page = 4096;

	std::vector<std::uint8_t> memory_;
};

// Segments of bf16 with their planes.
struct Memory {
	explicit Memory(std::size_t count)
		: words(count * segment_bytes), planes(count * runs * run_bytes),
		  exponents(count * elements / 32), sticky(elements / 32)
	{
		const auto some = bench::weights(elements);

		for (std::size_t i = 0; i < count; ++i)
			std::memcpy(segment(i), some.data(), segment_bytes);
	}

	std::uint8_t *segment(std::size_t index) { return words.data() + index * segment_bytes; }

	std::uint8_t *run(std::size_t segment, unsigned int plane)
	{
		return planes.data() + (segment * runs + plane) * run_bytes;
	}

	Pages words;
	Pages planes;
	std::vector<std::uint8_t> exponents;
	std::vector<std::uint32_t> sticky;
};

struct Case {
	bool aligned;
	bool crc;
	std::size_t segments; // 1: in the second cache level
	unsigned int code_bits; // fetch: mxint codes; 0: words
};

std::size_t segments_cold()
{
	return bench::cold_bytes() / segment_bytes;
}

unsigned int planes_of(const Case &what)
{
	if (what.code_bits)
		return what.code_bits + 1; // and the guard
	return what.aligned ? 17 : 16;
}

// Bytes of a segment that are read and written.
std::size_t traffic(const Case &what)
{
	const std::size_t exponents = what.aligned ? elements / SQC_GROUP_ELEMENTS : 0;

	return planes_of(what) * run_bytes + exponents +
	       (what.code_bits ? run_bytes * what.code_bits : segment_bytes);
}

std::uint32_t crcs(Memory &memory, std::size_t segment, unsigned int planes)
{
	std::uint32_t all = 0;

	for (unsigned int p = 0; p < planes; ++p)
		all ^= sqc_crc32c(0, memory.run(segment, p), run_bytes);
	return all;
}

void store_segment(Memory &memory, std::size_t segment, const Case &what)
{
	const std::uint8_t *words = memory.segment(segment);
	std::uint8_t *run[runs];
	std::uint32_t crc[runs] = {};
	const sqc_runs to{run, 0, crc, what.segments > 1};

	for (unsigned int p = 0; p < runs; ++p)
		run[p] = memory.run(segment, p);
	if (what.aligned)
		sqc_words_to_aligned(words, SQ_DTYPE_BF16, elements, &to,
				     &memory.exponents[segment * elements / 32], memory.sticky.data());
	else
		sqc_words_to_planes(words, 2, elements, &to);
	benchmark::DoNotOptimize(crc);
}

// Streaming takes turns with nothing.
const sqc_turns turns{[](void *, std::size_t) {}, nullptr};

void fetch_segment(Memory &memory, std::size_t segment, const Case &what)
{
	std::uint8_t *words = memory.segment(segment);
	const std::uint8_t *run[runs];
	const sqc_planes planes{run, 0, &memory.exponents[segment * elements / 32], nullptr,
				what.segments > 1 ? &turns : nullptr};

	for (unsigned int p = 0; p < runs; ++p)
		run[p] = memory.run(segment, p);
	if (what.crc)
		benchmark::DoNotOptimize(crcs(memory, segment, planes_of(what)));
	if (what.code_bits)
		sqc_planes_to_codes(&planes, what.code_bits, SQ_ROUNDING_NEAREST, elements, words);
	else if (what.aligned)
		sqc_planes_to_floats(&planes, SQ_DTYPE_BF16, elements, words);
	else
		sqc_planes_to_words(&planes, 2, elements, words);
}

using Step = void (*)(Memory &, std::size_t, const Case &);

void ours(benchmark::State &state, sqc_kernel_level level, Step step, Case what)
{
	Memory memory(what.segments);
	std::size_t segment = 0;

	sqc_kernel_release();
	if (level != sqc_kernel(SQC_KERNEL_PLANES))
		sqc_kernel_force_list(sqc_kernel_level_name(level));
	for (std::size_t i = 0; i < what.segments; ++i)
		store_segment(memory, i, what);
	for (auto _ : state) {
		step(memory, segment, what);
		segment = segment + 1 < what.segments ? segment + 1 : 0;
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(
		state.iterations() * (what.segments > 1 ? traffic(what) : planes_of(what) * run_bytes)));
	state.SetLabel(fmt::format("65536 bf16, {} planes, {}, 1 thread, planes:{}, crc:{}", planes_of(what),
				   what.segments > 1 ? "cold" : "in L2",
				   sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_PLANES)),
				   what.crc ? sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_CRC)) : "none"));
	sqc_kernel_release();
}

// As many bytes read + written as of a segment. That may be more than its words,
// so the last one only is what the one before it runs into.
void copy(benchmark::State &state, Case what)
{
	const std::size_t bytes = traffic(what) / 2;
	Memory memory(what.segments);
	std::size_t segment = 0;

	std::memset(memory.planes.data(), 1, what.segments * runs * run_bytes);
	for (auto _ : state) {
		std::memcpy(memory.segment(segment), memory.run(segment, 0), bytes);
		segment = segment + 2 < what.segments ? segment + 1 : 0;
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * 2 * bytes));
	state.SetLabel("copy of as many bytes read + written, cold, 1 thread");
}

#ifdef SQ_PEER_BITSHUFFLE
void bitshuffle(benchmark::State &state, bool back)
{
	Memory memory(1);

	for (auto _ : state) {
		if (back)
			bshuf_bitunshuffle(memory.run(0, 0), memory.words.data(), elements, 2, 0);
		else
			bshuf_bitshuffle(memory.words.data(), memory.run(0, 0), elements, 2, 0);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * segment_bytes));
	state.SetLabel("65536 words of 16 bits, its own block size, in L2, 1 thread, no CRC");
}
#endif

void add_case(const std::string &name, Step step, const Case &what)
{
	for (int level = 0; level < SQC_LEVELS; ++level) {
		const auto one = static_cast<sqc_kernel_level>(level);

		if (!sqc_kernel_available(SQC_KERNEL_PLANES, one))
			continue;
		const bool best = one == sqc_kernel(SQC_KERNEL_PLANES);
		if (!best && what.segments > 1)
			continue;
		benchmark::RegisterBenchmark(
			fmt::format("planes.{}/{}", name,
				    best ? "ours" : fmt::format("peer:ours-{}", sqc_kernel_level_name(one))).c_str(),
			ours, one, step, what)->UseRealTime();
	}
	if (what.segments > 1)
		benchmark::RegisterBenchmark(fmt::format("planes.{}/peer:copy", name).c_str(), copy, what)
			->UseRealTime();
}

void add_peers([[maybe_unused]] const std::string &name, [[maybe_unused]] bool back)
{
#ifdef SQ_PEER_BITSHUFFLE
	benchmark::RegisterBenchmark(fmt::format("planes.{}/peer:bitshuffle", name).c_str(), bitshuffle, back)
		->UseRealTime();
#endif
}

const bool registered = [] {
	const std::size_t cold = segments_cold();

	for (const bool aligned : {false, true}) {
		const std::string name = aligned ? "store.aligned.crc" : "store.word.crc";

		add_case(name, store_segment, {aligned, true, 1, 0});
		add_peers(name, false);
	}
	for (const bool crc : {false, true}) {
		const char *suffix = crc ? ".crc" : "";

		add_case(fmt::format("fetch.word{}", suffix), fetch_segment, {false, crc, 1, 0});
		add_peers(fmt::format("fetch.word{}", suffix), true);
		add_case(fmt::format("fetch.aligned{}", suffix), fetch_segment, {true, crc, 1, 0});
		add_peers(fmt::format("fetch.aligned{}", suffix), true);
		for (unsigned int n = 2; n <= 8; ++n)
			add_case(fmt::format("fetch.mxint{}{}", n, suffix), fetch_segment, {true, crc, 1, n});
	}
	add_case("store.word.crc.cold", store_segment, {false, true, cold, 0});
	add_case("store.aligned.crc.cold", store_segment, {true, true, cold, 0});
	add_case("fetch.word.crc.cold", fetch_segment, {false, true, cold, 0});
	add_case("fetch.aligned.crc.cold", fetch_segment, {true, true, cold, 0});
	add_case("fetch.mxint4.crc.cold", fetch_segment, {true, true, cold, 4});
	return true;
}();

} // namespace
