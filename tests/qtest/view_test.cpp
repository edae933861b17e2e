// SPDX-License-Identifier: MIT
//
// Views: loads from function 0's window give the bytes that a fetch gives,
// with views=ram and views=trap; everything else is refused and counted.
#include "fixture.hpp"

using namespace qtest;

namespace {

constexpr std::uint64_t hdm_bytes = 256ull << 20;
constexpr std::uint64_t poison = ~0ull;
constexpr std::uint32_t event_warning = 1u << 1;

class Views : public CardTest, public testing::WithParamInterface<const char *> {
protected:
    void SetUp() override
    {
        start(std::string(",bloat=4,views=") + GetParam());
        queue_.emplace(card(), 0);
        handle_ = create_region(card(), "w", rows, cols);
        data_ = random_bf16(rows * cols, 21);
        store(*queue_, handle_, 0, rows, data_);
    }

    bool traps() const { return std::string(GetParam()) == "trap"; }

    Answer try_map(std::uint16_t format, std::uint32_t first = 0, std::uint32_t count = rows, std::uint8_t axis = SQ_AXIS_ROW)
    {
        return card().command(SQ_MBOX_MAP_VIEW, sq_mbox_map_view{handle_, format, SQ_ROUNDING_DEFAULT, axis, first, count});
    }

    sq_view_info map(std::uint16_t format, std::uint32_t first = 0, std::uint32_t count = rows)
    {
        const Answer answer = try_map(format, first, count);
        EXPECT_EQ(answer.status, SQ_STATUS_SUCCESS) << "format " << format;
        return structure<sq_view_info>(answer.payload);
    }

    Bytes load(const sq_view_info &view) { return machine().read_block(card().window() + view.dpa, view.length_bytes); }

    static constexpr std::uint32_t rows = 6, cols = 70;
    std::optional<Queue> queue_;
    std::uint32_t handle_ = 0;
    Bytes data_;
};

TEST_P(Views, AViewShowsTheBytesOfAFetch)
{
    card().commit_decoder(hdm_bytes);
    for (const std::uint16_t format : {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(4), SQ_FORMAT_MXINT(7), SQ_FORMAT_PLANES(3)}) {
        const sq_view_info view = map(format);
        EXPECT_EQ(view.dpa % 4096, 0u);
        EXPECT_EQ(view.window_bytes % 4096, 0u);
        EXPECT_EQ(view.format, format);
        const Bytes expected = fetch(*queue_, handle_, format, 0, rows, view.length_bytes);
        EXPECT_EQ(load(view), expected) << "format " << format;
        // Twice, because the first load of a window may arrive by another path.
        EXPECT_EQ(load(view), expected) << "format " << format;
    }
}

TEST_P(Views, LoadsOfOneToEightBytesWorkAtEveryAlignment)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_MXINT(5));
    const Bytes expected = fetch(*queue_, handle_, SQ_FORMAT_MXINT(5), 0, rows, view.length_bytes);
    for (int round = 0; round < 2; ++round)
        for (std::uint64_t offset = 0; offset < 24; ++offset)
            for (const unsigned width : {1u, 2u, 4u, 8u}) {
                std::uint64_t value = 0;
                for (unsigned i = 0; i < width; ++i)
                    value |= static_cast<std::uint64_t>(expected[offset + i]) << 8 * i;
                EXPECT_EQ(machine().read(card().window() + view.dpa + offset, width), value) << width << " bytes at " << offset;
            }
    // Widths that no single instruction has.
    for (const std::size_t width : {3u, 5u, 6u, 7u})
        EXPECT_EQ(machine().read_block(card().window() + view.dpa + 1, width), Bytes(expected.begin() + 1, expected.begin() + 1 + static_cast<std::ptrdiff_t>(width)));
}

TEST_P(Views, BytesBehindTheViewAreZeroUpToItsWindow)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_MXINT(2));
    ASSERT_LT(view.length_bytes, view.window_bytes);
    const std::uint64_t tail = view.window_bytes - view.length_bytes;
    EXPECT_EQ(machine().read_block(card().window() + view.dpa + view.length_bytes, tail), Bytes(tail));
}

