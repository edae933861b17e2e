// SPDX-License-Identifier: MIT
//
// Loading model files: what a good file becomes, and that a bad one leaves
// nothing behind.
#include <smartquant/model.hpp>
#include <smartquant/smartquant.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model_file.hpp"

using namespace testing_models;
namespace sq = smartquant;

namespace {

class Load : public ::testing::Test {
protected:
	std::filesystem::path write(const Bytes &bytes, const std::string &name = "model.gguf")
	{
		const auto path = std::filesystem::path(::testing::TempDir()) /
				  (::testing::UnitTest::GetInstance()->current_test_info()->name() + name);
		write_file(path, bytes);
		files_.push_back(path);
		return path;
	}

	sq::model::LoadReport load(const Bytes &bytes, sq::model::LoadOptions options = {})
	{
		if (options.name.empty())
			options.name = "m";
		return sq::model::load(store_, write(bytes), options);
	}

	/// The message of the refusal; checks that the store is as before.
	std::string refusal(const Bytes &bytes, sq::model::LoadOptions options = {})
	{
		const size_t regions = store_.regions().size();
		const uint64_t used = store_.info().used_bytes;
		std::string message;
		try {
			load(bytes, std::move(options));
		} catch (const sq::Error &error) {
			message = error.what();
		}
		EXPECT_EQ(store_.regions().size(), regions);
		EXPECT_EQ(store_.info().used_bytes, used);
		EXPECT_EQ(message.find('\n'), std::string::npos);
		return message;
	}

	void TearDown() override
	{
		for (const auto &file : files_)
			std::filesystem::remove(file);
	}

