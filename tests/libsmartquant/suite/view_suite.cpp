// SPDX-License-Identifier: MIT
//
// Views, mapped and cached: the same bytes as a fetch
#include "fixture.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace sqtest {

using smartquant::View;
using ViewSuite = SuiteTest;

static const ReadRequest requests[] = {
	{.format = Format::mxint(4)},
	{.format = Format::mxint(7), .rounding = Rounding::Truncate, .rows = {3, 1200}},
	{.format = Format::mx(9)},
	{.format = Format::native()},
	{.format = Format::planes(5)},
	{.format = Format::mxint(3), .axis = Axis::Col},
	{.format = Format::mx(6), .axis = Axis::Col, .rows = {32, 1299}},
	{.format = Format::ggml(8), .axis = Axis::Col},
};

TEST_F(ViewSuite, MappedCachedAndFetchedBytesAreTheSame)
{
	// So long that a cached view needs several fetches.
	Region region = create({.name = "w", .rows = 1300, .cols = 1050});

	region.store(sample_words(Dtype::Bf16, 1300 * 1050));
	for (const ReadRequest &request : requests) {
		SCOPED_TRACE(request.format.name());
		const auto fetched = region.fetch(request);
		const View mapped = region.map(request);
		const View cached = region.map_cached(request);

		EXPECT_TRUE(std::ranges::equal(mapped.bytes(), fetched));
		EXPECT_TRUE(std::ranges::equal(cached.bytes(), fetched));
		EXPECT_FALSE(mapped.is_cached());
		EXPECT_TRUE(cached.is_cached());
		EXPECT_EQ(mapped.layout().bytes, fetched.size());
		EXPECT_EQ(mapped.layout().format, request.format);
	}
}

// Views that are mapped before a region is packed, and others after.
void expect_views_to_stay(Region region)
{
	for (const bool before : {true, false}) {
		std::vector<View> mapped, cached;
		std::vector<std::vector<std::byte>> fetched;

		for (ReadRequest request : requests) {
			request.rows = {3, region.info().rows};
			mapped.push_back(region.map(request));
			cached.push_back(region.map_cached(request));
			fetched.push_back(region.fetch(request));
		}
		if (before)
			region.pack();
		for (std::size_t i = 0; i < fetched.size(); ++i) {
			SCOPED_TRACE(requests[i].format.name());
			EXPECT_TRUE(std::ranges::equal(mapped[i].bytes(), fetched[i]));
			EXPECT_TRUE(std::ranges::equal(cached[i].bytes(), fetched[i]));
		}
	}
	EXPECT_EQ(region.info().coding, smartquant::Coding::Packed);
}

TEST_F(ViewSuite, ViewsOfARegionStayAsTheyAreWhenItIsPacked)
{
	Region region = create({.name = "w", .rows = 300, .cols = 1050});

	region.store(sample_words(Dtype::Bf16, 300 * 1050));
	expect_views_to_stay(std::move(region));
}

TEST_F(ViewSuite, ViewsOfASmallRegionStayAsTheyAreWhenItIsPacked)
{
	Region region = create({.name = "small", .rows = 40, .cols = 70});

	region.store(sample_words(Dtype::Bf16, 40 * 70));
	expect_views_to_stay(std::move(region));
}

// Small enough for a card that decodes every load by itself.
TEST_F(ViewSuite, AMappedSmallRegionGivesTheBytesOfAFetch)
{
	Region region = create({.name = "small", .rows = 40, .cols = 70});

	region.store(sample_words(Dtype::Bf16, 40 * 70));
	for (ReadRequest request : requests) {
		SCOPED_TRACE(request.format.name());
		request.rows = {3, 39};
		const auto fetched = region.fetch(request);
		const View mapped = region.map(request);

		EXPECT_TRUE(std::ranges::equal(mapped.bytes(), fetched));
	}
}