TEST_P(Views, ALoadOutsideOfAnyViewIsPoisonCountedAndLogged)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_MXINT(4));
    EXPECT_EQ(card().events() & event_warning, 0u);
    EXPECT_EQ(machine().read(card().window() + view.dpa + view.window_bytes, 8), poison);
    EXPECT_EQ(machine().read(card().window() + hdm_bytes - 8, 8), poison);
    EXPECT_EQ(statistics().poison_loads, 2u);
    EXPECT_NE(card().events() & event_warning, 0u);
    EXPECT_EQ(load(view), fetch(*queue_, handle_, SQ_FORMAT_MXINT(4), 0, rows, view.length_bytes));
}

TEST_P(Views, StoresAreRefusedCountedAndLogged)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    const Bytes before = load(view);
    for (const unsigned width : {1u, 2u, 4u, 8u})
        machine().write(card().window() + view.dpa, 0x5151515151515151ull >> (64 - 8 * width), width);
    EXPECT_EQ(statistics().poison_loads, 4u);
    EXPECT_NE(card().events() & event_warning, 0u);
    EXPECT_EQ(load(view), before);
    machine().write(card().window() + hdm_bytes - 8, 1, 8);
    EXPECT_EQ(statistics().poison_loads, 5u);
}

TEST_P(Views, AStormOfPoisonStaysHarmless)
{
    card().commit_decoder(hdm_bytes);
    for (int i = 0; i < 500; ++i)
        EXPECT_EQ(machine().read(card().window() + 64 * static_cast<std::uint64_t>(i), 4), poison & 0xffffffff);
    EXPECT_EQ(statistics().poison_loads, 500u);
    EXPECT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
}

TEST_P(Views, AStoreToTheRegionShowsInItsViews)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info whole = map(SQ_FORMAT_NATIVE), part = map(SQ_FORMAT_MXINT(6), 2, 3);
    EXPECT_EQ(load(whole), data_);
    load(part);
    const Bytes changed = random_bf16(rows * cols, 22);
    store(*queue_, handle_, 0, rows, changed);
    EXPECT_EQ(load(whole), changed);
    EXPECT_EQ(load(part), fetch(*queue_, handle_, SQ_FORMAT_MXINT(6), 2, 3, part.length_bytes));
}

TEST_P(Views, AViewEndsWithUnmap)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    EXPECT_EQ(load(view), data_);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_REGION, handle_).status, SQ_STATUS_IN_USE);
    EXPECT_EQ(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle_).payload).views, 1u);
    EXPECT_EQ(card().command(SQ_MBOX_GET_VIEW, view.view).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_UNMAP_VIEW, view.view).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(machine().read(card().window() + view.dpa, 8), poison);
    EXPECT_EQ(card().command(SQ_MBOX_UNMAP_VIEW, view.view).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(card().command(SQ_MBOX_GET_VIEW, view.view).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_REGION, handle_).status, SQ_STATUS_SUCCESS);
}

TEST_P(Views, ViewsFollowTheDecoder)
{
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    // Nothing decodes yet: not the card's business.
    machine().read(card().window() + view.dpa, 8);
    EXPECT_EQ(statistics().poison_loads, 0u);
    for (int round = 0; round < 3; ++round) {
        card().commit_decoder(hdm_bytes);
        EXPECT_EQ(load(view), data_);
        EXPECT_EQ(load(view), data_);
        card().uncommit_decoder();
        EXPECT_NE(load(view), data_);
    }
}

TEST_P(Views, InterleavedDecodersAreServedLoadByLoad)
{
    // Two ways of 256 bytes: this card has the even ones of the host range.
    card().commit_decoder(hdm_bytes, 1);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    for (int round = 0; round < 2; ++round) {
        Bytes seen;
        for (std::uint64_t dpa = view.dpa; dpa < view.dpa + view.length_bytes; dpa += 256) {
            const Bytes piece = machine().read_block(card().window() + 2 * dpa, std::min<std::uint64_t>(256, view.dpa + view.length_bytes - dpa));
            seen.insert(seen.end(), piece.begin(), piece.end());
        }
        EXPECT_EQ(seen, data_);
    }
}

TEST_P(Views, AnInterleaveThatDoesNotExistIsNotCommitted)
{
    for (const unsigned ways : {5u, 6u, 7u, 11u, 15u}) {
        card().commit_decoder(hdm_bytes, ways);
        EXPECT_EQ(card().decoder_control() >> 10 & 1, 0u) << "committed";
        EXPECT_EQ(card().decoder_control() >> 11 & 1, 1u) << "no error shown";
        machine().read(card().window(), 8);
    }
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    EXPECT_EQ(load(view), data_);
}

