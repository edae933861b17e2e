// SPDX-License-Identifier: MIT
//
// Precision vectors: one request with a format for each block of rows gives
// the bytes of one read a block.
#include "fixture.hpp"

#include <map>

namespace sqtest {

using smartquant::Queue;
using smartquant::Rows;
using smartquant::VectorLayout;
using smartquant::VectorRequest;
using smartquant::VectorResult;

using VectorSuite = SuiteTest;

static const Format pool[] = {Format::mxint(8), Format::mxint(3),      Format::native(),
			      Format::tag(),	Format::mx(6),	       Format::mxfp4_e2m1(),
			      Format::fp32(),	Format::planes(5),     Format::mxint(2)};

static const Format along_columns[] = {Format::mxint(5), Format::mx(9), Format::bf16()};

static std::span<const Format> pool_of(Axis axis)
{
	return axis == Axis::Row ? std::span<const Format>(pool) : along_columns;
}

static std::vector<Format> mixed(std::size_t count, std::span<const Format> from = pool)
{
	std::vector<Format> formats;

	for (std::size_t i = 0; i < count; ++i)
		formats.push_back(from[(i * 7 + i / from.size()) % from.size()]);
	return formats;
}

// What one read a block gives.
static std::vector<std::byte> block_by_block(const Region &region, const VectorRequest &request,
					     std::uint32_t end_row)
{
	std::vector<std::byte> bytes;
	std::uint32_t row = request.rows.first;

	for (const Format format : request.formats) {
		const std::uint32_t end = std::min(row + request.rows_per_format, end_row);
		const auto part = region.fetch({.format = format,
						.rounding = request.rounding,
						.axis = request.axis,
						.rows = {row, end}});

		bytes.insert(bytes.end(), part.begin(), part.end());
		row = end;
	}
	return bytes;
}

TEST_F(VectorSuite, GivesWhatOneReadABlockGives)
{
	constexpr std::uint32_t rows = 150, cols = 700; // segments end inside of blocks
	Region region = create({.name = "w", .rows = rows, .cols = cols});

	region.store(sample_words(Dtype::Bf16, std::size_t{rows} * cols));
	region.set_precision(Format::mxint(5));
	for (const Axis axis : {Axis::Row, Axis::Col})
		for (const std::uint32_t block : {1u, 7u, 64u, 149u, 1000u}) {
			SCOPED_TRACE(std::string(name(axis)) + ", blocks of " + std::to_string(block));
			const std::uint32_t first = 3, end = 148;
			const auto formats = mixed((end - first - 1) / block + 1, pool_of(axis));
			const VectorRequest request{.formats = formats,
						    .rows_per_format = block,
						    .axis = axis,
						    .rows = {first, end}};
			const VectorLayout layout = region.vector_layout(request);
			std::vector<std::byte> buffer(layout.bytes());
			const VectorResult read = region.fetch_vector(request, buffer);

			EXPECT_EQ(buffer, block_by_block(region, request, end));
			EXPECT_EQ(read.layout.offsets, layout.offsets);
			EXPECT_EQ(read.total.bytes, buffer.size());
			EXPECT_EQ(read.total.elements, (end - first) * cols);
			EXPECT_TRUE(read.total.format.is_tag());
			ASSERT_EQ(layout.parts.size(), formats.size());
			for (std::size_t i = 0; i < formats.size(); ++i)
				EXPECT_EQ(layout.parts[i].format,
					  formats[i].is_tag() ? Format::mxint(5) : formats[i]);
		}
}

TEST_F(VectorSuite, PartsDecodeByTheirLayouts)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 20, .cols = 48});
	const Format formats[] = {Format::mxint(8), Format::mx(6), Format::fp32()};
	const VectorRequest request{.formats = formats, .rows_per_format = 9};

	region.store(sample_words(Dtype::Fp32, 20 * 48));
	std::vector<std::byte> buffer(region.vector_layout(request).bytes() + 5); // longer will do
	const VectorResult read = region.fetch_vector(request, buffer);

	for (std::size_t i = 0; i < 3; ++i) {
		const auto &layout = read.layout.parts[i];
		const std::uint32_t first = static_cast<std::uint32_t>(i) * 9;
		std::vector<float> values(std::size_t{layout.rows} * layout.cols);

		decode(layout, read.layout.part(buffer, i), {}, values);
		EXPECT_EQ(values, region.fetch_values({.format = formats[i],
						       .rows = {first, first + layout.rows}}));
	}
	EXPECT_ERROR(read.layout.part(buffer, 3), Status::Range, "part 3");
	EXPECT_ERROR(read.layout.part(std::span(buffer).first(9), 0), Status::Length, "9 bytes");
}

