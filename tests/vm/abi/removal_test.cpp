// SPDX-License-Identifier: MIT
//
// A card that goes, is reset, or does not answer, under load. Each case
// leaves the driver bound to a working card.
#include "card.hpp"

#include <atomic>
#include <cerrno>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr const char *kDriver = "/sys/bus/pci/drivers/smartquant/";
constexpr const char *kParameters = "/sys/module/smartquant/parameters/";

// Fetches until it is told to stop; collects the errors that came.
class Load {
public:
    Load(const Card &card, std::uint32_t handle, const Bytes &data, int threads)
    {
        for (int t = 0; t < threads; t++)
            threads_.emplace_back([this, &card, handle, &data, t] { run(card, handle, data, t); });
    }
    ~Load() { stop(); }

    std::set<int> stop()
    {
        stop_ = true;
        for (std::thread &thread : threads_)
            thread.join();
        threads_.clear();
        std::set<int> errors;
        for (int error = 0; error < static_cast<int>(std::size(seen_)); error++)
            if (seen_[error])
                errors.insert(error);
        return errors;
    }

private:
    void run(const Card &card, std::uint32_t handle, const Bytes &data, int thread)
    {
        Bytes back(data.size());
        const auto rows = static_cast<std::uint32_t>(data.size() / 2048);
        for (int i = thread; !stop_; i++) {
            int error;
            if (i % 4) {
                error = fetch(card, handle, {0, rows}, SQ_FORMAT_NATIVE, back);
                if (!error) {
                    EXPECT_EQ(back, data);
                }
            } else {
                auto get = make<sq_ioc_region>();
                get.handle = handle;
                error = card(SQ_IOC_REGION_GET, get);
            }
            seen_[error] = true;
            if (error == ENODEV)
                usleep(1000);
        }
    }

    std::atomic<bool> stop_ = false;
    std::atomic<bool> seen_[200] = {};
    std::vector<std::thread> threads_;
};

class Removal : public testing::Test {
protected:
    static constexpr std::uint32_t kRows = 32, kCols = 1024;
    std::string address = pci_address();
    std::string function = "/sys/bus/pci/devices/" + address + "/";
    Bytes data = bf16_pattern(kRows * kCols, 31);
    std::uint32_t handle = 0;
    std::string mailbox_timeout = read_file(std::string(kParameters) + "mailbox_timeout_ms");
    std::string transfer_timeout = read_file(std::string(kParameters) + "transfer_timeout_ms");

    void SetUp() override
    {
        Card card(O_RDWR);
        Region region(card, "survivor", SQ_DTYPE_BF16, kRows, kCols);
        ASSERT_EQ(store(card, region.handle(), {0, kRows}, data), 0);
        auto flush = make<sq_ioc_handle>();
        flush.handle = handle = region.handle();
        ASSERT_EQ(card(SQ_IOC_FLUSH, flush), 0);
        region.forget();
    }

    void TearDown() override
    {
        set_timeouts(mailbox_timeout, transfer_timeout);
        if (!exists(kDriver + address))
            bind();
        Card card(O_RDWR);
        Bytes back(data.size());
        EXPECT_EQ(fetch(card, handle, {0, kRows}, SQ_FORMAT_NATIVE, back), 0);
        EXPECT_EQ(back, data);
        auto remove = make<sq_ioc_handle>();
        remove.handle = handle;
        EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), 0);
    }

    void bind() { EXPECT_EQ(write_file(std::string(kDriver) + "bind", address), 0); }
    void unbind() { EXPECT_EQ(write_file(std::string(kDriver) + "unbind", address), 0); }

    static void set_timeouts(const std::string &mailbox, const std::string &transfer)
    {
        EXPECT_EQ(write_file(std::string(kParameters) + "mailbox_timeout_ms", mailbox), 0);
        EXPECT_EQ(write_file(std::string(kParameters) + "transfer_timeout_ms", transfer), 0);
    }

    // Memory decoding of the function: without it no register is there.
    void set_memory_decoding(bool on) const
    {
        const int fd = open((function + "config").c_str(), O_RDWR | O_CLOEXEC);
        ASSERT_GE(fd, 0);
        std::uint16_t command = 0;
        EXPECT_EQ(pread(fd, &command, 2, 4), 2);
        command = static_cast<std::uint16_t>(on ? command | 2 : command & ~2);
        EXPECT_EQ(pwrite(fd, &command, 2, 4), 2);
        close(fd);
    }

    struct Mapping {
        sq_ioc_view view;
        const std::uint8_t *memory;
    };

    Mapping map(const Card &card) const
    {
        Mapping mapping = {make<sq_ioc_view>(), nullptr};
        mapping.view.handle = handle;
        mapping.view.format = SQ_FORMAT_NATIVE;
        mapping.view.row_count = kRows;
        EXPECT_EQ(card(SQ_IOC_VIEW_MAP, mapping.view), 0);
        void *memory = mmap(nullptr, mapping.view.window_bytes, PROT_READ, MAP_SHARED, card.fd(),
                            static_cast<off_t>(mapping.view.mmap_offset));
        EXPECT_NE(memory, MAP_FAILED) << std::strerror(errno)
                                      << "; bring the CXL region up: smartquantd --once";
        mapping.memory = memory == MAP_FAILED ? nullptr : static_cast<std::uint8_t *>(memory);
        return mapping;
    }
};

