// SPDX-License-Identifier: MIT
//
// Stores and fetches: what goes in comes out, at every width, for any rows.
// Numbers that formats make are tests/reference's business; here every store
// must agree with an embedded one, and with what can be said in one line.
#include "fixture.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace sqtest {

using TransferSuite = SuiteTest;

// The same region in an embedded store.
struct Twin {
	Store store = Store::open("embedded:", {.size_bytes = 64u << 20});
	Region region;

	Twin(const RegionSpec &spec, std::span<const std::byte> words)
		: region(store.create_region(spec))
	{
		region.store(words);
	}
};

static std::vector<ReadRequest> many_requests(Dtype dtype)
{
	std::vector<ReadRequest> requests{{.format = Format::native()}};

	if (dtype == Dtype::Int8)
		return requests;
	for (const Format format : {Format::bf16(), Format::fp32(), Format::mx(9), Format::mx(6),
				    Format::mx(4), Format::mxfp4_e2m1(), Format::mxfp8_e4m3(),
				    Format::ggml(8), Format::ggml(2)})
		requests.push_back({.format = format});
	for (unsigned int bits = 2; bits <= 8; ++bits)
		for (const Rounding rounding :
		     {Rounding::Default, Rounding::Truncate, Rounding::Nearest, Rounding::Even})
			requests.push_back({.format = Format::mxint(bits), .rounding = rounding});
	for (const unsigned int planes : {1u, 5u, 9u, 17u})
		requests.push_back({.format = Format::planes(planes)});
	requests.push_back({.format = Format::mxint(5), .axis = Axis::Col});
	requests.push_back({.format = Format::mx(6), .axis = Axis::Col});
	return requests;
}

struct Shape {
	Dtype dtype;
	std::uint32_t rows;
	std::uint32_t cols;
	Placement placement = {};
};

static const Shape shapes[] = {
	{Dtype::Bf16, 1, 1},	 {Dtype::Bf16, 3, 31},	  {Dtype::Bf16, 130, 576},
	{Dtype::Bf16, 70, 1000}, {Dtype::Fp32, 37, 100},  {Dtype::Fp16, 33, 65},
	{Dtype::Int8, 9, 77},	 {Dtype::Fp32, 1, 70001}, {Dtype::Bf16, 40, 64, Placement::Word},
};

static void expect_agreement(const Region &ours, const Region &theirs, const Shape &shape)
{
	for (const ReadRequest &request : many_requests(shape.dtype)) {
		SCOPED_TRACE(std::string(name(shape.dtype)) + " " + std::to_string(shape.rows) +
			     "x" + std::to_string(shape.cols) + " " + request.format.name() + " " +
			     std::string(name(request.rounding)) + " " +
			     std::string(name(request.axis)) + " " +
			     std::string(name(ours.info().coding)));
		std::vector<std::byte> our_bytes, their_bytes;
		const auto our_error = thrown_by([&] { our_bytes = ours.fetch(request); });
		const auto their_error = thrown_by([&] { their_bytes = theirs.fetch(request); });

		EXPECT_EQ(our_error.status, their_error.status)
			<< our_error.message << their_error.message;
		EXPECT_EQ(our_bytes, their_bytes);
		EXPECT_EQ(our_bytes.size(), our_error.status == Status::Success ?
						    ours.layout(request).bytes :
						    0);
	}
}

TEST_F(TransferSuite, EveryFormatAgreesWithTheEmbeddedStore)
{
	for (const Shape &shape : shapes) {
		const RegionSpec spec{.name = "w",
				      .dtype = shape.dtype,
				      .rows = shape.rows,
				      .cols = shape.cols,
				      .placement = shape.placement};
		const auto words = sample_words(shape.dtype, std::size_t{shape.rows} * shape.cols);
		Twin twin(spec, words);
		Region region = create(spec);

		region.store(words);
		expect_agreement(region, twin.region, shape);
		if (region.info().placement == Placement::Aligned) {
			region.pack();
			expect_agreement(region, twin.region, shape);
		}
		EXPECT_EQ(region.fetch({.format = Format::native()}), words);
		region.remove();
	}
}

