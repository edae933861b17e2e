// SPDX-License-Identifier: MIT
//
// Products straight from planes, as the library does them: W of 4096 x 4096,
// cold, against a read of the same bytes and against ggml's types of the same
// bits (bench/peers/ggml).
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <immintrin.h>
#include <smartquant/smartquant.hpp>
#include <sys/mman.h>

#include "conditions.hpp"
#include "kernel.h"
#include "peers/ggml_product.hpp"
#include "weights.hpp"

namespace {

using smartquant::Arithmetic;
using smartquant::Format;
using smartquant::Multiplier;
using smartquant::Region;
using smartquant::Rounding;

constexpr std::uint32_t cols = 4096;
constexpr std::size_t run_bytes = 8192, runs = 17, segment_elements = 65536;

std::uint32_t rows()
{
	return bench::smoke() ? 256 : 4096;
}

struct Case {
	unsigned int bits;
	unsigned int threads;
	std::uint32_t columns = 1;
	Arithmetic arithmetic = Arithmetic::Int8;

	std::string name() const
	{
		return fmt::format("multiply.{}bit{}{}.{}thread{}", bits,
				   arithmetic == Arithmetic::Fp32 ? ".fp32" : "",
				   columns > 1 ? fmt::format(".batch{}", columns) : "", threads,
				   threads > 1 ? "s" : "");
	}
};

// Matrices that are larger together than any cache, in a store of so many
// threads. What of them a precision reads is still more than a cache holds.
struct Matrices {
	explicit Matrices(unsigned int threads)
		: store(smartquant::Store::open("embedded:",
						{.size_bytes = 2 * bench::cold_bytes() + (64u << 20),
						 .threads = threads}))
	{
		const auto words = bench::weights(std::size_t{rows()} * cols);
		const std::size_t count =
			bench::cold_bytes() / (words.size() / 16 * runs + words.size() / 64) + 1;

		for (std::size_t i = 0; i < count; ++i) {
			regions.push_back(store.create_region(
				{.name = std::to_string(i), .rows = rows(), .cols = cols}));
			regions.back().store(words);
		}
	}

	smartquant::Store store;
	std::vector<Region> regions;
};

Matrices &matrices(unsigned int threads)
{
	static std::map<unsigned int, std::unique_ptr<Matrices>> all;
	auto &found = all[threads];

	if (!found)
		found = std::make_unique<Matrices>(threads);
	return *found;
}

void ours(benchmark::State &state, Case what)
{
	std::vector<Multiplier> multipliers;
	const std::vector<float> x(std::size_t{cols} * what.columns, 0.5f);
	std::vector<float> y(std::size_t{rows()} * what.columns);
	smartquant::FetchResult result;
	static std::size_t next = 0; // goes on, as a run of few turns must be cold too

	for (const Region &region : matrices(what.threads).regions)
		multipliers.push_back(region.multiplier({.format = Format::mxint(what.bits),
							 .rounding = Rounding::Truncate,
							 .arithmetic = what.arithmetic}));
	for (auto _ : state)
		result = multipliers[next++ % multipliers.size()].multiply(x, y, what.columns);
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * result.bytes));
	state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * rows() * cols);
	state.SetLabel(fmt::format(
		"{}x{} bf16, {:.2f} MB of planes, cold (rotating over {} regions), {} columns, {} threads, "
		"kernel {}",
		rows(), cols, static_cast<double>(result.bytes) / 1e6, multipliers.size(), what.columns,
		what.threads, sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_MULTIPLY))));
}

/* -------------------------------------------------------- streaming read */

// A second thread that waits awake, so that a read pays for nothing else.
class Helper {
public:
	Helper() : thread_([this] { help(); }) {}
	~Helper()
	{
		begin(nullptr);
		thread_.join();
	}
	void begin(void (*job)())
	{
		job_ = job;
		++begun_;
	}
	void end() const
	{
		while (ended_ != begun_)
			_mm_pause();
	}

private:
	void help()
	{
		for (unsigned int number = 0;;) {
			while (begun_ == number)
				_mm_pause();
			++number;
			if (!job_)
				return;
			job_();
			ended_ = number;
		}
	}