	sq::Store store_ = sq::Store::open("embedded:", {.size_bytes = 64u << 20});
	std::vector<std::filesystem::path> files_;
};

#define EXPECT_REFUSED(bytes, part) \
	EXPECT_NE(refusal(bytes).find(part), std::string::npos) << refusal(bytes)

Bytes native(const sq::Store &store, const std::string &name)
{
	const auto bytes = store.region(name).fetch({.format = sq::Format::native()});
	return Bytes(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

// ------------------------------------------------------------ good files

TEST_F(Load, GgufFloatsAreKeptBitByBit)
{
	const Gguf gguf = small_gguf();
	load(gguf.file());
	EXPECT_EQ(native(store_, "m/blk.0.attn_norm.weight"), gguf.tensors[1].data);
	EXPECT_EQ(native(store_, "m/blk.0.ffn_up.weight"), gguf.tensors[2].data);
	EXPECT_EQ(native(store_, "m/blk.0.experts.weight"), gguf.tensors[3].data);
	EXPECT_EQ(native(store_, "m/blk.0.ids"), gguf.tensors[4].data);
}

TEST_F(Load, GgufBlockTypesBecomeBf16)
{
	const auto report = load(small_gguf().file());
	const sq::Region region = store_.region("m/token_embd.weight");
	const sq::RegionInfo info = region.info();
	EXPECT_EQ(info.dtype, sq::Dtype::Bf16);
	EXPECT_EQ(info.rows, 48u);
	EXPECT_EQ(info.cols, 64u);
	const std::vector<float> values = region.fetch_values({.format = sq::Format::native()});
	for (size_t i = 0; i < values.size(); i++) {
		const auto code = static_cast<int8_t>(i / 32 * 7 + i % 32 - 16);
		ASSERT_EQ(values[i], static_cast<float>(code) / 64) << i;
	}
	EXPECT_EQ(report.rounded_tensors, 0u);	// 8-bit codes fit
}

TEST_F(Load, ShapesBecomeRowsOfTheInnermostDimension)
{
	load(small_gguf().file());
	const sq::RegionInfo experts = store_.region("m/blk.0.experts.weight").info();
	EXPECT_EQ(experts.rows, 15u);
	EXPECT_EQ(experts.cols, 33u);
	const sq::model::Header header = sq::model::read_header(store_, "m");
	ASSERT_EQ(header.tensors.size(), 6u);
	EXPECT_EQ(header.tensors[3].shape, (std::vector<uint64_t>{3, 5, 33}));
	EXPECT_EQ(header.architecture, "llama");
	EXPECT_EQ(header.tensors[0].type, "q8_0");
}

TEST_F(Load, HeaderIsKeptByteForByte)
{
	const Gguf gguf = small_gguf();
	load(gguf.file());
	const Bytes kept = native(store_, "m/.header");
	const Bytes header = gguf.header();
	EXPECT_EQ(kept.substr(0, header.size()), header);
	EXPECT_EQ(kept.find_first_not_of('\0', header.size()), Bytes::npos);
}

TEST_F(Load, EverythingLoadedIsSealedAndReported)
{
	const auto report = load(small_gguf().file());
	for (const sq::RegionInfo &info : store_.regions())
		EXPECT_TRUE(info.sealed) << info.name;
	EXPECT_EQ(report.tensors, 6u);
	EXPECT_EQ(report.elements, 48u * 64 + 64 + 40 * 64 + 15 * 33);
	EXPECT_EQ(report.kept_as_bytes, std::vector<std::string>{"blk.0.ids"});
	EXPECT_EQ(report.empty, std::vector<std::string>{"blk.0.empty"});
	EXPECT_TRUE(report.non_finite.empty());
	const auto models = sq::model::list(store_);
	ASSERT_EQ(models.size(), 1u);
	EXPECT_TRUE(models[0].complete);
	EXPECT_EQ(models[0].regions, 5u);
	EXPECT_EQ(models[0].stored_bytes, report.stored_bytes);
}

TEST_F(Load, OtherDtypesAreRoundedAndSaySo)
{
	const auto report = load(small_gguf().file(), {.dtype = sq::model::LoadDtype::Bf16});
	EXPECT_EQ(report.rounded_tensors, 2u);	// the two of fp32
	EXPECT_GT(report.max_rounding_error, 0.0f);
	EXPECT_LE(report.max_rounding_error, std::ldexp(1.0f, -8));
	EXPECT_EQ(store_.region("m/blk.0.attn_norm.weight").info().dtype, sq::Dtype::Bf16);
}

TEST_F(Load, SourceRoundsNothing)
{
	const auto report = load(small_gguf().file(), {.dtype = sq::model::LoadDtype::Source});
	EXPECT_EQ(report.rounded_tensors, 0u);
	EXPECT_EQ(store_.region("m/token_embd.weight").info().dtype, sq::Dtype::Fp32);
	EXPECT_EQ(store_.region("m/blk.0.ffn_up.weight").info().dtype, sq::Dtype::Bf16);
}

TEST_F(Load, NonFiniteTensorGetsPlacementWord)
{
	Gguf gguf = small_gguf();
	std::vector<float> values = weights(64);
	values[63] = std::numeric_limits<float>::quiet_NaN();
	gguf.tensors[1].data = as_bytes(values);
	const auto report = load(gguf.file());
	EXPECT_EQ(report.non_finite, std::vector<std::string>{"blk.0.attn_norm.weight"});
	const sq::Region region = store_.region("m/blk.0.attn_norm.weight");
	EXPECT_EQ(region.info().placement, sq::Placement::Word);
	EXPECT_EQ(native(store_, "m/blk.0.attn_norm.weight"), gguf.tensors[1].data);
}

TEST_F(Load, TensorOfManyBlocksOfRowsIsWhole)
{
	Gguf gguf;
	const auto values = weights(3000 * 3001, 7);
	gguf.tensors = {{"w", {3001, 3000}, 0, as_bytes(values)}};
	uint64_t last = 0;
	sq::model::LoadOptions options;
	options.progress = [&](const sq::model::LoadProgress &progress) {
		EXPECT_GT(progress.bytes, last);
		last = progress.bytes;
		EXPECT_EQ(progress.bytes_total, values.size() * 4);
		return true;
	};
	sq::Store store = sq::Store::open("embedded:", {.size_bytes = 128u << 20});
	options.name = "m";
	sq::model::load(store, write(gguf.file()), options);
	EXPECT_EQ(last, values.size() * 4);
	EXPECT_EQ(native(store, "m/w"), gguf.tensors[0].data);
}

TEST_F(Load, SafetensorsIsLoaded)
{
	const Safetensors file = small_safetensors();
	const auto report = load(file.file());
	EXPECT_EQ(report.kind, sq::model::FileKind::Safetensors);
	EXPECT_EQ(native(store_, "m/dense.weight"), file.data.substr(0, 768));
	EXPECT_EQ(native(store_, "m/emb"), file.data.substr(768, 660));
	EXPECT_EQ(native(store_, "m/position_ids"), file.data.substr(1428));
	EXPECT_EQ(store_.region("m/emb").info().rows, 10u);
	EXPECT_EQ(report.empty, std::vector<std::string>{"none"});
	EXPECT_EQ(sq::model::read_header(store_, "m").tensors[1].shape,
		  (std::vector<uint64_t>{2, 5, 33}));
}

TEST_F(Load, NameComesFromTheFile)
{
	const auto path = write(small_gguf().file(), ".Q8_0.gguf");
	EXPECT_EQ(sq::model::load(store_, path).name, path.stem().string());
}

// ------------------------------------------------- life of a loaded model

TEST_F(Load, SameNameTwiceIsRefused)
{
	load(small_gguf().file());
	EXPECT_REFUSED(small_gguf().file(), "\"m\"");
}

TEST_F(Load, StoppedLoadLeavesNothing)
{
	sq::model::LoadOptions options;
	options.progress = [](const sq::model::LoadProgress &progress) {
		return progress.tensor != "blk.0.ffn_up.weight";
	};
	EXPECT_NE(refusal(small_gguf().file(), options).find("stopped"), std::string::npos);
}

TEST_F(Load, FullStoreLeavesNothing)
{
	Gguf gguf = small_gguf();
	gguf.tensors.push_back({"big", {1024, 1024}, 0, as_bytes(weights(1024 * 1024))});
	store_ = sq::Store::open("embedded:", {.size_bytes = 2u << 20});
	EXPECT_NE(refusal(gguf.file()), "");
}

TEST_F(Load, UnsealedHeaderIsAnIncompleteModel)
{
	load(small_gguf().file());
	store_.region("m/.header").remove();
	store_.create_region({.name = "m/.header", .dtype = sq::Dtype::U8, .rows = 1, .cols = 4096});
	const auto models = sq::model::list(store_);
	ASSERT_EQ(models.size(), 1u);
	EXPECT_FALSE(models[0].complete);
	EXPECT_REFUSED(small_gguf().file(), "incomplete");
	EXPECT_EQ(sq::model::remove(store_, "m"), 6u);
	EXPECT_TRUE(store_.regions().empty());
	load(small_gguf().file());
}

TEST_F(Load, RemoveTakesOnlyItsModel)
{
	load(small_gguf().file());
	load(small_gguf().file(), {.name = "m2"});
	store_.create_region({.name = "m", .dtype = sq::Dtype::Bf16, .rows = 1, .cols = 1});
	EXPECT_EQ(sq::model::remove(store_, "m"), 6u);
	EXPECT_EQ(store_.regions().size(), 7u);
	EXPECT_THROW(sq::model::remove(store_, "m"), sq::Error);
}

TEST_F(Load, RemoveWithAMappedViewRemovesNothing)
{
	load(small_gguf().file());
	{
		const sq::View view = store_.region("m/blk.0.ffn_up.weight").map();
		EXPECT_THROW(sq::model::remove(store_, "m"), sq::Error);
		EXPECT_EQ(store_.regions().size(), 6u);
	}
	EXPECT_EQ(sq::model::remove(store_, "m"), 6u);
}

// ------------------------------------------------------------- bad files

TEST_F(Load, FileCutAnywhereIsRefused)
{
	for (const Bytes &whole : {small_gguf().file(), small_safetensors().file()}) {
		const size_t step = 7;
		for (size_t bytes = 0; bytes < whole.size(); bytes += bytes < 900 ? 1 : step)
			ASSERT_NE(refusal(whole.substr(0, bytes)), "") << bytes;
	}
}

TEST_F(Load, FlippedBytesNeverBreakTheStore)
{
	// What a flip yields may be a good file; it must be loaded whole or not
	// at all.
	const Bytes whole = small_gguf().file();
	const size_t header = small_gguf().header().size();
	for (size_t i = 0; i < header; i++) {
		Bytes bytes = whole;
		bytes[i] = static_cast<char>(bytes[i] ^ 0xff);
		try {
			load(bytes);
			sq::model::remove(store_, "m");
		} catch (const sq::Error &) {
		}
		ASSERT_TRUE(store_.regions().empty()) << i;
	}
}

TEST_F(Load, WrongMagicAndVersionAreRefused)
{
	Gguf gguf = small_gguf();
	gguf.version = 1;
	EXPECT_REFUSED(gguf.file(), "version 1");
	gguf.version = 4;
	EXPECT_REFUSED(gguf.file(), "version 4");
	gguf.version = 3u << 24;
	EXPECT_REFUSED(gguf.file(), "big-endian");
	EXPECT_REFUSED(Bytes("hello, this is no model at all"), "is no GGUF file");
	EXPECT_REFUSED(Bytes(), "too few");
}

TEST_F(Load, HugeCountsAreRefused)
{
	for (const uint64_t count : {uint64_t{65537}, uint64_t{1} << 40, UINT64_MAX}) {
		Gguf gguf = small_gguf();
		gguf.tensor_count = count;
		EXPECT_REFUSED(gguf.file(), "tensors");
		gguf = small_gguf();
		gguf.entry_count = count;
		EXPECT_REFUSED(gguf.file(), "metadata entries");
	}
}

TEST_F(Load, HugeArraysAndStringsAreRefused)
{
	for (const uint64_t count : {uint64_t{1} << 33, uint64_t{1} << 61, UINT64_MAX}) {
		for (const uint32_t type : {0u, 4u, 8u, 12u}) {
			Gguf gguf = small_gguf();
			Bytes entry;
			put_text(entry, "list");
			put<uint32_t>(entry, 9);
			put<uint32_t>(entry, type);
			put<uint64_t>(entry, count);
			gguf.add_raw(entry);
			EXPECT_NE(refusal(gguf.file()), "") << type;
		}
		Gguf gguf = small_gguf();
		Bytes entry;
		put<uint64_t>(entry, count);
		gguf.add_raw(entry);
		EXPECT_REFUSED(gguf.file(), "metadata key");
	}
}

TEST_F(Load, WrongMetadataIsRefused)
{
	const auto entry = [](const std::string &key, uint32_t type) {
		Bytes bytes;
		put_text(bytes, key);
		put<uint32_t>(bytes, type);
		put<uint64_t>(bytes, 0);
		return bytes;
	};
	Gguf gguf = small_gguf();
	gguf.add_raw(entry("x", 13));
	EXPECT_REFUSED(gguf.file(), "unknown type 13");
	gguf = small_gguf();
	gguf.add_raw(entry("x", 9) + Bytes("\0\0\0\0", 4));	// array of u8, 0 values
	load(gguf.file());
	sq::model::remove(store_, "m");
	gguf = small_gguf();
	gguf.add_u32("llama.block_count", 2);
	EXPECT_REFUSED(gguf.file(), "twice");
	gguf = small_gguf();
	gguf.add_u32("\xff\xfe", 2);
	EXPECT_REFUSED(gguf.file(), "UTF-8");
	gguf = small_gguf();
	Bytes nested;
	put_text(nested, "nested");
	put<uint32_t>(nested, 9);
	put<uint32_t>(nested, 9);
	put<uint64_t>(nested, 1);
	gguf.add_raw(nested);
	EXPECT_REFUSED(gguf.file(), "array in an array");
}

TEST_F(Load, WrongAlignmentIsRefused)
{
	for (const uint32_t alignment : {0u, 3u, 48u, 0x80000000u}) {
		Gguf gguf = small_gguf();
		gguf.add_u32("general.alignment", alignment);
		EXPECT_REFUSED(gguf.file(), "general.alignment");
	}
	Gguf gguf = small_gguf();
	gguf.add_text("general.alignment", "32");
	EXPECT_REFUSED(gguf.file(), "general.alignment");
	gguf = small_gguf();
	gguf.add_u32("general.alignment", 64);
	gguf.alignment = 64;
	load(gguf.file());
}

TEST_F(Load, WrongTensorsAreRefused)
{
	const auto with = [](const std::function<void(GgufTensor &)> &change) {
		Gguf gguf = small_gguf();
		change(gguf.tensors[1]);
		return gguf.file();
	};
	EXPECT_REFUSED(with([](GgufTensor &t) { t.offset = 8; }), "alignment");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.offset = 0; }), "overlap");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.offset = 32; }), "overlap");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.offset = UINT64_MAX - 31; }), "truncated");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.offset = 1u << 20; }), "truncated");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.type = 200; }), "unknown type 200");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.type = 16; }), "iq2_xxs");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.type = 2, t.dimensions = {48}; }), "blocks of 32");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = ""; }), "named");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = "a\nb"; }), "named");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = Bytes("a\0b", 3); }), "named");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = "\xc3\x28"; }), "UTF-8");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = "\xed\xa0\x80"; }), "UTF-8");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = std::string(300, 'a'); }), "300 bytes");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = std::string(254, 'a'); }), "255 bytes");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = "token_embd.weight"; }), "twice");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.name = ".header"; }), "reserved");
	EXPECT_REFUSED(with([](GgufTensor &t) { t.dimensions = {64, 1, 1, 1, 1}; }), "5 dimensions");
}