TEST_F(TransferSuite, RowsAreThoseOfTheWhole)
{
	Region region = create({.name = "w", .rows = 50, .cols = 70});

	region.store(sample_words(Dtype::Bf16, 3500));
	for (const Format format : {Format::native(), Format::mxint(3), Format::mx(9)}) {
		const auto whole = region.fetch({.format = format});
		const auto layout = region.layout({.format = format});

		for (const auto &[first, end] : {std::pair{0u, 1u}, {7u, 9u}, {49u, 50u}, {0u, 50u}}) {
			const ReadRequest request{.format = format, .rows = {first, end}};
			const auto part = region.fetch(request);
			const auto part_layout = region.layout(request);

			ASSERT_EQ(part_layout.rows, end - first);
			for (std::uint32_t row = first; row < end; ++row) {
				const auto same = [](auto a, auto b) {
					return std::ranges::equal(a, b);
				};

				EXPECT_TRUE(same(part_layout.codes(part, row - first),
						 layout.codes(whole, row)));
				EXPECT_TRUE(same(part_layout.micro(part, row - first),
						 layout.micro(whole, row)));
				EXPECT_TRUE(same(part_layout.scales(part, row - first),
						 layout.scales(whole, row)));
			}
		}
	}
}

TEST_F(TransferSuite, StoringRowsReplacesThoseRowsAlone)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 300, .cols = 333});
	auto expected = sample_words(Dtype::Fp32, 300 * 333);
	const std::size_t row_bytes = 333 * 4;

	region.store(expected);
	for (const auto &[first, end] : {std::pair{0u, 1u}, {100u, 213u}, {299u, 300u}}) {
		const auto rows = sample_words(Dtype::Fp32, (end - first) * 333, first + 2);

		region.store({.rows = {first, end}}, rows);
		std::ranges::copy(rows, expected.begin() + first * row_bytes);
	}
	EXPECT_EQ(region.fetch({.format = Format::native()}), expected);
}

TEST_F(TransferSuite, SmallIntegersSurviveEightBits)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 3, .cols = 40});
	std::vector<float> values(120);

	for (std::size_t i = 0; i < values.size(); ++i)
		values[i] = static_cast<float>(static_cast<int>(i % 41) - 20);
	region.store(words_of(values));
	EXPECT_EQ(region.fetch_values({.format = Format::mxint(8)}), values);
	EXPECT_EQ(region.fetch_values({.format = Format::native()}), values);
}

TEST_F(TransferSuite, BlobsComeBackAsTheyWere)
{
	Region region = create({.name = "blob", .dtype = Dtype::U8, .rows = 1, .cols = 100003});
	const auto bytes = sample_words(Dtype::U8, 100003);

	region.store(bytes);
	EXPECT_EQ(region.fetch(), bytes);
	EXPECT_ERROR(region.fetch({.format = Format::mxint(4)}), Status::Format,
		     "format mxint4 is not offered for a u8 region");
	EXPECT_ERROR(region.fetch_values(), Status::Format, "cannot be turned into numbers");
}

TEST_F(TransferSuite, RoundingHappensOnRequestOnlyAndIsCounted)
{
	Region region = create({.name = "w", .rows = 1, .cols = 32});
	std::vector<float> values(32, 1.0f);

	values[3] = 1.0f + 1.0f / 512; // between two bf16: a tie goes to the even one, 1.0
	EXPECT_ERROR(region.store({.encoding = Encoding::fp32()}, words_of(values)),
		     Status::RoundingNeeded, "data is fp32, the region bf16");
	EXPECT_EQ(region.fetch(), std::vector<std::byte>(64));

	const auto result = region.store({.encoding = Encoding::fp32(), .allow_rounding = true},
					 words_of(values));

	EXPECT_EQ(result.elements, 32u);
	EXPECT_EQ(result.rounded_elements, 1u);
	EXPECT_FLOAT_EQ(result.max_rounding_error, (1.0f / 512) / (1.0f + 1.0f / 512));
	EXPECT_EQ(region.fetch_values(), std::vector<float>(32, 1.0f));
}

TEST_F(TransferSuite, BlockEncodingsAreDecodedByTheStore)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 2, .cols = 32});
	std::vector<std::byte> blocks(2 * 34);
	std::vector<float> expected(64);

	// q8_0: an fp16 scale, then 32 signed bytes. 0x3800 is 0.5.
	for (std::size_t block = 0; block < 2; ++block) {
		blocks[block * 34 + 1] = std::byte{0x38};
		for (int i = 0; i < 32; ++i) {
			const int quant = (i - 16) * static_cast<int>(block + 1);

			blocks[block * 34 + 2 + i] = static_cast<std::byte>(quant);
			expected[block * 32 + i] = static_cast<float>(quant) * 0.5f;
		}
	}
	EXPECT_EQ(region.store_bytes({.encoding = Encoding::ggml(8)}), 68u);
	region.store({.encoding = Encoding::ggml(8), .allow_rounding = true}, blocks);
	EXPECT_EQ(region.fetch_values({.format = Format::native()}), expected);

	Region ragged = create({.name = "ragged", .rows = 2, .cols = 33});

	EXPECT_ERROR(ragged.store({.encoding = Encoding::ggml(8), .allow_rounding = true}, blocks),
		     Status::InvalidInput, "whole blocks of 32");
}