	void (*job_)() = nullptr;
	std::atomic<unsigned int> begun_ = 0, ended_ = 0;
	std::thread thread_;
};

// Memory like that of the regions: segments of 17 runs, and their exponents.
struct Planes {
	static constexpr std::size_t segment_bytes = runs * run_bytes;
	static constexpr std::size_t exponent_bytes = segment_elements / 32;

	Planes()
	{
		count = bench::cold_bytes() / matrix_bytes() + 1;
		bytes = count * matrix_bytes();
		memory = static_cast<char *>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
						    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		::madvise(memory, bytes, MADV_HUGEPAGE);
		for (std::size_t i = 0; i < bytes; i += 8)
			std::memcpy(memory + i, &i, 8);
	}
	static const Planes &all()
	{
		static const Planes planes;

		return planes;
	}
	static std::size_t segments() { return std::size_t{rows()} * cols / segment_elements; }
	static std::size_t matrix_bytes() { return segments() * (segment_bytes + exponent_bytes); }

	std::size_t count, bytes;
	char *memory;
};

struct Reading {
	const char *matrix;
	unsigned int bits;
	unsigned int threads;
};

Reading reading;

// In the order of addresses, with as few instructions as can be, so that as many
// loads as can be are on their way at once: on a Zen 5 nothing else was faster.
std::uint64_t read_lines(const char *from, std::size_t bytes)
{
	constexpr std::size_t lines = 8;
	std::uint64_t sum = 0;

	for (std::size_t at = 0; at < bytes; at += lines * 64)
		for (std::size_t line = 0; line < lines; ++line) {
			std::uint64_t word;

			std::memcpy(&word, from + at + line * 64, sizeof(word));
			sum += word;
		}
	return sum;
}

// What one thread reads of the segments [begin, end).
std::uint64_t read_in_order(std::size_t begin, std::size_t end)
{
	const char *exponents = reading.matrix + Planes::segments() * Planes::segment_bytes;
	std::uint64_t sum = 0;

	for (std::size_t i = begin; i < end; ++i)
		sum += read_lines(reading.matrix + i * Planes::segment_bytes,
				  reading.bits * run_bytes);
	return sum + read_lines(exponents + begin * Planes::exponent_bytes,
				(end - begin) * Planes::exponent_bytes);
}

// Asks for a line of each plane, so many lines behind `at` in this segment's
// runs or the next one's.
template <std::size_t lines, int locality>
void ask(const char *segment, const char *next, std::size_t at)
{
	const std::size_t then = at + lines * 64;
	const char *from = then < run_bytes ? segment + then : next + (then - run_bytes);

	for (unsigned int plane = 0; plane < reading.bits; ++plane)
		__builtin_prefetch(from + plane * run_bytes, 0, locality);
}

// The same much as the product reads it: planes side by side, each line asked for
// three times, the first far ahead. On a Zen 4 this is the faster one.
std::uint64_t read_side_by_side(std::size_t begin, std::size_t end)
{
	const char *exponents = reading.matrix + Planes::segments() * Planes::segment_bytes;
	std::uint64_t sum = 0, word;

	for (std::size_t i = begin; i < end; ++i) {
		const char *segment = reading.matrix + i * Planes::segment_bytes;
		const char *next = i + 1 < end ? segment + Planes::segment_bytes : segment;

		for (std::size_t at = 0; at < run_bytes; at += 64) {
			ask<96, 2>(segment, next, at);
			ask<64, 2>(segment, next, at);
			ask<24, 3>(segment, next, at);
			for (unsigned int plane = 0; plane < reading.bits; ++plane) {
				std::memcpy(&word, segment + plane * run_bytes + at, sizeof(word));
				sum += word;
			}
			if (at % 256 == 0) {
				const char *line = exponents + i * Planes::exponent_bytes + at / 4;

				__builtin_prefetch(line + 96 * 16, 0, 2);
				std::memcpy(&word, line, sizeof(word));
				sum += word;
			}
		}
	}
	return sum;
}

