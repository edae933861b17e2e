// SPDX-License-Identifier: MIT
//
// Stores that lie: each field of the superblock, the journal and a region map
// is set to something impossible, with a checksum that matches
#include "media.h"
#include "store.hpp"

namespace {

using namespace controller;

template <typename T>
T at(const Bytes& image, std::uint64_t offset)
{
    T value;
    std::memcpy(&value, &image.at(offset), sizeof value);
    return value;
}

template <typename T>
void put(Bytes& image, std::uint64_t offset, const T& value)
{
    std::memcpy(&image.at(offset), &value, sizeof value);
}

// A good store with the regions "a" and "b", opened up.
struct Image {
    Bytes bytes;
    std::uint64_t page;    // of the ruling superblock
    std::uint64_t record;  // the checkpoint
    std::uint64_t entry[2];

    Image()
    {
        Store store(1u << 20);
        const auto a = store.make("a", 3, 700), b = store.make("b", 2, 40000);
        EXPECT_EQ(store.write(a, weights(SQ_DTYPE_BF16, 2100, 1)), SQ_STATUS_SUCCESS);
        EXPECT_EQ(store.write(b, weights(SQ_DTYPE_BF16, 80000, 1)), SQ_STATUS_SUCCESS);
        EXPECT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
        // Enough commits for a checkpoint that holds both.
        for (unsigned i = 0; sqc_superblock_generation(store.memory().copy()) < 2; ++i)
            EXPECT_EQ(sqc_region_set_precision(store.get(), a, static_cast<std::uint16_t>(SQ_FORMAT_MXINT(2 + i % 7))), SQ_STATUS_SUCCESS);
        bytes = store.memory().copy();
        page = sqc_superblock_page(2);
        const auto superblock = at<sqc_superblock>(bytes, page);
        record = superblock.journal_offset + superblock.active_half * superblock.half_bytes;
        entry[0] = record + sizeof(sqc_record);
        entry[1] = entry[0] + sizeof(sqc_entry) + 8;
    }
    static std::uint64_t sqc_superblock_generation(const Bytes& image)
    {
        return std::max(at<sqc_superblock>(image, 0).generation, at<sqc_superblock>(image, SQC_PAGE_BYTES).generation);
    }
    sqc_entry region(int i) const { return at<sqc_entry>(bytes, entry[i]); }
    void put_region(int i, const sqc_entry& value)
    {
        put(bytes, entry[i], value);
        seal_record();
    }
    void seal_record()
    {
        auto value = at<sqc_record>(bytes, record);
        value.crc = sqc_crc32c(sqc_crc32c(0, &value, offsetof(sqc_record, crc)), &bytes[record + sizeof value], value.payload_bytes);
        put(bytes, record, value);
    }
    // Region b's map.
    std::uint64_t map() const { return region(1).map_offset; }
    std::uint64_t map_entry(int i) const { return map() + sizeof(sqc_map) + static_cast<std::uint64_t>(i) * at<sqc_map>(bytes, map()).entry_bytes; }
    void seal_map()
    {
        auto value = region(1);
        value.map_crc = sqc_crc32c(0, &bytes[value.map_offset], value.map_bytes);
        put_region(1, value);
    }
};

sqc_status open_status(const Bytes& image)
{
    Store store(image);
    EXPECT_NE(store.reason, nullptr);
    EXPECT_EQ(store.environment.live_allocations > 0, store.open_status() == SQ_STATUS_SUCCESS);
    if (store.open_status() != SQ_STATUS_SUCCESS) {
        EXPECT_STRNE(store.reason, "");
    }
    return store.open_status();
}

TEST(Hostile, ForeignAndBlankMemoryIsNoStore)
{
    EXPECT_EQ(open_status(Bytes(1u << 20, 0)), SQ_STATUS_NOT_A_STORE);
    EXPECT_TRUE(sqc_is_blank(Bytes(8192, 0).data(), 8192));
    EXPECT_FALSE(sqc_is_blank(Bytes(8191, 0).data(), 8191));
    Bytes gguf(1u << 20, 0);
    std::memcpy(gguf.data(), "GGUF", 4);
    EXPECT_EQ(open_status(gguf), SQ_STATUS_NOT_A_STORE);
    EXPECT_FALSE(sqc_is_blank(gguf.data(), gguf.size()));
    for (const std::size_t bytes : {64u, 4096u, 8191u, 8192u})
        EXPECT_EQ(open_status(Bytes(bytes, 0)), SQ_STATUS_NOT_A_STORE);
}

TEST(Hostile, FormatRefusesImpossibleSizes)
{
    Environment environment;
    const auto env = environment.get();
    Memory memory(2u << 20);
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{4096}, std::uint64_t{SQC_STORE_BYTES_MIN} - 4096,
                                      std::uint64_t{SQC_STORE_BYTES_MIN} + 512, std::uint64_t{1} << 60})
        EXPECT_EQ(sqc_format(memory.get(), bytes, &env), SQ_STATUS_INVALID_INPUT) << bytes;
    EXPECT_EQ(sqc_format(memory.get() + 8, 1u << 20, &env), SQ_STATUS_INVALID_INPUT) << "not aligned";
    EXPECT_EQ(sqc_format(nullptr, 1u << 20, &env), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(sqc_format(memory.get(), 1u << 20, nullptr), SQ_STATUS_INVALID_INPUT);
    sqc_store* store = nullptr;
    EXPECT_EQ(sqc_open(&store, memory.get(), 1u << 20, &env, 0x80, 0, nullptr), SQ_STATUS_INVALID_INPUT);
}