TEST_F(TransferSuite, NonFiniteDataIsRefusedWithItsPlaceAndChangesNothing)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 600, .cols = 130});
	std::vector<float> values(600 * 130, 2.0f);
	const auto good = words_of(values);

	region.store(good);
	values[599 * 130 + 129] = std::numeric_limits<float>::infinity();
	values[510 * 130 + 7] = std::numeric_limits<float>::quiet_NaN();
	try {
		region.store(words_of(values));
		FAIL() << "a NaN was taken";
	} catch (const Error &error) {
		EXPECT_EQ(error.status(), Status::NonFinite);
		ASSERT_TRUE(error.position());
		EXPECT_EQ(error.position()->row, 510u);
		EXPECT_EQ(error.position()->col, 7u);
		EXPECT_NE(std::string(error.what()).find("row 510, column 7"), std::string::npos)
			<< error.what();
	}
	EXPECT_EQ(region.fetch({.format = Format::native()}), good);

	// Rows count from the region's first, also when only some are stored.
	EXPECT_ERROR(region.store({.rows = {510, 511}},
				  std::as_bytes(std::span(values)).subspan(510 * 130 * 4, 520)),
		     Status::NonFinite, "row 510, column 7");

	Region words = create({.name = "word",
			       .dtype = Dtype::Fp32,
			       .rows = 600,
			       .cols = 130,
			       .placement = Placement::Word});

	words.store(words_of(values));
	EXPECT_EQ(words.fetch({.format = Format::native()}), words_of(values));
}

TEST_F(TransferSuite, ImportanceShapesCodebooksOfEmbeddedStores)
{
	const RegionSpec spec{.name = "w", .rows = 8, .cols = 64, .placement = Placement::Tuned};
	Region region = create(spec);
	Region aligned = create({.name = "aligned", .rows = 8, .cols = 64});
	const auto words = sample_words(Dtype::Bf16, 512);
	std::vector<float> importance(64, 1.0f);

	EXPECT_ERROR(aligned.store({.importance = importance}, words), Status::Unsupported,
		     "use placement tuned");
	EXPECT_ERROR(region.store({.importance = std::span(importance).first(63)}, words),
		     Status::Length, "importance of 63 columns; the region has 64");
	importance[5] = -1;
	EXPECT_ERROR(region.store({.importance = importance}, words), Status::InvalidInput,
		     "importance of column 5");
	std::ranges::fill(importance, 0.0f);
	importance[7] = 1;
	if (is_card()) {
		EXPECT_ERROR(region.store({.importance = importance}, words), Status::Unsupported,
			     "embedded store");
		return;
	}
	region.store(words);
	const auto plain = region.levels(3);
	region.store({.importance = importance}, words);
	EXPECT_NE(region.levels(3), plain);
	EXPECT_EQ(region.fetch({.format = Format::native()}), words);
}

TEST_F(TransferSuite, RowsOutsideTheRegionAreRefused)
{
	Region region = create({.name = "w", .rows = 64, .cols = 32});
	std::vector<std::byte> data(1 << 16);

	EXPECT_ERROR(region.fetch({.rows = {64, 70}}), Status::Range,
		     "rows 64:70 out of range (region has 64 rows)");
	EXPECT_ERROR(region.fetch({.rows = {0, 65}}), Status::Range, "rows 0:65");
	EXPECT_ERROR(region.fetch({.rows = {5, 5}}), Status::Range, "names no row");
	EXPECT_ERROR(region.fetch({.rows = {6, 5}}), Status::Range, "names no row");
	EXPECT_ERROR(region.fetch({.rows = {64}}), Status::Range, "rows 64:");
	EXPECT_ERROR(region.fetch({.rows = {4000000000u, 4294967294u}}), Status::Range,
		     "out of range");
	EXPECT_ERROR(region.store({.rows = {60, 65}}, data), Status::Range, "rows 60:65");
	EXPECT_ERROR(region.map({.rows = {64, 65}}), Status::Range, "rows 64:65");
	EXPECT_ERROR(region.map_cached({.rows = {64, 65}}), Status::Range, "rows 64:65");
	EXPECT_ERROR(region.layout({.rows = {64, 65}}), Status::Range, "rows 64:65");
}

TEST_F(TransferSuite, BuffersAndDataOfAnotherLengthAreRefused)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	const auto words = sample_words(Dtype::Bf16, 128);
	std::vector<std::byte> buffer(257, std::byte{0xa5});

	region.store(words);
	EXPECT_ERROR(region.fetch({}, std::span(buffer).first(255)), Status::Length,
		     "buffer of 255 bytes is too short; the read delivers 256 bytes");
	EXPECT_EQ(region.fetch({}, buffer).bytes, 256u);
	EXPECT_TRUE(std::ranges::equal(words, std::span(buffer).first(256)));
	EXPECT_EQ(buffer[256], std::byte{0xa5}); // behind the read nothing is written
	for (const std::size_t bytes : {0u, 255u, 257u})
		EXPECT_ERROR(region.store(std::span(buffer).first(bytes)), Status::Length,
			     "take 256 bytes");
	EXPECT_EQ(region.fetch(), words);
}