TEST_F(VectorSuite, AFormatForEachOfThousandsOfRows)
{
	constexpr std::uint32_t rows = 9000, cols = 64;
	Region region = create({.name = "w", .rows = rows, .cols = cols});
	const Format two[] = {Format::mxint(8), Format::mxint(3), Format::mxint(4)};
	const auto formats = mixed(rows, two);
	const VectorRequest request{.formats = formats};

	region.store(sample_words(Dtype::Bf16, std::size_t{rows} * cols));
	std::vector<std::byte> buffer(region.vector_layout(request).bytes());
	const VectorResult read = region.fetch_vector(request, buffer);

	// One read a format, of all rows, has the same rows.
	std::map<std::uint16_t, std::vector<std::byte>> whole;
	for (const Format format : two)
		whole[format.code()] = region.fetch({.format = format});
	for (std::uint32_t row = 0; row < rows; ++row) {
		const auto part = read.layout.part(buffer, row);
		const auto &all = whole[formats[row].code()];
		const auto layout = region.layout({.format = formats[row]});

		ASSERT_TRUE(std::ranges::equal(read.layout.parts[row].codes(part, 0),
					       layout.codes(all, row)))
			<< row;
		ASSERT_TRUE(std::ranges::equal(read.layout.parts[row].scales(part, 0),
					       layout.scales(all, row)))
			<< row;
	}
}

// Packed, a region gives the same bytes, by itself and through a queue; blocks
// begin and end within segments.
TEST_F(VectorSuite, APackedRegionGivesTheSame)
{
	constexpr std::uint32_t rows = 150, cols = 1900;

	for (const Dtype dtype : {Dtype::Bf16, Dtype::Fp16, Dtype::Fp32}) {
		const std::string name = "w" + std::to_string(static_cast<int>(dtype));
		Region region = create({.name = name, .dtype = dtype, .rows = rows, .cols = cols});
		std::vector<std::vector<std::byte>> raw;

		region.store(sample_words(dtype, std::size_t{rows} * cols));
		region.set_precision(Format::mxint(5));
		for (const bool packed : {false, true}) {
			if (packed)
				region.pack();
			for (const Axis axis : {Axis::Row, Axis::Col}) {
				const auto formats = mixed((rows - 1) / 7 + 1, pool_of(axis));
				const VectorRequest request{.formats = formats,
							    .rows_per_format = 7,
							    .axis = axis,
							    .rows = {0, rows}};
				std::vector<std::byte> buffer(region.vector_layout(request).bytes());
				std::vector<std::byte> queued(buffer.size());
				Queue queue = store.queue();

				region.fetch_vector(request, buffer);
				queue.fetch_vector(region, request, queued);
				for (const auto &completion : queue.wait_all())
					EXPECT_EQ(completion.status, Status::Success)
						<< completion.message;
				EXPECT_TRUE(queued == buffer) << region.name();
				if (packed)
					EXPECT_TRUE(buffer == raw[axis == Axis::Col]) << region.name();
				else
					raw.push_back(std::move(buffer));
			}
		}
		EXPECT_EQ(region.info().coding, smartquant::Coding::Packed);
	}
}

// 64 elements a row, so eight rows share each line of a plane.
TEST_F(VectorSuite, IsOneRequestThatReadsSharedLinesOnce)
{
	Region region = create({.name = "w", .rows = 96, .cols = 64});
	const std::vector<Format> same(96, Format::mxint(4));
	const VectorRequest request{.formats = same};

	region.store(sample_words(Dtype::Bf16, 96 * 64));
	std::vector<std::byte> buffer(region.vector_layout(request).bytes());
	const auto before = region.statistics();
	const VectorResult read = region.fetch_vector(request, buffer);
	const auto after = region.statistics();

	EXPECT_EQ(after.requests - before.requests, 1u);
	EXPECT_EQ(after.plane_lines - before.plane_lines, read.total.plane_lines);
	// Five planes of 12 lines (nearest reads one more than four), and 192
	// group exponents.
	EXPECT_EQ(read.total.plane_lines, 5u * 12 + 192 / 64);
	EXPECT_EQ(read.total.check_lines, 0u);

	const auto single = region.fetch({.format = Format::mxint(4), .rows = {0, 1}});
	EXPECT_EQ(region.statistics().plane_lines - after.plane_lines, 6u)
		<< "a row alone reads a line of each of them";
}

