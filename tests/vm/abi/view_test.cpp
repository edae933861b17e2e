// SPDX-License-Identifier: MIT
//
// Views and their mappings. Needs a CXL region on the card (smartquantd
// --once): without one nothing can be mapped, and these tests fail.
#include "card.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

using Bytes = std::vector<std::uint8_t>;

class View : public testing::Test {
protected:
    static constexpr std::uint32_t kRows = 40, kCols = 1024;

    Card card{O_RDWR};
    Region region{card, "viewed", SQ_DTYPE_BF16, kRows, kCols};
    Bytes data = bf16_pattern(kRows * kCols, 11);

    void SetUp() override { ASSERT_EQ(store(card, region.handle(), {0, kRows}, data), 0); }

    sq_ioc_view map(std::uint16_t format, Rows rows = {0, kRows}) const
    {
        auto view = make<sq_ioc_view>();
        view.handle = region.handle();
        view.format = format;
        view.first_row = rows.first;
        view.row_count = rows.count;
        EXPECT_EQ(card(SQ_IOC_VIEW_MAP, view), 0);
        return view;
    }

    int unmap(const sq_ioc_view &view) const
    {
        auto argument = make<sq_ioc_view_unmap>();
        argument.view = view.view;
        return card(SQ_IOC_VIEW_UNMAP, argument);
    }

    const std::uint8_t *mmap_view(const sq_ioc_view &view) const
    {
        void *memory = mmap(nullptr, view.window_bytes, PROT_READ, MAP_SHARED, card.fd(),
                            static_cast<off_t>(view.mmap_offset));
        EXPECT_NE(memory, MAP_FAILED) << std::strerror(errno)
                                      << "; bring the CXL region up: smartquantd --once";
        return memory == MAP_FAILED ? nullptr : static_cast<const std::uint8_t *>(memory);
    }

    Bytes fetched(std::uint16_t format, Rows rows, std::size_t bytes) const
    {
        Bytes back(bytes);
        EXPECT_EQ(fetch(card, region.handle(), rows, format, back), 0);
        return back;
    }
};

TEST_F(View, LoadsGiveTheBytesOfAFetch)
{
    for (std::uint16_t format : {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(8), SQ_FORMAT_MXINT(3)}) {
        const sq_ioc_view view = map(format);
        const std::uint8_t *memory = mmap_view(view);
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ(Bytes(memory, memory + view.length_bytes),
                  fetched(format, {0, kRows}, view.length_bytes))
            << format;
        for (std::size_t i = view.length_bytes; i < view.window_bytes; i++)
            ASSERT_EQ(memory[i], 0) << "behind the view, at " << i;
        munmap(const_cast<std::uint8_t *>(memory), view.window_bytes);
        EXPECT_EQ(unmap(view), 0);
    }
}

TEST_F(View, SaysWhatItIs)
{
    const sq_ioc_view view = map(SQ_FORMAT_MXINT(4), {8, 16});
    EXPECT_EQ(view.length_bytes, 16u * (kCols / 2 + kCols / 32));
    EXPECT_EQ(view.window_bytes % 4096, 0u);
    auto get = make<sq_ioc_view>();
    get.view = view.view;
    ASSERT_EQ(card(SQ_IOC_VIEW_GET, get), 0);
    EXPECT_EQ(get.handle, region.handle());
    EXPECT_EQ(get.format, SQ_FORMAT_MXINT(4));
    EXPECT_EQ(get.rounding, SQ_ROUNDING_NEAREST);
    EXPECT_EQ(get.first_row, 8u);
    EXPECT_EQ(get.row_count, 16u);
    EXPECT_EQ(get.dpa, view.dpa);
    EXPECT_EQ(get.mmap_offset, view.mmap_offset);
    EXPECT_EQ(unmap(view), 0);
    EXPECT_EQ(card(SQ_IOC_VIEW_GET, get), ENOENT);
}