TEST_F(TransferSuite, UnknownCodesAreRefused)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	const std::vector<std::byte> data(256);

	EXPECT_ERROR(region.fetch({.format = Format(0x7777)}), Status::Format, "format 0x7777");
	EXPECT_ERROR(region.fetch({.format = Format::mxint(9)}), Status::Format, "bf16 region");
	EXPECT_ERROR(region.fetch({.format = Format::planes(40)}), Status::Format, "bf16 region");
	EXPECT_ERROR(region.fetch({.rounding = static_cast<Rounding>(9)}), Status::InvalidInput,
		     "unknown rounding 9");
	EXPECT_ERROR(region.fetch({.axis = static_cast<Axis>(2)}), Status::InvalidInput,
		     "unknown axis 2");
	EXPECT_ERROR(region.store({.encoding = Encoding(0x6666)}, data), Status::Unsupported,
		     "encoding 0x6666");
}

TEST_F(TransferSuite, AReadIsCountedWhereItHappens)
{
	// 8 segments of 512 x 1024 elements.
	Region region = create({.name = "w", .rows = 512, .cols = 1024});
	const std::uint64_t elements = 512 * 1024, lines = elements / 512;
	const std::uint64_t exponent_lines = elements / 32 / 64;

	region.store(sample_words(Dtype::Bf16, elements));
	region.reset_statistics();
	for (unsigned int bits = 2; bits <= 8; ++bits) {
		std::vector<std::byte> buffer(2 * elements);
		const auto truncated = region.fetch(
			{.format = Format::mxint(bits), .rounding = Rounding::Truncate}, buffer);
		const auto nearest = region.fetch({.format = Format::mxint(bits)}, buffer);

		EXPECT_EQ(truncated.plane_lines, bits * lines + exponent_lines);
		EXPECT_EQ(nearest.plane_lines, (bits + 1) * lines + exponent_lines);
		EXPECT_EQ(nearest.baseline_lines, elements * 16 / 512);
		EXPECT_EQ(nearest.elements, elements);
		EXPECT_EQ(nearest.bytes, elements * bits / 8 + elements / 32);
		EXPECT_EQ(nearest.format, Format::mxint(bits));
		EXPECT_EQ(nearest.rounding, Rounding::Nearest);
		EXPECT_GT(nearest.dram_time.count(), 0);
		EXPECT_GT(nearest.link_time.count(), 0);
	}

	const auto statistics = region.statistics();

	EXPECT_EQ(statistics.elements, 14 * elements);
	EXPECT_EQ(statistics.baseline_lines, 14 * lines * 16);
	EXPECT_EQ(statistics.plane_lines,
		  (2 * (2 + 3 + 4 + 5 + 6 + 7 + 8) + 7) * lines + 14 * exponent_lines);
	region.reset_statistics();
	EXPECT_EQ(region.statistics().plane_lines, 0u);
	EXPECT_GE(store.statistics(Format::mxint(5)).elements, 2 * elements);
}

TEST_F(TransferSuite, EmbeddedStoresTellWhichLinesAFetchReads)
{
	Region region = create({.name = "w", .rows = 16, .cols = 512});

	region.store(sample_words(Dtype::Bf16, 16 * 512));
	if (!store.info().embedded) {
		EXPECT_ERROR(region.trace(), Status::Unsupported, "embedded:PATH");
		return;
	}

	const smartquant::FetchTrace trace = region.trace({.format = Format::mxint(4)});
	std::uint64_t lines = 0;

	for (const smartquant::dram::Run &run : trace.runs)
		lines += run.lines;
	EXPECT_EQ(lines, trace.result.plane_lines);
	EXPECT_EQ(trace.result.format, Format::mxint(4));
	EXPECT_EQ(region.statistics().requests, 1u) << "it is a fetch like any other";
	EXPECT_ERROR(region.trace({.rows = {16, 17}}), Status::Range, "has 16 rows");
}

TEST_F(TransferSuite, StatisticsOfFormatsThatDoNotExistAreRefused)
{
	EXPECT_ERROR(store.statistics(Format(0x7777)), Status::Format, "0x7777");
	EXPECT_ERROR(store.reset_statistics(Format(0x7777)), Status::Format, "0x7777");
}

} // namespace sqtest