template <auto read, unsigned int thread>
void read_share()
{
	const std::size_t segments = Planes::segments();

	benchmark::DoNotOptimize(read(segments * thread / reading.threads,
				      segments * (thread + 1) / reading.threads));
}

template <auto read>
void streaming_read(benchmark::State &state, Case what)
{
	const Planes &planes = Planes::all();
	std::unique_ptr<Helper> helper = what.threads > 1 ? std::make_unique<Helper>() : nullptr;
	static std::size_t next = 0;

	for (auto _ : state) {
		reading = {planes.memory + next++ % planes.count * Planes::matrix_bytes(), what.bits,
			   what.threads};
		if (helper)
			helper->begin(read_share<read, 1>);
		read_share<read, 0>();
		if (helper)
			helper->end();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(
		state.iterations() * Planes::segments() *
		(what.bits * run_bytes + Planes::exponent_bytes)));
}

/* ------------------------------------------------------------------ ggml */

#ifdef SQ_HAVE_GGML

struct Peer {
	const char *type;
	bool repacked;
};

void ggml(benchmark::State &state, Case what, Peer peer)
{
	static std::map<std::pair<std::string, bool>, std::unique_ptr<bench::GgmlProduct>> all;
	auto &product = all[{peer.type, peer.repacked}];
	static std::size_t next = 0;

	if (!product)
		product = std::make_unique<bench::GgmlProduct>(peer.type, peer.repacked, rows(), cols,
							       bench::cold_bytes());
	for (auto _ : state)
		product->multiply(next++ % product->matrices(), what.columns, what.threads);
	bench::GgmlProduct::rest(what.threads);
	state.SetBytesProcessed(
		static_cast<std::int64_t>(state.iterations() * product->matrix_bytes()));
}

// Types of as many bits, as stored and repacked; all of them are tried. Their
// activations have 8 bits. Of 16 bits: what has float activations.
constexpr std::array<std::pair<unsigned int, const char *>, 9> types = {{
	{16, "bf16"}, {8, "q8_0"}, {6, "q6_k"}, {5, "q5_k"}, {5, "q5_0"},
	{4, "q4_0"},  {4, "q4_k"}, {3, "q3_k"}, {2, "q2_k"},
}};

void add_ggml(const Case &what)
{
	for (const auto &[bits, type] : types) {
		if (bits != (what.arithmetic == Arithmetic::Fp32 ? 16 : what.bits))
			continue;
		for (const bool repacked : {false, true}) {
			if (repacked &&
			    !bench::GgmlProduct(type, true, 64, cols, 1).is_there())
				continue;
			const std::string name = fmt::format("{}/peer:ggml-{}{}", what.name(), type,
							     repacked ? "-repacked" : "");

			benchmark::RegisterBenchmark(name.c_str(), ggml, what, Peer{type, repacked})
				->UseRealTime();
		}
	}
}

#else

void add_ggml(const Case &) {}

#endif

void add(const Case &what)
{
	benchmark::RegisterBenchmark((what.name() + "/ours").c_str(), ours, what)->UseRealTime();
	benchmark::RegisterBenchmark((what.name() + "/peer:streaming-read").c_str(),
				     streaming_read<read_in_order>, what)
		->UseRealTime();
	benchmark::RegisterBenchmark((what.name() + "/peer:streaming-read-ahead").c_str(),
				     streaming_read<read_side_by_side>, what)
		->UseRealTime();
	add_ggml(what);
}

const bool registered = [] {
#ifndef SQ_HAVE_GGML
	fmt::print(stderr, "bench-multiply: built without ggml (scripts/bench builds it); its cases are left out\n");
#endif
	for (const unsigned int threads : {1u, 2u}) {
		for (const unsigned int bits : {8u, 6u, 5u, 4u, 3u, 2u})
			add({bits, threads});
		for (const unsigned int bits : {8u, 4u}) {
			for (const std::uint32_t columns : {2u, 4u, 8u})
				add({.bits = bits, .threads = threads, .columns = columns});
			add({.bits = bits, .threads = threads, .arithmetic = Arithmetic::Fp32});
		}
	}
	return true;
}();

} // namespace
