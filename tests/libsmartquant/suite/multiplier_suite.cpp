// SPDX-License-Identifier: MIT
//
// Multipliers: products straight from planes agree with the codes that a view
// delivers
#include "fixture.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

namespace sqtest {

using smartquant::Arithmetic;
using smartquant::Multiplier;
using smartquant::MultiplierRequest;
using smartquant::View;
using MultiplierSuite = SuiteTest;

static std::vector<float> activations(std::size_t count)
{
	std::mt19937 random(7);
	std::normal_distribution<float> normal;
	std::vector<float> x(count);

	std::ranges::generate(x, [&] { return normal(random); });
	return x;
}

static std::vector<std::byte> weights(std::size_t count, unsigned int seed)
{
	std::mt19937 random(seed);
	std::normal_distribution<float> normal(0, 0.05f);
	std::vector<float> values(count);

	std::ranges::generate(values, [&] { return normal(random); });
	return words_of(values);
}

static std::vector<float> product(const Multiplier &multiplier, std::span<const float> x,
				  std::uint32_t columns = 1)
{
	std::vector<float> y(std::size_t{columns} * multiplier.layout().rows);

	multiplier.multiply(x, y, columns);
	return y;
}

// The second shape is shared by several threads, where there are some.
TEST_F(MultiplierSuite, Fp32GivesTheBytesThatAViewGives)
{
	const auto x = activations(4096);

	for (const auto &[rows, cols] : {std::pair<std::uint32_t, std::uint32_t>{70, 1050}, {1030, 4096}}) {
		Region region = create({.name = "w" + std::to_string(rows), .rows = rows, .cols = cols});

		region.store(sample_words(Dtype::Bf16, std::size_t{rows} * cols));
		for (const Rounding rounding : {Rounding::Truncate, Rounding::Nearest}) {
			for (const unsigned int bits : {2u, 5u, 8u}) {
				const View view = region.map_cached({.format = Format::mxint(bits), .rounding = rounding});
				std::vector<float> y(rows);

				view.multiply({}, {x.data(), cols}, y);
				EXPECT_EQ(product(region.multiplier({.format = Format::mxint(bits),
								     .rounding = rounding,
								     .arithmetic = Arithmetic::Fp32}),
						  {x.data(), cols}),
					  y);
			}
		}
	}
}

// A code is wrong by at most half a scale; the sums are rounded a few times.
TEST_F(MultiplierSuite, Int8IsOffByNoMoreThanTheActivationsAreRounded)
{
	const std::uint32_t rows = 40, cols = 1056;
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = rows, .cols = cols});
	const auto x = activations(cols);
	std::vector<std::int8_t> codes(cols);
	std::vector<float> scales(cols / 32);

	region.store(weights(rows * cols, 1));
	smartquant::quantize_activations(x, codes, scales);
	for (unsigned int bits = 2; bits <= 8; ++bits) {
		const auto w = region.fetch_values({.format = Format::mxint(bits)});
		const auto y = product(region.multiplier({.format = Format::mxint(bits)}), x);

		for (std::uint32_t row = 0; row < rows; ++row) {
			double exact = 0, coded = 0, bound = 0, size = 0;

			for (std::uint32_t col = 0; col < cols; ++col) {
				const double weight = w[row * cols + col], scale = scales[col / 32];

				exact += weight * x[col];
				coded += weight * codes[col] * scale;
				bound += std::fabs(weight) * scale / 2;
				size += std::fabs(weight * codes[col] * scale);
			}
			EXPECT_NEAR(y[row], coded, 1e-5 * size) << "mxint" << bits << ", row " << row;
			EXPECT_NEAR(y[row], exact, bound * 1.001 + 1e-5 * size);
		}
	}
}

TEST_F(MultiplierSuite, ColumnsGiveWhatEachOfThemGives)
{
	const std::uint32_t rows = 33, cols = 600, columns = 16;
	Region region = create({.name = "w", .rows = rows, .cols = cols});
	const auto x = activations(columns * cols);

	region.store(sample_words(Dtype::Bf16, rows * cols));
	for (const Arithmetic arithmetic : {Arithmetic::Int8, Arithmetic::Fp32}) {
		const Multiplier multiplier = region.multiplier(
			{.format = Format::mxint(4), .arithmetic = arithmetic, .rows = {1, rows}});
		std::vector<float> one_by_one;

		EXPECT_EQ(multiplier.layout().rows, rows - 1);
		EXPECT_EQ(multiplier.arithmetic(), arithmetic);
		for (std::uint32_t column = 0; column < columns; ++column) {
			const auto y = product(multiplier, std::span(x).subspan(column * cols, cols));

			one_by_one.insert(one_by_one.end(), y.begin(), y.end());
		}
		EXPECT_EQ(product(multiplier, x, columns), one_by_one);
	}
}