TEST_F(Load, OverflowingShapesAreRefused)
{
	const uint64_t half = uint64_t{1} << 32;
	for (const std::vector<uint64_t> &shape : std::vector<std::vector<uint64_t>>{
		     {half}, {UINT64_MAX}, {2, half, half}, {2, half, half, 2}, {UINT64_MAX, UINT64_MAX},
		     {0xffffffff, 0xffffffff}, {0xffffffe0, 0xffffffe0}, {half / 2, half / 2}}) {
		for (const uint32_t type : {0u, 8u, 26u, 30u}) {
			Gguf gguf = small_gguf();
			gguf.tensors[1].dimensions = shape;
			gguf.tensors[1].type = type;
			EXPECT_NE(refusal(gguf.file()), "");
		}
	}
}

TEST_F(Load, WrongSafetensorsAreRefused)
{
	const auto with = [](const std::string &from, const std::string &to) {
		Safetensors file = small_safetensors();
		const size_t at = file.json.find(from);
		EXPECT_NE(at, std::string::npos) << from;
		file.json.replace(at, from.size(), to);
		return file.file();
	};
	EXPECT_REFUSED(with("[6,32]", "[6,33]"), "take 792 bytes");
	EXPECT_REFUSED(with("[6,32]", "[-6,32]"), "negative");
	EXPECT_REFUSED(with("[6,32]", "[6.0,32]"), "fraction");
	EXPECT_REFUSED(with("[6,32]", "[18446744073709551615,18446744073709551615]"), "rows and columns");
	EXPECT_REFUSED(with("[6,32]", "[[6],32]"), "array");
	EXPECT_REFUSED(with("[6,32]", "\"6\""), "string");
	EXPECT_REFUSED(with("[6,32]", "{}"), "object");
	EXPECT_REFUSED(with("[6,32]", "[6,32,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), "more than 16");
	EXPECT_REFUSED(with("[0,768]", "[0,768,1]"), "more than 2");
	EXPECT_REFUSED(with("[0,768]", "[768]"), "two data_offsets");
	EXPECT_REFUSED(with("[0,768]", "[768,0]"), "take 768 bytes");
	EXPECT_REFUSED(with("[0,768]", "[4,772]"), "overlap");
	EXPECT_REFUSED(with("\"F32\",\"shape\":[6", "\"F31\",\"shape\":[6"), "unknown type");
	EXPECT_REFUSED(with("\"emb\"", "\"dense.weight\""), "twice");
	EXPECT_REFUSED(with("\"emb\"", "\"\""), "named");
	EXPECT_REFUSED(with("\"dtype\":\"BF16\",", ""), "without exactly");
	EXPECT_REFUSED(with("\"pt\"", "7"), "number");
	EXPECT_REFUSED(with("}}  ", "}"), "no JSON");
	EXPECT_REFUSED(with("}}  ", "}}x "), "no JSON");
	EXPECT_REFUSED(with("\"emb\"", "\"\xff\""), "no JSON");
	Safetensors file = small_safetensors();
	file.data += "tail";
	EXPECT_REFUSED(file.file(), "belong to no tensor");
	file = small_safetensors();
	for (const uint64_t length : {uint64_t{1} << 40, UINT64_MAX, uint64_t{100'000'001}}) {
		file.json_bytes = length;
		EXPECT_REFUSED(file.file(), "claims a header");
	}
	file = small_safetensors();
	file.json = std::string(100'000, '[');
	EXPECT_REFUSED(file.file(), "array");
}

TEST_F(Load, UnfitModelNamesAreRefused)
{
	for (const char *name : {"a/b", "a*", "a?", "[a]", "a\tb", "\xff"})
		EXPECT_NE(refusal(small_gguf().file(), {.name = name}).find("model name"), std::string::npos);
}

TEST_F(Load, WhatIsNoFileIsRefused)
{
	EXPECT_THROW(sq::model::load(store_, "/nonexistent.gguf"), sq::Error);
	EXPECT_THROW(sq::model::load(store_, ::testing::TempDir()), sq::Error);
	EXPECT_THROW(sq::model::load(store_, "/dev/zero"), sq::Error);
}

// ------------------------------------------------- activation statistics

// As llama.cpp's importance matrices have them, beside a tensor by its plain name.
Gguf small_statistics()
{
	std::vector<float> up(64), embedding(64);
	for (size_t i = 0; i < 64; i++) {
		up[i] = i % 2 == 0 ? 1.0f : 0.0f;
		embedding[i] = i < 32 ? 0.5f : 2.0f;
	}
	Gguf gguf;
	gguf.add_text("general.type", "imatrix");
	gguf.tensors = {
		{"blk.0.ffn_up.weight.in_sum2", {64, 2}, 0, as_bytes(up) + as_bytes(up)},
		{"blk.0.ffn_up.weight.counts", {1, 2}, 0, as_bytes({7, 7})},
		{"token_embd.weight", {64}, 0, as_bytes(embedding)},
	};
	return gguf;
}

TEST_F(Load, StatisticsShapeTheCodebooksOfTheirTensors)
{
	const auto statistics = write(small_statistics().file(), "statistics.gguf");
	load(small_gguf().file(), {.name = "plain", .placement = sq::Placement::Tuned});
	const auto report =
		load(small_gguf().file(), {.placement = sq::Placement::Tuned, .importance = statistics});
	EXPECT_EQ(report.weighted_tensors, 2u);
	const auto levels = [&](const char *name) { return store_.region(name).levels(4); };
	EXPECT_NE(levels("m/blk.0.ffn_up.weight"), levels("plain/blk.0.ffn_up.weight"));
	EXPECT_NE(levels("m/token_embd.weight"), levels("plain/token_embd.weight"));
	EXPECT_EQ(levels("m/blk.0.experts.weight"), levels("plain/blk.0.experts.weight"));
	for (const char *name : {"blk.0.ffn_up.weight", "token_embd.weight", "blk.0.experts.weight"})
		EXPECT_EQ(native(store_, std::string("m/") + name), native(store_, std::string("plain/") + name));
	// What the loader takes out of the file is what a store takes by itself.
	sq::Region region = store_.create_region(
		{.name = "w", .rows = 40, .cols = 64, .placement = sq::Placement::Tuned});
	std::vector<float> importance(64);
	for (size_t i = 0; i < 64; i++)
		importance[i] = i % 2 == 0 ? 2.0f : 0.0f;
	const Bytes words = small_gguf().tensors[2].data;
	region.store({.importance = importance}, std::as_bytes(std::span(words)));
	EXPECT_EQ(region.levels(4), levels("m/blk.0.ffn_up.weight"));
}

TEST_F(Load, StatisticsThatDoNotFitAreRefusedAndNothingStays)
{
	const auto refused = [&](Gguf statistics, sq::Placement placement = sq::Placement::Tuned) {
		const auto file = write(statistics.file(), "statistics.gguf");
		return refusal(small_gguf().file(), {.placement = placement, .importance = file});
	};
	const auto expect = [](const std::string &message, const char *part) {
		EXPECT_NE(message.find(part), std::string::npos) << message;
	};
	expect(refused(small_statistics(), sq::Placement::Aligned), "tuned only");
	Gguf short_rows = small_statistics();
	short_rows.tensors[0] = {"blk.0.ffn_up.weight", {32}, 0, as_bytes(std::vector<float>(32, 1.0f))};
	expect(refused(short_rows), "of 32 columns of f32");
	Gguf negative = small_statistics();
	negative.tensors[2].data = as_bytes(std::vector<float>(64, -1.0f));
	expect(refused(negative), "importance of column 0");
	Gguf foreign = small_statistics();
	foreign.magic = "GGML";
	expect(refused(foreign), "is no GGUF file");
	expect(refusal(small_gguf().file(), {.placement = sq::Placement::Tuned, .importance = "/nonexistent"}),
	       "/nonexistent");
}

// ---------------------------------------------------------------- export

Bytes exported(const sq::Store &store, const sq::model::ExportOptions &options,
	       sq::model::ExportReport *report = nullptr)
{
	Bytes file;
	const auto done = sq::model::export_gguf(store, "m", options, [&](std::span<const std::byte> piece) {
		file.append(reinterpret_cast<const char *>(piece.data()), piece.size());
	});
	EXPECT_EQ(done.bytes, file.size());
	EXPECT_EQ(file.size() % 32, 0u);
	if (report)
		*report = done;
	return file;
}

TEST_F(Load, AnExportOfTheStoredTypesIsTheFileItCameFrom)
{
	Gguf gguf = small_gguf();
	gguf.add_u32("general.file_type", 0);
	gguf.tensors[0] = {"token_embd.weight", {64, 48}, 0, as_bytes(weights(64 * 48))};
	Bytes file = gguf.file();
	file.resize(gguf.aligned(file.size()), '\0');
	load(file);
	EXPECT_EQ(exported(store_, {}), file);
}

TEST_F(Load, AnExportLoadsAgainWithTheValuesOfTheFormat)
{
	load(small_gguf().file());
	for (const char *format : {"ggml_q8_0", "ggml_q4_0", "ggml_mxfp4", "fp16", "bf16", "fp32", "mxint4",
				   "mx6", "mxfp6_e2m3"}) {
		SCOPED_TRACE(format);
		const auto asked = sq::Format::parse(format);
		sq::model::ExportReport report;
		const Bytes file = exported(store_, {.format = asked}, &report);
		sq::Store second = sq::Store::open("embedded:", {.size_bytes = 64u << 20});
		sq::model::load(second, write(file), {.name = "m", .dtype = sq::model::LoadDtype::Source});
		const auto values = [&](const sq::Store &store, const char *name, sq::Format of) {
			return store.region(name).fetch_values({.format = of});
		};
		const auto same = [&](const char *name, sq::Format of) {
			EXPECT_EQ(values(second, name, sq::Format::native()), values(store_, name, of)) << name;
		};
		same("m/token_embd.weight", asked);
		same("m/blk.0.ffn_up.weight", asked);
		same("m/blk.0.attn_norm.weight", sq::Format::native());
		// Rows of 33 are no whole blocks.
		const bool blocks = std::string_view(format).starts_with("ggml_");
		same("m/blk.0.experts.weight", blocks ? sq::Format::native() : asked);
		EXPECT_EQ(report.kept.size(), format == std::string_view("fp32") ? 0u : blocks ? 2u : 1u);
		EXPECT_EQ(native(second, "m/blk.0.ids"), native(store_, "m/blk.0.ids"));
		const auto header = sq::model::read_header(second, "m");
		EXPECT_EQ(header.architecture, "llama");
		ASSERT_EQ(header.tensors.size(), 6u);
		EXPECT_EQ(header.tensors[3].shape, (std::vector<uint64_t>{3, 5, 33}));
		EXPECT_EQ(header.tensors[5].shape, (std::vector<uint64_t>{7, 0}));
	}
}

TEST_F(Load, ATunedModelIsExportedDecoded)
{
	load(small_gguf().file(), {.placement = sq::Placement::Tuned});
	const Bytes file = exported(store_, {.format = sq::Format::tuned(5), .decoded = sq::Dtype::Bf16});
	sq::Store second = sq::Store::open("embedded:", {.size_bytes = 64u << 20});
	sq::model::load(second, write(file), {.name = "m"});
	const sq::Region region = second.region("m/blk.0.ffn_up.weight");
	EXPECT_EQ(region.info().dtype, sq::Dtype::Bf16);
	const auto got = region.fetch_values({.format = sq::Format::native()});
	const auto asked = store_.region("m/blk.0.ffn_up.weight").fetch_values({.format = sq::Format::tuned(5)});
	for (size_t i = 0; i < asked.size(); i++)
		ASSERT_NEAR(got[i], asked[i], std::fabs(asked[i]) / 256) << i;
}

TEST_F(Load, AnExportThatCannotBeMadeSaysWhy)
{
	const auto refused = [&](const sq::model::ExportOptions &options) -> std::string {
		try {
			exported(store_, options);
		} catch (const sq::Error &error) {
			return error.what();
		}
		return "";
	};
	const auto expect = [&](const std::string &message, const char *part) {
		EXPECT_NE(message.find(part), std::string::npos) << message;
	};
	expect(refused({}), "no such model");
	sq::model::load(store_, write(small_safetensors().file(), "m.safetensors"), {.name = "m"});
	expect(refused({}), "safetensors");
	sq::model::remove(store_, "m");
	load(small_gguf().file());
	expect(refused({.format = sq::Format::tuned(4)}), "tuned4");
	expect(refused({.format = sq::Format::planes(3)}), "planes3");
	expect(refused({.format = sq::Format::tag()}), "names its format");
	expect(refused({.decoded = sq::Dtype::Int8}), "bf16, fp16 or fp32");
	int calls = 0;
	expect(refused({.progress = [&](const auto &) { return ++calls < 3; }}), "stopped");
	EXPECT_EQ(calls, 3);
	store_.region("m/blk.0.ffn_up.weight").remove();
	expect(refused({}), "blk.0.ffn_up.weight");
}

TEST_F(Load, AnIncompleteModelIsNotExported)
{
	sq::Region header = store_.create_region({.name = "m/.header", .dtype = sq::Dtype::U8, .rows = 1, .cols = 4096});
	try {
		exported(store_, {});
		FAIL() << "it was exported";
	} catch (const sq::Error &error) {
		EXPECT_EQ(error.status(), sq::Status::Busy);
	}
}

} // namespace
