// SPDX-License-Identifier: MIT
//
// Regions: creating, finding, listing, sealing, removing
#include "fixture.hpp"

#include <algorithm>

namespace sqtest {

using smartquant::FetchResult;
using smartquant::RegionInfo;
using RegionSuite = SuiteTest;

// bf16 words of one magnitude or the next smaller ones, as weights are.
static std::vector<std::byte> smooth_words(std::size_t count)
{
	std::vector<std::byte> words = sample_words(Dtype::Bf16, count);

	for (std::size_t i = 0; i < count; ++i) {
		// Exponents 122 to 125, each half as often as the next.
		const auto byte = std::to_integer<unsigned int>(words[2 * i + 1]) & 7;
		const unsigned int exponent = byte > 3 ? 125 : byte > 1 ? 124 : byte > 0 ? 123 : 122;

		words[2 * i] = (words[2 * i] & std::byte{0x7f}) |
			       static_cast<std::byte>((exponent & 1) << 7);
		words[2 * i + 1] = (words[2 * i + 1] & std::byte{0x80}) |
				   static_cast<std::byte>(exponent >> 1);
	}
	return words;
}

static FetchResult cost_of(const Region &region, const ReadRequest &request)
{
	std::vector<std::byte> buffer(region.layout(request).bytes);

	return region.fetch(request, buffer);
}

TEST_F(RegionSuite, AFreshRegionIsEmptyAndHasTheShapeThatWasAskedFor)
{
	Region region = create({.name = "w", .dtype = Dtype::Bf16, .rows = 7, .cols = 45});
	const auto info = region.info();

	EXPECT_EQ(info.name, unique("w"));
	EXPECT_EQ(info.rows, 7u);
	EXPECT_EQ(info.cols, 45u);
	EXPECT_EQ(info.dtype, Dtype::Bf16);
	EXPECT_EQ(info.placement, Placement::Aligned);
	EXPECT_EQ(info.precision, Format::native());
	EXPECT_FALSE(info.sealed);
	EXPECT_NE(info.handle, 0u);

	const auto bytes = region.fetch({.format = Format::native()});

	EXPECT_EQ(bytes, std::vector<std::byte>(7 * 45 * 2));
}

TEST_F(RegionSuite, PlacementDefaultsToThatOfTheDtype)
{
	const auto placement = [&](const char *name, Dtype dtype) {
		return create({.name = name, .dtype = dtype, .rows = 2, .cols = 32})
			.info()
			.placement;
	};

	EXPECT_EQ(placement("f", Dtype::Fp32), Placement::Aligned);
	EXPECT_EQ(placement("h", Dtype::Fp16), Placement::Aligned);
	EXPECT_EQ(placement("i", Dtype::Int8), Placement::Word);
	EXPECT_EQ(placement("u", Dtype::U8), Placement::Bytes);
}

TEST_F(RegionSuite, IsFoundByNameAndListed)
{
	create({.name = "one", .rows = 1, .cols = 32});
	create({.name = "two", .rows = 1, .cols = 32});

	EXPECT_EQ(store.region(unique("two")).name(), unique("two"));
	EXPECT_FALSE(store.find_region(unique("three")));
	EXPECT_FALSE(store.find_region(""));
	EXPECT_FALSE(store.find_region(std::string(256, 'x')));

	const auto regions = store.regions();
	const auto listed = [&](const std::string &name) {
		return std::ranges::count(regions, unique(name), &smartquant::RegionInfo::name);
	};

	EXPECT_EQ(listed("one"), 1);
	EXPECT_EQ(listed("two"), 1);
	EXPECT_GE(store.info().regions, 2u);
}

TEST_F(RegionSuite, UnknownNamesAreRefusedByName)
{
	EXPECT_ERROR(store.region("no \"such\" region"), Status::NotFound,
		     "region \"no \\\"such\\\" region\"");
}

TEST_F(RegionSuite, ANameThatExistsIsRefused)
{
	create({.name = "w", .rows = 1, .cols = 32});
	EXPECT_ERROR(create({.name = "w", .rows = 2, .cols = 32}), Status::NameExists, unique("w"));
	EXPECT_EQ(store.region(unique("w")).info().rows, 1u);
}

TEST_F(RegionSuite, NamesAreOneTo255BytesOfUtf8)
{
	const auto with_name = [&](std::string name) {
		store.create_region({.name = std::move(name), .rows = 1, .cols = 32});
	};

	EXPECT_ERROR(with_name(""), Status::Name, "1 to 255 bytes");
	EXPECT_ERROR(with_name(std::string(256, 'x')), Status::Name, "1 to 255 bytes");
	EXPECT_ERROR(with_name("\xff\xfe"), Status::Name, "UTF-8");
	EXPECT_ERROR(with_name("\xc0\x80"), Status::Name, "UTF-8"); // overlong

	std::string longest = unique("\xc3\xa4");

	longest.resize(255, 'x');
	EXPECT_EQ(store.create_region({.name = longest, .rows = 1, .cols = 32}).name(), longest);
}

TEST_F(RegionSuite, ShapesAndPlacementsThatCannotBeAreRefused)
{
	EXPECT_ERROR(create({.name = "w", .rows = 0, .cols = 32}), Status::InvalidInput, "0x32");
	EXPECT_ERROR(create({.name = "w", .rows = 1, .cols = 0}), Status::InvalidInput, "1x0");
	EXPECT_ERROR(create({.name = "w",
			     .dtype = static_cast<Dtype>(77),
			     .rows = 1,
			     .cols = 1}),
		     Status::InvalidInput, "dtype 77");
	EXPECT_ERROR(create({.name = "w",
			     .dtype = Dtype::U8,
			     .rows = 1,
			     .cols = 32,
			     .placement = Placement::Aligned}),
		     Status::Unsupported, "placement aligned");
	EXPECT_FALSE(store.find_region(unique("w")));
}

TEST_F(RegionSuite, ASealedRegionCannotBeStoredTo)
{
	Region region = create({.name = "w", .rows = 2, .cols = 32});
	const auto words = sample_words(Dtype::Bf16, 64);

	region.store(words);
	EXPECT_TRUE(region.info().dirty);
	region.seal();
	region.seal();
	EXPECT_TRUE(region.info().sealed);
	EXPECT_FALSE(region.info().dirty);
	EXPECT_ERROR(region.store(words), Status::Sealed, "is sealed");
	EXPECT_EQ(region.fetch({.format = Format::native()}), words);
}

TEST_F(RegionSuite, APackedRegionTakesLessAndGivesTheSame)
{
	Region region = create({.name = "w", .rows = 130, .cols = 1024});
	const auto words = smooth_words(130 * 1024);

	region.store(words);
	const RegionInfo raw = region.info();
	const FetchResult before = cost_of(region, {.format = Format::mxint(4)});

	EXPECT_EQ(raw.coding, smartquant::Coding::Raw);
	region.pack();
	region.pack();
	const RegionInfo packed = region.info();
	const FetchResult after = cost_of(region, {.format = Format::mxint(4)});

	EXPECT_EQ(packed.coding, smartquant::Coding::Packed);
	EXPECT_TRUE(packed.sealed);
	EXPECT_FALSE(packed.dirty);
	EXPECT_LT(packed.stored_bytes, raw.stored_bytes * 3 / 4);
	EXPECT_LT(after.plane_lines, before.plane_lines * 9 / 10);
	EXPECT_EQ(after.check_lines, 0u);
	EXPECT_EQ(after.baseline_lines, before.baseline_lines);
	EXPECT_EQ(region.fetch({.format = Format::native()}), words);
	EXPECT_EQ(region.verify().runs_bad, 0u);
	EXPECT_ERROR(region.store(words), Status::Sealed, "is sealed");
	region.set_precision(Format::mxint(6));
	EXPECT_EQ(region.info().precision, Format::mxint(6));
}

TEST_F(RegionSuite, OnlyAlignedRegionsCanBePacked)
{
	Region region = create({.name = "w", .rows = 2, .cols = 32, .placement = Placement::Word});
	const auto words = sample_words(Dtype::Bf16, 64);

	region.store(words);
	EXPECT_ERROR(region.pack(), Status::Unsupported, "placement word cannot be packed");
	EXPECT_FALSE(region.info().sealed);
	region.store(words);
}

TEST_F(RegionSuite, ThePrecisionTagIsWhatAReaderGetsWhoAsksForNone)
{
	Region region = create({.name = "w", .rows = 4, .cols = 64});

	region.store(sample_words(Dtype::Bf16, 256));
	EXPECT_EQ(region.layout().format, Format::native());
	region.set_precision(Format::mxint(4));
	EXPECT_EQ(region.info().precision, Format::mxint(4));
	EXPECT_EQ(region.layout().format, Format::mxint(4));
	EXPECT_EQ(region.fetch(), region.fetch({.format = Format::mxint(4)}));
	EXPECT_ERROR(region.set_precision(Format(0x01ff)), Status::Format, "cannot be the precision");
	EXPECT_EQ(region.info().precision, Format::mxint(4));
}

TEST_F(RegionSuite, ARemovedRegionIsGoneForEveryHandle)
{
	Region region = create({.name = "w", .rows = 2, .cols = 32});
	Region other = store.region(unique("w"));

	region.remove();
	EXPECT_FALSE(store.find_region(unique("w")));
	EXPECT_ERROR(region.info(), Status::Closed, "removed");
	EXPECT_ERROR(other.info(), Status::InvalidHandle, unique("w"));
	EXPECT_ERROR(other.fetch({.format = Format::mxint(4)}), Status::InvalidHandle, unique("w"));
	EXPECT_ERROR(other.seal(), Status::InvalidHandle, unique("w"));

	// The slot is used again; the old handle does not reach the new region.
	create({.name = "w", .rows = 9, .cols = 32});
	EXPECT_ERROR(other.info(), Status::InvalidHandle, unique("w"));
}

TEST_F(RegionSuite, MovedFromHandlesAreClosed)
{
	Region region = create({.name = "w", .rows = 1, .cols = 32});
	Region moved = std::move(region);

	EXPECT_EQ(moved.info().rows, 1u);
	EXPECT_ERROR(region.info(), Status::Closed, "region");
	EXPECT_ERROR(region.name(), Status::Closed, "region");
	EXPECT_ERROR(region.fetch(), Status::Closed, "region");
	EXPECT_ERROR(region.remove(), Status::Closed, "region");
}

TEST_F(RegionSuite, MovedFromAndClosedStoresAreClosed)
{
	Store moved = std::move(store);

	EXPECT_ERROR(store.info(), Status::Closed, "store");
	EXPECT_FALSE(moved.info().uri.empty());
	moved.close();
	EXPECT_ERROR(moved.regions(), Status::Closed, "store");
	EXPECT_ERROR(moved.queue(), Status::Closed, "store");
	store = open_store();
}

TEST_F(RegionSuite, RegionsKeepTheStoreOpen)
{
	Region region = create({.name = "w", .rows = 1, .cols = 32});

	store.close();
	EXPECT_EQ(region.info().rows, 1u);
	store = Store(is_card() ? open_store() : Store::open("embedded:", {.size_bytes = 1u << 20}));
	region.remove();
}

TEST_F(RegionSuite, InfoNamesWhatTheStoreOffers)
{
	const auto info = store.info();

	EXPECT_EQ(info.uri, store.uri());
	EXPECT_EQ(info.embedded, !is_card());
	EXPECT_FALSE(info.read_only);
	EXPECT_EQ(info.interface_version, "1.0");
	EXPECT_FALSE(info.firmware.empty());
	EXPECT_GT(info.capacity_bytes, 0u);
	EXPECT_LE(info.used_bytes, info.capacity_bytes);
	for (const Format format : {Format::native(), Format::bf16(), Format::mxint(2), Format::mxint(8)})
		EXPECT_EQ(std::ranges::count(info.formats, format), 1) << format.name();
	for (const Encoding encoding :
	     {Encoding::fp32(), Encoding::ggml(2), Encoding::ggml(3), Encoding::ggml(8)})
		EXPECT_EQ(std::ranges::count(info.encodings, encoding), 1) << encoding.name();
}

TEST_F(RegionSuite, VerifyFindsNothingInAGoodRegion)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 70, .cols = 1000});

	region.store(sample_words(Dtype::Fp32, 70000));
	region.flush();

	double last = -1;
	bool ordered = true;
	const auto result = region.verify({.progress = [&](double done) {
		ordered = ordered && done >= last && done <= 1;
		last = done;
		return true;
	}});

	// Two segments of 33 planes and exponents each, at least.
	EXPECT_GE(result.runs_checked, 2u * 34);
	EXPECT_EQ(result.runs_bad, 0u);
	EXPECT_TRUE(result.bad.empty());
	EXPECT_TRUE(result.complete);
	EXPECT_TRUE(ordered);
	EXPECT_EQ(last, 1.0);
	EXPECT_GE(store.verify().runs_checked, result.runs_checked);
}

} // namespace sqtest