TEST_F(ViewSuite, ACachedViewFetchesWhatIsAskedForAndOnlyOnce)
{
	Region region = create({.name = "w", .rows = 1300, .cols = 2048});
	const ReadRequest request{.format = Format::mxint(8)};

	region.store(sample_words(Dtype::Bf16, 1300 * 2048));

	const auto fetched = region.fetch(request);
	const View view = region.map_cached(request);

	region.reset_statistics();
	EXPECT_EQ(region.statistics().requests, 0u);
	EXPECT_TRUE(std::ranges::equal(view.codes(700), view.layout().codes(fetched, 700)));
	EXPECT_TRUE(std::ranges::equal(view.scales(700), view.layout().scales(fetched, 700)));

	const auto requests_made = region.statistics().requests;

	EXPECT_GE(requests_made, 1u);
	EXPECT_EQ(view.codes(701).size(), 2048u);
	EXPECT_EQ(region.statistics().requests, requests_made);
	EXPECT_LT(region.statistics().elements, 1300u * 2048);
	EXPECT_TRUE(std::ranges::equal(view.bytes(), fetched));
	EXPECT_EQ(region.statistics().elements, 1300u * 2048);
}

TEST_F(ViewSuite, AMappedViewFollowsItsRegionAndACachedOneDoesNot)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 2, .cols = 32});
	const std::vector<float> ones(64, 1.0f), twos(64, 2.0f);

	region.store(words_of(ones));

	const ReadRequest request{.format = Format::mxint(8)};
	const View mapped = region.map(request);
	const View cached = region.map_cached(request);
	std::vector<float> values(64);

	EXPECT_EQ(mapped.bytes().size(), cached.bytes().size());
	region.store(words_of(twos));
	mapped.decode({}, values);
	EXPECT_EQ(values, twos);
	cached.decode({}, values);
	EXPECT_EQ(values, ones);
}

TEST_F(ViewSuite, RowsDecodeToTheValuesOfTheFetch)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 40, .cols = 100});

	region.store(sample_words(Dtype::Fp32, 4000));

	const auto expected = region.fetch_values({.format = Format::mxint(6)});
	const View view = region.map({.format = Format::mxint(6)});
	std::vector<float> values(300);

	view.decode({10, 13}, values);
	EXPECT_TRUE(std::ranges::equal(values, std::span(expected).subspan(1000, 300)));
	EXPECT_ERROR(view.decode({10, 14}, values), Status::Length, "400 are needed");
	EXPECT_ERROR(view.decode({39, 41}, values), Status::Range, "rows 39:41");
	EXPECT_ERROR(view.codes(40), Status::Range, "row 40 out of range");
}

TEST_F(ViewSuite, TunedCodesDecodeWithTheLevelsOfTheirRegion)
{
	Region region = create({.name = "w", .rows = 40, .cols = 100, .placement = Placement::Tuned});
	const auto words = sample_words(Dtype::Bf16, 4000);

	region.store(words);
	EXPECT_EQ(region.fetch(), words);
	for (unsigned int bits = 2; bits <= 8; ++bits) {
		const ReadRequest request{.format = Format::tuned(bits)};
		const auto codes = region.fetch(request);
		const auto layout = region.layout(request);
		const auto levels = region.levels(bits);
		std::vector<float> values(4000), again(4000);

		ASSERT_EQ(levels.size(), std::size_t{1} << bits);
		EXPECT_TRUE(std::ranges::is_sorted(levels));
		EXPECT_ERROR(decode(layout, codes, {}, values), Status::Format, "tuned");
		EXPECT_ERROR(decode(layout, codes, {}, std::span(levels).first(3), values),
			     Status::Length, "levels");
		decode(layout, codes, {}, levels, values);
		EXPECT_EQ(values, region.fetch_values(request));
		region.map(request).decode({}, again);
		EXPECT_EQ(values, again);
		region.map_cached(request).decode({}, again);
		EXPECT_EQ(values, again);
	}
	EXPECT_ERROR(region.levels(9), Status::Format, "");
	Region aligned = create({.name = "aligned", .rows = 1, .cols = 1});
	EXPECT_ERROR(aligned.levels(4), Status::Format, "");
}

// The order of additions that multiply() promises.
static float product(std::span<const float> row, std::span<const float> x)
{
	float lanes[16] = {};

	for (std::size_t i = 0; i < row.size(); ++i)
		lanes[i % 16] += row[i] * x[i];
	for (std::size_t half = 8; half; half /= 2)
		for (std::size_t lane = 0; lane < half; ++lane)
			lanes[lane] += lanes[lane + half];
	return lanes[0];
}