TEST_F(MultiplierSuite, AnInPlaceProductCountsItsLines)
{
	if (is_card())
		GTEST_SKIP() << "a card is fetched from once, and not read by products";
	const std::uint32_t rows = 64, cols = 4096, lines = rows * cols / 512;
	Region region = create({.name = "w", .rows = rows, .cols = cols});

	region.store(sample_words(Dtype::Bf16, std::size_t{rows} * cols));
	region.reset_statistics();

	const Multiplier multiplier =
		region.multiplier({.format = Format::mxint(4), .rounding = Rounding::Truncate});
	const auto x = activations(cols);
	std::vector<float> y(rows);
	const std::uint64_t expected = 4 * lines + rows * cols / 32 / 64;

	EXPECT_EQ(region.statistics().check_lines, expected);
	EXPECT_EQ(region.statistics().plane_lines, 0u);
	for (unsigned int times = 1; times <= 3; ++times) {
		const auto result = multiplier.multiply(x, y);

		EXPECT_EQ(result.plane_lines, expected);
		EXPECT_EQ(result.bytes, expected * 64);
		EXPECT_EQ(result.format, Format::mxint(4));
		EXPECT_GT(result.dram_time.count(), 0);
		EXPECT_EQ(region.statistics().plane_lines, times * expected);
		EXPECT_EQ(region.statistics().check_lines, expected);
		EXPECT_EQ(region.statistics().requests, times);
	}
}

// A thread's reads keep a decoder from one to the next; so many activations would
// lie over it, were they in the same memory.
TEST_F(MultiplierSuite, ProductsLeaveReadsOfPackedRegionsAlone)
{
	const std::uint32_t rows = 2, cols = 1u << 16, columns = 8;
	Region raw = create({.name = "raw", .rows = rows, .cols = cols});
	Region packed = create({.name = "packed", .rows = rows, .cols = cols});
	const auto x = activations(std::size_t{columns} * cols);

	for (Region *region : {&raw, &packed})
		region->store(sample_words(Dtype::Bf16, std::size_t{rows} * cols));
	packed.pack();

	const Multiplier multiplier =
		raw.multiplier({.format = Format::mxint(4), .arithmetic = Arithmetic::Fp32});
	const auto before = packed.fetch_values({.format = Format::native()});

	for (int turn = 0; turn < 2; ++turn) {
		product(multiplier, x, columns);
		EXPECT_EQ(packed.fetch_values({.format = Format::native()}), before);
	}
}

TEST_F(MultiplierSuite, ARegionWithoutSuchPlanesIsRefusedWithWhatWouldDo)
{
	Region aligned = create({.name = "aligned", .rows = 2, .cols = 64});
	Region word = create({.name = "word", .rows = 2, .cols = 64, .placement = Placement::Word});
	Region tuned = create({.name = "tuned", .rows = 2, .cols = 64, .placement = Placement::Tuned});
	// In place only: a card's planes are fetched, and come decoded.
	Region packed = create({.name = "packed", .rows = 2, .cols = 64});
	packed.pack();
	if (is_card())
		EXPECT_NO_THROW(packed.multiplier({.format = Format::mxint(4)}));
	else
		EXPECT_ERROR(packed.multiplier({.format = Format::mxint(4)}), Status::Unsupported,
			     "coding packed");
	EXPECT_ERROR(word.multiplier({.format = Format::mxint(4)}), Status::Unsupported, "placement word");
	EXPECT_ERROR(tuned.multiplier({.format = Format::mxint(4)}), Status::Unsupported, "placement tuned");
	EXPECT_ERROR(aligned.multiplier({.format = Format::bf16()}), Status::Unsupported, "mxint2 to mxint8");
	EXPECT_ERROR(aligned.multiplier(), Status::Unsupported, "native");
	EXPECT_ERROR(aligned.multiplier({.format = Format::mxint(4), .rounding = Rounding::Even}),
		     Status::Unsupported, "rounding even");
	EXPECT_ERROR(aligned.multiplier({.format = Format::mxint(4), .rows = {1, 3}}), Status::Range, "1:3");
	EXPECT_ERROR(aligned.multiplier({.format = Format::mxint(9)}), Status::Format, "");
	EXPECT_ERROR(aligned.multiplier({.format = Format::mxint(4), .arithmetic = Arithmetic{2}}),
		     Status::InvalidInput, "unknown arithmetic 2");
}