TEST_F(View, PagesInTheMiddleCanBeMapped)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    void *memory = mmap(nullptr, 8192, PROT_READ, MAP_SHARED, card.fd(),
                        static_cast<off_t>(view.mmap_offset + 16384));
    ASSERT_NE(memory, MAP_FAILED);
    EXPECT_EQ(std::memcmp(memory, data.data() + 16384, 8192), 0);
    munmap(memory, 8192);
    EXPECT_EQ(unmap(view), 0);
}

TEST_F(View, AStoreShowsInTheMapping)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    const std::uint8_t *memory = mmap_view(view);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(std::memcmp(memory, data.data(), data.size()), 0);
    const Bytes changed = bf16_pattern(kRows * kCols, 12);
    ASSERT_EQ(store(card, region.handle(), {0, kRows}, changed), 0);
    EXPECT_EQ(std::memcmp(memory, changed.data(), changed.size()), 0);
    munmap(const_cast<std::uint8_t *>(memory), view.window_bytes);
    EXPECT_EQ(unmap(view), 0);
}

TEST_F(View, OnlyReadingIsAllowed)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    const off_t offset = static_cast<off_t>(view.mmap_offset);
    for (int protection : {PROT_WRITE, PROT_READ | PROT_WRITE, PROT_EXEC}) {
        EXPECT_EQ(mmap(nullptr, 4096, protection, MAP_SHARED, card.fd(), offset), MAP_FAILED);
        EXPECT_TRUE(errno == EACCES || errno == EPERM) << errno;
        EXPECT_EQ(mmap(nullptr, 4096, protection, MAP_PRIVATE, card.fd(), offset), MAP_FAILED);
        EXPECT_TRUE(errno == EACCES || errno == EPERM) << errno;
    }
    void *memory = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, card.fd(), offset);
    ASSERT_NE(memory, MAP_FAILED);
    EXPECT_EQ(mprotect(memory, 4096, PROT_READ | PROT_WRITE), -1);
    EXPECT_EQ(errno, EACCES);
    munmap(memory, 4096);
    EXPECT_EQ(unmap(view), 0);
}

TEST_F(View, OffsetsOutsideAreRefused)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    const auto try_map = [&](std::uint64_t offset, std::size_t bytes) {
        void *memory =
            mmap(nullptr, bytes, PROT_READ, MAP_SHARED, card.fd(), static_cast<off_t>(offset));
        return memory == MAP_FAILED ? errno : (munmap(memory, bytes), 0);
    };
    EXPECT_EQ(try_map(view.mmap_offset, view.window_bytes), 0);
    EXPECT_EQ(try_map(view.mmap_offset, view.window_bytes + 4096), EINVAL);
    EXPECT_EQ(try_map(view.mmap_offset + view.window_bytes, 4096), EINVAL);
    EXPECT_EQ(try_map(view.mmap_offset + view.window_bytes - 4096, 8192), EINVAL);
    EXPECT_EQ(try_map(1ull << 62, 4096), EINVAL);
    EXPECT_EQ(unmap(view), 0);
    EXPECT_EQ(try_map(view.mmap_offset, 4096), EINVAL);
}

TEST_F(View, BelongsToItsFile)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    Card other(O_RDWR);
    auto get = make<sq_ioc_view>();
    get.view = view.view;
    EXPECT_EQ(other(SQ_IOC_VIEW_GET, get), ENOENT);
    auto argument = make<sq_ioc_view_unmap>();
    argument.view = view.view;
    EXPECT_EQ(other(SQ_IOC_VIEW_UNMAP, argument), ENOENT);
    EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, other.fd(),
                   static_cast<off_t>(view.mmap_offset)),
              MAP_FAILED);
    EXPECT_EQ(unmap(view), 0);
}

TEST_F(View, EndsWithItsFile)
{
    const auto views = [&] {
        auto get = make<sq_ioc_region>();
        get.handle = region.handle();
        EXPECT_EQ(card(SQ_IOC_REGION_GET, get), 0);
        return get.views;
    };
    {
        Card other(O_RDONLY);
        auto view = make<sq_ioc_view>();
        view.handle = region.handle();
        view.format = SQ_FORMAT_MXINT(4);
        view.row_count = kRows;
        ASSERT_EQ(other(SQ_IOC_VIEW_MAP, view), 0);
        EXPECT_EQ(views(), 1u);
    }
    EXPECT_EQ(views(), 0u);
}