TEST(Hostile, AnyFlippedByteOfTheSuperblockIsNoticed)
{
    const Image good;
    ASSERT_EQ(open_status(good.bytes), SQ_STATUS_SUCCESS);
    // The older superblock is gone, so that only one can rule.
    Bytes image = good.bytes;
    std::memset(&image[sqc_superblock_page(1)], 0, SQC_PAGE_BYTES);
    ASSERT_EQ(open_status(image), SQ_STATUS_SUCCESS);
    for (std::size_t i = 0; i < sizeof(sqc_superblock); ++i) {
        image[good.page + i] ^= 0x40;
        EXPECT_EQ(open_status(image), i < 8 ? SQ_STATUS_NOT_A_STORE : SQ_STATUS_STORE_DAMAGED) << "byte " << i;
        image[good.page + i] ^= 0x40;
    }
}

TEST(Hostile, SuperblocksThatLieAreRefused)
{
    const Image good;
    const auto with = [&](auto change) {
        Bytes image = good.bytes;
        std::memset(&image[sqc_superblock_page(1)], 0, SQC_PAGE_BYTES);
        auto superblock = at<sqc_superblock>(image, good.page);
        change(superblock);
        superblock.crc = sqc_crc32c(0, &superblock, offsetof(sqc_superblock, crc));
        put(image, good.page, superblock);
        return open_status(image);
    };
    EXPECT_EQ(with([](auto&) {}), SQ_STATUS_SUCCESS);
    EXPECT_EQ(with([](auto& s) { s.version = 2; }), SQ_STATUS_STORE_VERSION);
    EXPECT_EQ(with([](auto& s) { s.store_bytes += 4096; }), SQ_STATUS_STORE_DAMAGED) << "longer than its memory";
    EXPECT_EQ(with([](auto& s) { s.store_bytes = 0; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.struct_bytes = 1; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.statistics_offset = UINT64_MAX; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.journal_offset += 4096; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.half_bytes = UINT64_MAX; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.data_offset = 0; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.data_bytes = UINT64_MAX; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.active_half = 2; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.active_half ^= 1; }), SQ_STATUS_STORE_DAMAGED) << "that half begins with another sequence number";
    EXPECT_EQ(with([](auto& s) { s.regions_max = UINT32_MAX; }), SQ_STATUS_STORE_DAMAGED);
    EXPECT_EQ(with([](auto& s) { s.first_sequence++; }), SQ_STATUS_STORE_DAMAGED);
}

TEST(Hostile, AStoreCutShortIsRefusedAndALongerMemoryIsNot)
{
    const Image good;
    Bytes image = good.bytes;
    image.resize(image.size() - 4096);
    EXPECT_EQ(open_status(image), SQ_STATUS_STORE_DAMAGED);
    image = good.bytes;
    image.resize(image.size() + 8192, 0xee);
    EXPECT_EQ(open_status(image), SQ_STATUS_SUCCESS);
}