TEST_F(MultiplierSuite, ActivationsThatDoNotFitAreRefused)
{
	Region region = create({.name = "w", .rows = 3, .cols = 64});
	const Multiplier multiplier = region.multiplier({.format = Format::mxint(4)});
	std::vector<float> x(128, 1.0f), y(6);

	EXPECT_ERROR(multiplier.multiply(std::span(x).first(63), y), Status::Length, "63 values, 64 are needed");
	EXPECT_ERROR(multiplier.multiply(x, std::span(y).first(5), 2), Status::Length, "5 values, 6 are needed");
	EXPECT_ERROR(multiplier.multiply(x, y, 0), Status::InvalidInput, "0 columns");
	EXPECT_ERROR(multiplier.multiply(x, y, 17), Status::InvalidInput, "1 to 16");
	x[65] = std::numeric_limits<float>::quiet_NaN();
	EXPECT_ERROR(multiplier.multiply(x, y, 2), Status::NonFinite, "x[65]");
	x[65] = -std::numeric_limits<float>::infinity();
	EXPECT_ERROR(multiplier.multiply(x, y, 2), Status::NonFinite, "x[65]");
	multiplier.multiply(x, y);
}

TEST_F(MultiplierSuite, QuantizedActivationsAreCheckedToo)
{
	std::vector<float> x(40, 2.0f), scales(2);
	std::vector<std::int8_t> codes(40);

	smartquant::quantize_activations(x, codes, scales);
	EXPECT_EQ(codes, std::vector<std::int8_t>(40, 127));
	EXPECT_EQ(scales, std::vector<float>(2, 2.0f / 127));
	EXPECT_ERROR(smartquant::quantize_activations(x, std::span(codes).first(39), scales), Status::Length, "39");
	EXPECT_ERROR(smartquant::quantize_activations(x, codes, std::span(scales).first(1)), Status::Length, "1 values");
	x[39] = std::numeric_limits<float>::infinity();
	EXPECT_ERROR(smartquant::quantize_activations(x, codes, scales), Status::NonFinite, "x[39]");
}

TEST_F(MultiplierSuite, AMultiplierHoldsItsRegionAndSeesItsStores)
{
	if (is_card())
		GTEST_SKIP() << "planes of a card stay as they were fetched";
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 4, .cols = 512});
	const auto x = activations(512);
	const MultiplierRequest request{.format = Format::mxint(6)};

	region.store(weights(4 * 512, 1));

	Multiplier multiplier = region.multiplier(request);
	const auto before = product(multiplier, x);

	EXPECT_ERROR(region.remove(), Status::InUse, "");
	region.store(weights(4 * 512, 2));
	EXPECT_NE(product(multiplier, x), before);
	EXPECT_EQ(product(multiplier, x), product(region.multiplier(request), x));
	multiplier.release();
	EXPECT_ERROR(multiplier.layout(), Status::Closed, "multiplier");
	EXPECT_ERROR(multiplier.release(), Status::Closed, "multiplier");
}

// Each product is of one state of the region, the old or the new one.
TEST_F(MultiplierSuite, ProductsBesideAStoreAreNeverTorn)
{
	if (is_card())
		GTEST_SKIP() << "planes of a card stay as they were fetched";
	const std::uint32_t rows = 260, cols = 4096;
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = rows, .cols = cols});
	const auto x = activations(cols);
	const std::vector<std::byte> states[] = {weights(rows * cols, 1), weights(rows * cols, 2)};
	std::vector<float> expected[2];

	for (int i = 1; i >= 0; --i) {
		region.store(states[i]);
		expected[i] = product(region.multiplier({.format = Format::mxint(4)}), x);
	}

	const Multiplier multiplier = region.multiplier({.format = Format::mxint(4)});
	std::atomic<bool> stop = false;
	std::atomic<unsigned int> torn = 0, done = 0;
	std::vector<std::thread> readers;

	for (int i = 0; i < 3; ++i)
		readers.emplace_back([&] {
			while (!stop) {
				const auto y = product(multiplier, x);

				torn += y != expected[0] && y != expected[1];
				++done;
			}
		});
	for (int i = 0; i < 20; ++i) {
		region.store(states[i % 2]);
		for (const unsigned int before = done; done == before;)
			std::this_thread::yield();
	}
	stop = true;
	for (std::thread &reader : readers)
		reader.join();
	EXPECT_EQ(torn, 0u);
}

} // namespace sqtest