TEST_F(View, KeepsItsRegion)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    auto remove = make<sq_ioc_handle>();
    remove.handle = region.handle();
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), EBUSY);
    EXPECT_EQ(remove.status, static_cast<__u32>(SQ_STATUS_IN_USE));
    EXPECT_EQ(unmap(view), 0);
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), 0);
    region.forget();
}

TEST_F(View, LivesAsLongAsItsMapping)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    const std::uint8_t *memory = mmap_view(view);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(unmap(view), 0);
    // Not one page was touched before.
    EXPECT_EQ(std::memcmp(memory, data.data(), data.size()), 0);
    auto remove = make<sq_ioc_handle>();
    remove.handle = region.handle();
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), EBUSY);
    munmap(const_cast<std::uint8_t *>(memory), view.window_bytes);
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), 0);
    region.forget();
}

// A hole in the middle makes two mappings of one; a child inherits both.
TEST_F(View, MappingsCanBeSplitAndInherited)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    auto *memory = const_cast<std::uint8_t *>(mmap_view(view));
    ASSERT_NE(memory, nullptr);
    ASSERT_EQ(munmap(memory + 8192, 4096), 0);
    const pid_t child = fork();
    if (child == 0) {
        const bool same = std::memcmp(memory, data.data(), 8192) == 0 &&
                          std::memcmp(memory + 12288, data.data() + 12288, 8192) == 0;
        _exit(same ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(std::memcmp(memory + 12288, data.data() + 12288, 8192), 0);
    munmap(memory, view.window_bytes);
    EXPECT_EQ(unmap(view), 0);
}

TEST_F(View, AnExportedFileShowsNothingElse)
{
    const sq_ioc_view view = map(SQ_FORMAT_MXINT(8));
    auto argument = make<sq_ioc_view_export>();
    argument.view = view.view;
    ASSERT_EQ(card(SQ_IOC_VIEW_EXPORT, argument), 0);
    EXPECT_EQ(unmap(view), 0);
    EXPECT_NE(fcntl(argument.fd, F_GETFD) & FD_CLOEXEC, 0);

    void *memory = mmap(nullptr, view.window_bytes, PROT_READ, MAP_SHARED, argument.fd, 0);
    ASSERT_NE(memory, MAP_FAILED);
    EXPECT_EQ(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, argument.fd,
                   static_cast<off_t>(view.window_bytes)),
              MAP_FAILED);
    EXPECT_EQ(mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, argument.fd, 0), MAP_FAILED);
    auto info = make<sq_ioc_info>();
    EXPECT_EQ(call(argument.fd, SQ_IOC_INFO, &info), ENOTTY);
    close(argument.fd);

    const auto *bytes = static_cast<const std::uint8_t *>(memory);
    EXPECT_EQ(Bytes(bytes, bytes + view.length_bytes),
              fetched(SQ_FORMAT_MXINT(8), {0, kRows}, view.length_bytes));
    munmap(memory, view.window_bytes);
    auto remove = make<sq_ioc_handle>();
    remove.handle = region.handle();
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), 0);
    region.forget();
}

TEST_F(View, ANumberForTheExportThatCannotBeToldIsNotTaken)
{
    const sq_ioc_view view = map(SQ_FORMAT_NATIVE);
    // The structure can be read, not written.
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    auto argument = make<sq_ioc_view_export>();
    argument.view = view.view;
    std::memcpy(page, &argument, sizeof(argument));
    ASSERT_EQ(mprotect(page, 4096, PROT_READ), 0);
    const int before = dup(card.fd());
    close(before);
    EXPECT_EQ(call(card.fd(), SQ_IOC_VIEW_EXPORT, page), EFAULT);
    const int after = dup(card.fd());
    close(after);
    EXPECT_EQ(after, before);
    munmap(page, 4096);
    EXPECT_EQ(unmap(view), 0);
}

} // namespace
} // namespace driver_abi