TEST_F(Removal, UnbindUnderLoadEndsTransfersWithEnodev)
{
    for (int round = 0; round < 4; round++) {
        Card card(O_RDWR);
        Load load(card, handle, data, 4);
        usleep(150000);
        unbind();
        usleep(50000);
        const std::set<int> errors = load.stop();
        EXPECT_EQ(errors, (std::set<int>{0, ENODEV}));
        auto info = make<sq_ioc_info>();
        EXPECT_EQ(card(SQ_IOC_INFO, info), ENODEV);
        EXPECT_FALSE(exists(kNode));
        EXPECT_FALSE(exists(kClassFolder));
        // The old file is still open, and the card keeps its name.
        bind();
        EXPECT_EQ(card(SQ_IOC_INFO, info), ENODEV);
        EXPECT_TRUE(exists(kNode));
        EXPECT_TRUE(exists(std::string(kClassFolder) + "/regions/" + std::to_string(handle)));
    }
}

TEST_F(Removal, MappingsOfAGoneCardRaiseSigbus)
{
    Card card(O_RDWR);
    const Mapping mapping = map(card);
    ASSERT_NE(mapping.memory, nullptr);
    std::uint8_t value = 0;
    ASSERT_TRUE(load_byte(mapping.memory, &value));
    EXPECT_EQ(value, data[0]);
    unbind();
    EXPECT_FALSE(load_byte(mapping.memory, &value));
    bind();
    EXPECT_FALSE(load_byte(mapping.memory, &value));
    munmap(const_cast<std::uint8_t *>(mapping.memory), mapping.view.window_bytes);
    Card again(O_RDWR);
    auto get = make<sq_ioc_region>();
    get.handle = handle;
    ASSERT_EQ(again(SQ_IOC_REGION_GET, get), 0);
    EXPECT_EQ(get.views, 0u) << "the view was given up";
}

TEST_F(Removal, TheModuleStaysWhileItIsUsed)
{
    Card card(O_RDWR);
    EXPECT_NE(read_file("/sys/module/smartquant/refcnt"), "0");
    const Mapping mapping = map(card);
    ASSERT_NE(mapping.memory, nullptr);
    munmap(const_cast<std::uint8_t *>(mapping.memory), mapping.view.window_bytes);
}

TEST_F(Removal, AResetUnderLoadFailsWhatWasUnderWayAndNoMore)
{
    ASSERT_TRUE(exists(function + "reset"));
    for (int round = 0; round < 3; round++) {
        Card card(O_RDWR);
        const Mapping mapping = map(card);
        ASSERT_NE(mapping.memory, nullptr);
        std::uint8_t value = 0;
        ASSERT_TRUE(load_byte(mapping.memory, &value));
        {
            Load load(card, handle, data, 4);
            usleep(100000);
            EXPECT_EQ(write_file(function + "reset", "1"), 0);
            usleep(100000);
            std::set<int> errors = load.stop();
            errors.erase(ETIMEDOUT);
            EXPECT_EQ(errors, std::set<int>{0});
        }
        EXPECT_FALSE(load_byte(mapping.memory, &value)) << "views end with a reset";
        sq_ioc_view get = make<sq_ioc_view>();
        get.view = mapping.view.view;
        EXPECT_EQ(card(SQ_IOC_VIEW_GET, get), ESTALE);
        munmap(const_cast<std::uint8_t *>(mapping.memory), mapping.view.window_bytes);
        Bytes back(data.size());
        EXPECT_EQ(fetch(card, handle, {0, kRows}, SQ_FORMAT_NATIVE, back), 0);
        EXPECT_EQ(back, data);
        // A new view works.
        const Mapping next = map(card);
        ASSERT_NE(next.memory, nullptr);
        EXPECT_EQ(std::memcmp(next.memory, data.data(), data.size()), 0);
        munmap(const_cast<std::uint8_t *>(next.memory), next.view.window_bytes);
    }
}

// What pulling the card out looks like to the driver before it is told: on
// hardware its registers read as ones, in QEMU as zeros.
TEST_F(Removal, RegistersThatAreGoneEndInErrors)
{
    set_timeouts("2000", "1000");
    Card card(O_RDWR);
    const Mapping mapping = map(card);
    ASSERT_NE(mapping.memory, nullptr);
    set_memory_decoding(false);
    auto info = make<sq_ioc_info>();
    int error = card(SQ_IOC_INFO, info);
    EXPECT_TRUE(error == ENODEV || error == EPROTO) << error;
    Bytes back(data.size());
    error = fetch(card, handle, {0, kRows}, SQ_FORMAT_NATIVE, back);
    EXPECT_TRUE(error == ETIMEDOUT || error == EIO || error == ENODEV) << error;
    unbind();
    std::uint8_t value = 0;
    EXPECT_FALSE(load_byte(mapping.memory, &value));
    munmap(const_cast<std::uint8_t *>(mapping.memory), mapping.view.window_bytes);
    set_memory_decoding(true);
    bind();
}

TEST_F(Removal, SuspendIsRefused)
{
    if (read_file("/sys/power/state").find("freeze") == std::string::npos)
        GTEST_SKIP() << "this kernel has no suspend to idle";
    EXPECT_EQ(write_file("/sys/power/state", "freeze"), EBUSY);
}

} // namespace
} // namespace driver_abi