TEST(Hostile, JournalEntriesThatLieAreRefused)
{
    struct Case {
        const char* what;
        void (*change)(sqc_entry& entry);
    };
    const Case cases[] = {
        {"slot", [](auto& e) { e.slot = 64; }},
        {"generation", [](auto& e) { e.generation = 0; }},
        {"flags", [](auto& e) { e.flags = 4; }},
        {"deleted and sealed", [](auto& e) { e.flags = 3; }},
        {"dtype", [](auto& e) { e.dtype = 99; }},
        {"placement", [](auto& e) { e.placement = SQ_PLACEMENT_BYTES; }},
        {"coding", [](auto& e) { e.coding = 7; }},
        {"precision", [](auto& e) { e.precision = 0x7777; }},
        {"precision tag", [](auto& e) { e.precision = SQ_FORMAT_TAG; }},
        {"no name", [](auto& e) { e.name_bytes = 0; }},
        {"long name", [](auto& e) { e.name_bytes = 256; }},
        {"endless name", [](auto& e) { e.name_bytes = UINT16_MAX; }},
        {"rows", [](auto& e) { e.rows = 0; }},
        {"cols", [](auto& e) { e.cols = 0; }},
        {"many rows", [](auto& e) { e.rows = UINT32_MAX; }},
        {"many cols", [](auto& e) { e.cols = UINT32_MAX; }},
        {"fewer rows than the map has", [](auto& e) { e.rows = 1; }},
        {"map outside", [](auto& e) { e.map_offset = UINT64_MAX - 255; }},
        {"map in the superblock", [](auto& e) { e.map_offset = 0; }},
        {"map in the journal", [](auto& e) { e.map_offset = 0x20000; }},
        {"map not aligned", [](auto& e) { e.map_offset += 8; }},
        {"map elsewhere", [](auto& e) { e.map_offset += 256; }},
        {"map too short", [](auto& e) { e.map_bytes = 7; }},
        {"map too long", [](auto& e) { e.map_bytes += 8; }},
        {"map endless", [](auto& e) { e.map_bytes = UINT64_MAX; }},
        {"map checksum", [](auto& e) { e.map_crc ^= 1; }},
    };
    for (const auto& [what, change] : cases) {
        Image image;
        auto entry = image.region(1);
        change(entry);
        image.put_region(1, entry);
        EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << what;
    }
}

TEST(Hostile, JournalRecordsThatLieAreRefused)
{
    Image image;
    auto record = at<sqc_record>(image.bytes, image.record);
    const auto good = image.bytes;
    record.entries = 1000;
    put(image.bytes, image.record, record);
    image.seal_record();
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << "more entries than payload";
    image.bytes = good;
    record = at<sqc_record>(image.bytes, image.record);
    record.payload_bytes = UINT64_MAX - 8;
    put(image.bytes, image.record, record);
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << "a payload without end";
    image.bytes = good;
    record = at<sqc_record>(image.bytes, image.record);
    record.type = SQC_RECORD_UPDATE;
    put(image.bytes, image.record, record);
    image.seal_record();
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << "a half that does not begin with a checkpoint";
}

TEST(Hostile, TwoRegionsOfOneNameOrOneMapAreRefused)
{
    Image image;
    const Bytes good = image.bytes;
    image.bytes[image.entry[1] + sizeof(sqc_entry)] = 'a';
    image.seal_record();
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED);
    image.bytes = good;
    auto entry = image.region(0);
    entry.map_offset = image.region(1).map_offset;
    entry.map_bytes = image.region(1).map_bytes;
    entry.map_crc = image.region(1).map_crc;
    entry.rows = image.region(1).rows;
    entry.cols = image.region(1).cols;
    image.put_region(0, entry);
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED);
}

TEST(Hostile, RegionMapsThatLieAreRefused)
{
    struct Case {
        const char* what;
        int entry;
        void (*change)(sqc_map_entry& entry, const sqc_map_entry& other);
    };
    const Case cases[] = {
        {"a segment twice", 1, [](auto& e, auto& other) { e.segment = other.segment; }},
        {"segments out of order", 0, [](auto& e, auto&) { e.segment = 1; }},
        {"a segment beyond the region", 1, [](auto& e, auto&) { e.segment = 2; }},
        {"a segment far beyond", 1, [](auto& e, auto&) { e.segment = UINT32_MAX; }},
        {"planes outside", 0, [](auto& e, auto&) { e.planes_offset = UINT64_MAX / 8192 * 8192; }},
        {"planes past the end", 0, [](auto& e, auto&) { e.planes_offset = (1u << 20) - 8192; }},
        {"planes in the superblock", 0, [](auto& e, auto&) { e.planes_offset = 0; }},
        {"planes not aligned to a row", 0, [](auto& e, auto&) { e.planes_offset += 256; }},
        {"planes in use twice", 1, [](auto& e, auto& other) { e.planes_offset = other.planes_offset; }},
        {"a tail in use twice", 1, [](auto& e, auto& other) { e.tail_offset = other.tail_offset; }},
        {"a tail in planes", 1, [](auto& e, auto& other) { e.tail_offset = other.planes_offset; }},
        {"no tail", 1, [](auto& e, auto&) { e.tail_offset = 0; }},
        {"more escapes than elements", 1, [](auto& e, auto&) { e.escapes = 65537; }},
        {"endless escapes", 1, [](auto& e, auto&) { e.escapes = UINT32_MAX; }},
    };
    for (const auto& [what, number, change] : cases) {
        Image image;
        auto entry = at<sqc_map_entry>(image.bytes, image.map_entry(number));
        change(entry, at<sqc_map_entry>(image.bytes, image.map_entry(!number)));
        put(image.bytes, image.map_entry(number), entry);
        image.seal_map();
        EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << what;
    }
    for (const auto& [count, entry_bytes] : {std::pair{0u, 0u}, {1u, 0u}, {3u, 0u}, {UINT32_MAX, 0u}, {2u, 8u}, {2u, 4096u}}) {
        Image image;
        auto map = at<sqc_map>(image.bytes, image.map());
        map = {count, entry_bytes ? entry_bytes : map.entry_bytes};
        put(image.bytes, image.map(), map);
        image.seal_map();
        EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << count << " entries of " << entry_bytes;
    }
}