TEST_F(VectorSuite, ManyInFlightKeepTheirOffsets)
{
	Region region = create({.name = "w", .rows = 96, .cols = 200});
	std::vector<std::vector<Format>> formats;
	std::vector<std::vector<std::byte>> buffers;
	Queue queue = store.queue({.depth = 8});

	region.store(sample_words(Dtype::Bf16, 96 * 200));
	for (std::uint64_t tag = 0; tag < 8; ++tag) {
		const auto block = static_cast<std::uint32_t>(tag * 5 + 1);

		formats.push_back(mixed(95 / block + 1));
		const VectorRequest request{.formats = formats.back(), .rows_per_format = block};

		buffers.emplace_back(region.vector_layout(request).bytes());
		queue.fetch_vector(region, request, buffers.back(), tag);
		// The formats are the caller's again.
		std::ranges::fill(formats.back(), Format::native());
	}
	for (const auto &completion : queue.wait_all()) {
		const auto block = static_cast<std::uint32_t>(completion.tag * 5 + 1);
		const auto asked = mixed(95 / block + 1);
		const VectorRequest request{.formats = asked, .rows_per_format = block};

		EXPECT_EQ(completion.status, Status::Success) << completion.message;
		EXPECT_EQ(buffers[completion.tag], block_by_block(region, request, 96));
		EXPECT_EQ(completion.parts.offsets, region.vector_layout(request).offsets);
		EXPECT_EQ(completion.fetch.bytes, buffers[completion.tag].size());
	}
}

TEST_F(VectorSuite, WhatDoesNotFitIsRefusedAsAWhole)
{
	Region region = create({.name = "w", .rows = 10, .cols = 32});
	std::vector<std::byte> buffer(4096);
	const Format two[] = {Format::mxint(4), Format::mxint(2)};
	const Format strange[] = {Format::mxint(4), Format(0x7777)};
	const Format tuned[] = {Format::mxint(4), Format::tuned(4)};
	Queue queue = store.queue();
	const auto errors = region.statistics().errors;

	const auto refused = [&](const VectorRequest &request, Status status, const char *text) {
		EXPECT_ERROR(region.fetch_vector(request, buffer), status, text);
		EXPECT_ERROR(region.vector_layout(request), status, text);
		EXPECT_ERROR(queue.fetch_vector(region, request, buffer), status, text);
	};
	refused({.formats = two, .rows_per_format = 4}, Status::InvalidInput,
		"2 formats; 10 rows in blocks of 4 need 3");
	refused({.formats = two, .rows_per_format = 10}, Status::InvalidInput, "need 1");
	refused({.formats = {}, .rows_per_format = 10}, Status::InvalidInput, "0 formats");
	refused({.formats = two, .rows_per_format = 0}, Status::InvalidInput, "0 rows a format");
	refused({.formats = strange, .rows_per_format = 5}, Status::Format, "7777");
	refused({.formats = tuned, .rows_per_format = 5}, Status::Format, "tuned4");
	refused({.formats = two, .rows_per_format = 5, .rows = {0, 11}}, Status::Range,
		"rows 0:11 out of range");
	refused({.formats = two, .rows_per_format = 5, .rounding = static_cast<Rounding>(9)},
		Status::InvalidInput, "rounding 9");
	EXPECT_ERROR(region.fetch_vector({.formats = two, .rows_per_format = 5},
					 std::span(buffer).first(7)),
		     Status::Length, "buffer of 7 bytes is too short");
	EXPECT_EQ(region.statistics().errors, errors) << "nothing of it reached the store";
	EXPECT_EQ(queue.in_flight(), 0u);
}

TEST_F(VectorSuite, AStaleHandleIsFoundOut)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	Region other = store.region(region.name());
	const Format formats[] = {Format::mxint(4)};
	const VectorRequest request{.formats = formats, .rows_per_format = 4};
	std::vector<std::byte> buffer(region.vector_layout(request).bytes());

	other.remove();
	EXPECT_ERROR(region.fetch_vector(request, buffer), Status::InvalidHandle, region.name());
}

} // namespace sqtest