TEST_F(ViewSuite, MultipliesBitForBitAsPromised)
{
	for (const std::uint32_t cols : {1u, 15u, 32u, 100u, 1537u}) {
		Region region = create({.name = "w", .rows = 9, .cols = cols});

		region.store(sample_words(Dtype::Bf16, 9 * cols));
		for (const Format format : {Format::mxint(4), Format::mx(9), Format::native(),
					    Format::mxfp8_e4m3(), Format::ggml(8)}) {
			const auto values = region.fetch_values({.format = format});
			const View view = region.map_cached({.format = format});
			std::vector<float> x(cols), y(9);

			for (std::uint32_t i = 0; i < cols; ++i)
				x[i] = std::sin(static_cast<float>(i));
			view.multiply({}, x, y);
			for (std::uint32_t row = 0; row < 9; ++row)
				EXPECT_EQ(y[row],
					  product(std::span(values).subspan(row * cols, cols), x))
					<< format.name() << " row " << row;
		}
		region.remove();
	}
}

TEST_F(ViewSuite, MultiplyRefusesVectorsThatAreTooShort)
{
	Region region = create({.name = "w", .rows = 4, .cols = 40});
	const View view = region.map({.format = Format::mxint(4)});
	std::vector<float> x(40), y(4);

	EXPECT_ERROR(view.multiply({}, std::span(x).first(39), y), Status::Length, "vector x");
	EXPECT_ERROR(view.multiply({}, x, std::span(y).first(3)), Status::Length, "vector y");
	EXPECT_ERROR(view.multiply({2, 5}, x, y), Status::Range, "rows 2:5");
}

TEST_F(ViewSuite, AMappedRegionCannotBeRemoved)
{
	Region region = create({.name = "w", .rows = 4, .cols = 40});
	View view = region.map({.format = Format::mxint(4)});

	EXPECT_EQ(region.info().views, 1u);
	EXPECT_ERROR(region.remove(), Status::InUse, "views");
	view.unmap();
	EXPECT_EQ(region.info().views, 0u);
	EXPECT_ERROR(view.bytes(), Status::Closed, "view");
	EXPECT_ERROR(view.unmap(), Status::Closed, "view");
	region.remove();
}

TEST_F(ViewSuite, ACachedViewOfARemovedRegionSaysSo)
{
	Region region = create({.name = "w", .rows = 4, .cols = 40});
	const View view = region.map_cached({.format = Format::mxint(4)});

	region.remove();
	EXPECT_ERROR(view.bytes(), Status::InvalidHandle, "does not exist any more");
}

TEST_F(ViewSuite, ManyViewsAreServedUntilTheStoreHasNoMore)
{
	Region region = create({.name = "w", .rows = 4, .cols = 40});
	std::vector<View> views;
	const auto limit = store.info().views_max;
	const auto thrown = thrown_by([&] {
		while (views.size() <= limit)
			views.push_back(region.map({.format = Format::mxint(4)}));
	});

	EXPECT_EQ(thrown.status, Status::ResourcesExhausted) << thrown.message;
	EXPECT_EQ(views.size(), limit);
	views.pop_back();
	EXPECT_NO_THROW(views.push_back(region.map({.format = Format::mxint(5)})));
}

TEST_F(ViewSuite, ThreadsMayShareACachedView)
{
	Region region = create({.name = "w", .rows = 1300, .cols = 2048});

	region.store(sample_words(Dtype::Bf16, 1300 * 2048));

	const ReadRequest request{.format = Format::mxint(4)};
	const auto fetched = region.fetch(request);
	const View view = region.map_cached(request);
	std::atomic<unsigned int> wrong = 0;
	std::vector<std::thread> threads;

	for (std::uint32_t thread = 0; thread < 4; ++thread)
		threads.emplace_back([&, thread] {
			for (std::uint32_t row = 0; row < 1300; ++row) {
				const std::uint32_t mixed = (row * 7 + thread * 331) % 1300;

				wrong += !std::ranges::equal(view.codes(mixed),
							     view.layout().codes(fetched, mixed));
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(wrong, 0u);
}

} // namespace sqtest