TEST(Hostile, PlanesAndEscapesThatLieAreReadWithoutGoingAstray)
{
    // Runs of noise with checksums that match: no value is right, but nothing
    // outside of the read is touched (the sanitizers and the guard byte watch).
    Image image;
    std::mt19937 random(1);
    for (int number = 0; number < 2; ++number) {
        const auto entry_at = image.map_entry(number);
        const auto entry = at<sqc_map_entry>(image.bytes, entry_at);
        const std::uint32_t elements = number ? 2 * 40000 - 65536 : 65536;
        const std::uint64_t run = (elements / 8 + 63) / 64 * 64;
        const std::uint64_t exponents = (elements / 32 + 63) / 64 * 64, escapes = (entry.escapes * 4ull + 63) / 64 * 64;
        for (std::uint64_t i = 0; i < 17 * run; ++i)
            image.bytes[entry.planes_offset + i] = static_cast<std::uint8_t>(random());
        for (std::uint64_t i = 0; i < exponents + escapes; ++i)
            image.bytes[entry.tail_offset + i] = static_cast<std::uint8_t>(i % 3 ? random() : 0xff);
        // Rotation of a full segment moves the planes; all are noise alike.
        for (std::uint64_t plane = 0; plane < 17; ++plane) {
            const std::uint64_t first = number ? 0 : (0 - entry.planes_offset / 8192) % 16;
            const auto place = (plane + first) % 17;
            put(image.bytes, entry_at + sizeof entry + 4 * plane, sqc_crc32c(0, &image.bytes[entry.planes_offset + place * run], run));
        }
        put(image.bytes, entry_at + sizeof entry + 4 * 17, sqc_crc32c(0, &image.bytes[entry.tail_offset], exponents));
        put(image.bytes, entry_at + sizeof entry + 4 * 18, sqc_crc32c(0, &image.bytes[entry.tail_offset + exponents], escapes));
    }
    image.seal_map();
    Store store(image.bytes);
    ASSERT_EQ(store.open_status(), SQ_STATUS_SUCCESS) << store.reason;
    const auto handle = store.find("b");
    EXPECT_TRUE(store.verify(handle).empty()) << "the checksums do match";
    for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
        for (const std::uint8_t rounding : {SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN}) {
            for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
                const auto read = store.read(handle, format, rounding, axis);
                if (read.status != SQ_STATUS_SUCCESS || SQ_FORMAT_FAMILY(format) == SQ_FORMAT_FAMILY_PLANES)
                    continue;
                std::vector<float> values(read.layout.cols);
                EXPECT_EQ(sqc_decode(&read.layout, read.bytes.data(), 0, 1, values.data()), SQ_STATUS_SUCCESS);
            }
        }
    }
    // Infinities and NaNs among the noise: no row can have been stored as that,
    // so that none can be kept beside new ones.
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 40000, 2), 1, 1), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 80000, 2)), SQ_STATUS_SUCCESS) << "nothing of it is kept";
}

TEST(Hostile, FlippedBytesAnywhereNeverLeadAstray)
{
    const Image good;
    std::mt19937_64 random(7);
    const auto metadata = at<sqc_superblock>(good.bytes, good.page).data_offset;
    unsigned opened = 0;
    for (int round = 0; round < 900; ++round) {
        Bytes image = good.bytes;
        for (int flips = 1 + round % 5; flips--;)
            image[random() % (round % 2 ? metadata : image.size())] ^= static_cast<std::uint8_t>(1u << random() % 8);
        Store store(image);
        if (store.open_status() != SQ_STATUS_SUCCESS)
            continue;
        ++opened;
        for (const auto* name : {"a", "b"}) {
            if (const auto handle = store.find(name))
                store.read({handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_EVEN, SQ_AXIS_ROW, 0, 1});
        }
    }
    EXPECT_GT(opened, 150u) << "most flips hit planes, old records or nothing";
    EXPECT_LT(opened, 900u) << "some hit what is checked";
}

}  // namespace