TEST_P(Views, MalformedViewsAreRefused)
{
    EXPECT_EQ(try_map(0x7777).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(try_map(SQ_FORMAT_NATIVE, 0, rows + 1).status, SQ_STATUS_RANGE);
    EXPECT_EQ(try_map(SQ_FORMAT_NATIVE, 0xffffffff, 2).status, SQ_STATUS_RANGE);
    EXPECT_NE(try_map(SQ_FORMAT_NATIVE, 0, 0).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(try_map(SQ_FORMAT_MXINT(4), 0, rows, 7).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(card().command(SQ_MBOX_MAP_VIEW, sq_mbox_map_view{0, SQ_FORMAT_NATIVE, 0, 0, 0, 1}).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle_).payload).views, 0u);
}

TEST_P(Views, ViewsRunOutAndComeBack)
{
    const auto views_max = structure<sq_mbox_identify>(card().command(SQ_MBOX_IDENTIFY).payload).views_max;
    card().commit_decoder(hdm_bytes);
    std::vector<sq_view_info> views;
    for (std::uint32_t i = 0; i < views_max; ++i)
        views.push_back(map(SQ_FORMAT_NATIVE, i % rows, 1));
    EXPECT_EQ(try_map(SQ_FORMAT_NATIVE).status, SQ_STATUS_RESOURCES_EXHAUSTED);
    for (std::size_t i = 0; i < views.size(); i += 37)
        EXPECT_EQ(load(views[i]), Bytes(data_.begin() + static_cast<std::ptrdiff_t>(i % rows * cols * 2), data_.begin() + static_cast<std::ptrdiff_t>((i % rows + 1) * cols * 2)));
    for (const sq_view_info &view : views)
        EXPECT_EQ(card().command(SQ_MBOX_UNMAP_VIEW, view.view).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(load(map(SQ_FORMAT_NATIVE)), data_);
}

TEST_P(Views, AResetOfFunctionOneUnmapsItsViews)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    EXPECT_EQ(load(view), data_);
    card().reset_function1();
    EXPECT_EQ(card().command(SQ_MBOX_GET_VIEW, view.view).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(machine().read(card().window() + view.dpa, 8), poison);
    EXPECT_EQ(load(map(SQ_FORMAT_NATIVE)), data_);
}

TEST_P(Views, ASystemResetTakesDecoderViewsAndQueues)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_NATIVE);
    EXPECT_EQ(load(view), data_);
    machine().qmp("{\"execute\": \"system_reset\"}");
    // The reset runs in the main loop; BARs are gone when it is done.
    for (int i = 0; i < 1000 && card().mailbox(SQ_MBOX_CAPS, 4) == SQ_MBOX_PAYLOAD_BYTES_LOG2 + SQ_MBOX_CAPS_BG_IRQ; ++i) {
    }
    card_.emplace(*machine_);
    EXPECT_EQ(card().decoder_control() >> 10 & 1, 0u);
    EXPECT_EQ(card().command(SQ_MBOX_GET_VIEW, view.view).status, SQ_STATUS_INVALID_HANDLE);
    queue_.emplace(card(), 0);
    EXPECT_EQ(fetch(*queue_, handle_, SQ_FORMAT_NATIVE, 0, rows, data_.size()), data_);
}

TEST_P(Views, LoadsAreCountedOneByOneOnlyWhenTrapped)
{
    card().commit_decoder(hdm_bytes);
    const sq_view_info view = map(SQ_FORMAT_MXINT(4));
    machine().read(card().window() + view.dpa, 8);
    const auto before = statistics();
    for (int i = 0; i < 10; ++i)
        machine().read(card().window() + view.dpa + 8 * static_cast<std::uint64_t>(i), 8);
    const auto after = statistics();
    EXPECT_EQ(after.view_loads - before.view_loads, traps() ? 10u : 0u);
    if (traps())
        EXPECT_GT(after.plane_lines, before.plane_lines);
    else
        EXPECT_EQ(after.plane_lines, before.plane_lines);
}

INSTANTIATE_TEST_SUITE_P(Modes, Views, testing::Values("ram", "trap"), [](const auto &mode) { return std::string(mode.param); });

} // namespace
