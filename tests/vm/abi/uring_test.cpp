// SPDX-License-Identifier: MIT
//
// Transfers as io_uring commands: many in flight, registered buffers, errors.
#include "card.hpp"

#include <cerrno>
#include <set>

#include <fcntl.h>
#include <liburing.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

using Bytes = std::vector<std::uint8_t>;

class Ring {
public:
    explicit Ring(unsigned entries, unsigned flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32)
    {
        const int error = io_uring_queue_init(entries, &ring_, flags);
        EXPECT_EQ(error, 0);
    }
    ~Ring() { io_uring_queue_exit(&ring_); }

    io_uring *get() { return &ring_; }

    io_uring_sqe *add(const Card &card, std::uint32_t operation, const sq_uring_cmd &command,
                      std::uint64_t tag)
    {
        io_uring_sqe *entry = io_uring_get_sqe(&ring_);
        EXPECT_NE(entry, nullptr);
        std::memset(entry, 0, 128);
        entry->opcode = IORING_OP_URING_CMD;
        entry->fd = card.fd();
        entry->user_data = tag;
        // cmd_op shares its place with off in headers older than it.
        std::memcpy(reinterpret_cast<char *>(entry) + 8, &operation, sizeof(operation));
        std::memcpy(reinterpret_cast<char *>(entry) + 48, &command, sizeof(command));
        return entry;
    }

    struct Completion {
        std::uint64_t tag;
        int result;
        std::uint64_t status;
    };

    void submit() { EXPECT_GE(io_uring_submit(&ring_), 0); }

    Completion wait()
    {
        io_uring_cqe *entry = nullptr;
        EXPECT_EQ(io_uring_wait_cqe(&ring_, &entry), 0);
        const Completion completion = {entry->user_data, entry->res,
                                       ring_.flags & IORING_SETUP_CQE32 ? entry->big_cqe[0] : 0};
        io_uring_cqe_seen(&ring_, entry);
        return completion;
    }

private:
    io_uring ring_;
};

class Uring : public testing::Test {
protected:
    static constexpr std::uint32_t kRows = 64, kCols = 128;
    static constexpr std::size_t kRowBytes = kCols * 2;

    Card card{O_RDWR};
    Region region{card, "ring", SQ_DTYPE_BF16, kRows, kCols};
    Bytes data = bf16_pattern(kRows * kCols, 21);

    void SetUp() override
    {
        ASSERT_EQ(store(card, region.handle(), {0, kRows}, data), 0);
        auto info = make<sq_ioc_info>();
        ASSERT_EQ(card(SQ_IOC_INFO, info), 0);
        ASSERT_TRUE(info.driver_features & SQ_DRIVER_URING_CMD);
    }

    sq_uring_cmd row_fetch(std::uint32_t row, void *to) const
    {
        sq_uring_cmd command = {};
        command.handle = region.handle();
        command.format = SQ_FORMAT_NATIVE;
        command.first_row = row;
        command.row_count = 1;
        command.buffers = reinterpret_cast<std::uintptr_t>(to);
        command.length_bytes = kRowBytes;
        return command;
    }
};

TEST_F(Uring, ManyFetchesAreInFlightAtOnce)
{
    Ring ring(kRows);
    Bytes back(data.size());
    std::vector<sq_transfer_result> results(kRows);
    for (std::uint32_t row = 0; row < kRows; row++) {
        sq_uring_cmd command = row_fetch(row, back.data() + row * kRowBytes);
        command.result = reinterpret_cast<std::uintptr_t>(&results[row]);
        ring.add(card, SQ_URING_FETCH, command, row);
    }
    ring.submit();
    std::set<std::uint64_t> tags;
    for (std::uint32_t i = 0; i < kRows; i++) {
        const Ring::Completion completion = ring.wait();
        EXPECT_EQ(completion.result, 0);
        EXPECT_EQ(completion.status, static_cast<std::uint64_t>(SQ_STATUS_SUCCESS));
        EXPECT_EQ(results[completion.tag].bytes, kRowBytes);
        EXPECT_EQ(results[completion.tag].elements, kCols);
        tags.insert(completion.tag);
    }
    EXPECT_EQ(tags.size(), kRows);
    EXPECT_EQ(back, data);
}

// More than all queues have slots for.
TEST_F(Uring, MoreThanTheQueuesHoldComplete)
{
    constexpr unsigned kMany = 2048;
    Ring ring(kMany);
    std::vector<Bytes> back(kMany, Bytes(kRowBytes));
    for (unsigned i = 0; i < kMany; i++)
        ring.add(card, SQ_URING_FETCH, row_fetch(i % kRows, back[i].data()), i);
    ring.submit();
    for (unsigned i = 0; i < kMany; i++)
        ASSERT_EQ(ring.wait().result, 0) << i;
    for (unsigned i = 0; i < kMany; i++)
        ASSERT_EQ(std::memcmp(back[i].data(), data.data() + i % kRows * kRowBytes, kRowBytes), 0)
            << i;
}

TEST_F(Uring, StoreAndFlushWork)
{
    Ring ring(4);
    const Bytes changed = bf16_pattern(kRows * kCols, 22);
    sq_uring_cmd command = {};
    command.handle = region.handle();
    command.row_count = kRows;
    command.buffers = reinterpret_cast<std::uintptr_t>(changed.data());
    command.length_bytes = changed.size();
    ring.add(card, SQ_URING_STORE, command, 1);
    ring.submit();
    EXPECT_EQ(ring.wait().result, 0);
    sq_uring_cmd flush = {};
    flush.handle = region.handle();
    ring.add(card, SQ_URING_FLUSH, flush, 2);
    ring.add(card, SQ_URING_NOOP, sq_uring_cmd{}, 3);
    ring.submit();
    EXPECT_EQ(ring.wait().result, 0);
    EXPECT_EQ(ring.wait().result, 0);
    Bytes back(changed.size());
    ASSERT_EQ(fetch(card, region.handle(), {0, kRows}, SQ_FORMAT_NATIVE, back), 0);
    EXPECT_EQ(back, changed);
}

TEST_F(Uring, RegisteredBuffersWork)
{
    Ring ring(kRows);
    Bytes back(data.size() + 4096);
    iovec registered = {back.data(), back.size()};
    ASSERT_EQ(io_uring_register_buffers(ring.get(), &registered, 1), 0);
    // At an odd place, so that pieces cross pages.
    std::uint8_t *first = back.data() + 77;
    for (std::uint32_t row = 0; row < kRows; row++) {
        io_uring_sqe *entry = ring.add(card, SQ_URING_FETCH,
                                       row_fetch(row, first + row * kRowBytes), row);
        entry->rw_flags = 1; // IORING_URING_CMD_FIXED
    }
    ring.submit();
    for (std::uint32_t i = 0; i < kRows; i++)
        EXPECT_EQ(ring.wait().result, 0);
    EXPECT_EQ(std::memcmp(first, data.data(), data.size()), 0);

    // All rows in one, over many pages; then out of the registered range.
    std::fill(back.begin(), back.end(), 0);
    sq_uring_cmd whole = row_fetch(0, first);
    whole.row_count = kRows;
    whole.length_bytes = data.size();
    ring.add(card, SQ_URING_FETCH, whole, 1)->rw_flags = 1;
    ring.submit();
    EXPECT_EQ(ring.wait().result, 0);
    EXPECT_EQ(std::memcmp(first, data.data(), data.size()), 0);
    whole.buffers += 4096;
    ring.add(card, SQ_URING_FETCH, whole, 2)->rw_flags = 1;
    ring.submit();
    EXPECT_EQ(ring.wait().result, -EFAULT);
}

TEST_F(Uring, ScatteredBuffersWork)
{
    Ring ring(4);
    Bytes back(kRowBytes);
    const sq_buffer buffers[] = {
        {reinterpret_cast<std::uintptr_t>(back.data()), 3},
        {reinterpret_cast<std::uintptr_t>(back.data()) + 3, 100},
        {reinterpret_cast<std::uintptr_t>(back.data()) + 103, kRowBytes - 103},
    };
    sq_uring_cmd command = row_fetch(5, nullptr);
    command.buffers = reinterpret_cast<std::uintptr_t>(buffers);
    command.buffer_count = 3;
    command.length_bytes = 0;
    ring.add(card, SQ_URING_FETCH, command, 1);
    ring.submit();
    EXPECT_EQ(ring.wait().result, 0);
    EXPECT_EQ(std::memcmp(back.data(), data.data() + 5 * kRowBytes, kRowBytes), 0);
}

TEST_F(Uring, ErrorsComeWithTheirStatus)
{
    Ring ring(16);
    Bytes back(kRowBytes);
    const auto expect = [&](std::uint32_t operation, const sq_uring_cmd &command, int error,
                            std::uint64_t status = SQ_STATUS_SUCCESS) {
        ring.add(card, operation, command, 9);
        ring.submit();
        const Ring::Completion completion = ring.wait();
        EXPECT_EQ(completion.result, -error);
        EXPECT_EQ(completion.status, status);
    };
    const sq_uring_cmd good = row_fetch(0, back.data());
    sq_uring_cmd bad = good;
    bad.first_row = kRows;
    expect(SQ_URING_FETCH, bad, ERANGE, SQ_STATUS_RANGE);
    bad = good;
    bad.reserved[3] = 1;
    expect(SQ_URING_FETCH, bad, EOPNOTSUPP);
    bad = good;
    bad.flags = 0x80;
    expect(SQ_URING_FETCH, bad, EOPNOTSUPP);
    expect(SQ_IOC_SUBMIT, good, EOPNOTSUPP);
    bad = good;
    bad.buffers = 8;
    expect(SQ_URING_FETCH, bad, EFAULT);
    bad = good;
    bad.result = 8;
    expect(SQ_URING_FETCH, bad, EFAULT);
    bad = good;
    bad.length_bytes--;
    expect(SQ_URING_FETCH, bad, EMSGSIZE, SQ_STATUS_LENGTH);
    expect(SQ_URING_FETCH, good, 0);
}

TEST_F(Uring, SmallEntriesAreRefused)
{
    Ring ring(4, 0);
    io_uring_sqe *entry = io_uring_get_sqe(ring.get());
    std::memset(entry, 0, sizeof(*entry));
    entry->opcode = IORING_OP_URING_CMD;
    entry->fd = card.fd();
    const std::uint32_t operation = SQ_URING_NOOP;
    std::memcpy(reinterpret_cast<char *>(entry) + 8, &operation, sizeof(operation));
    ring.submit();
    EXPECT_EQ(ring.wait().result, -EINVAL);
}

TEST_F(Uring, ReadOnlyFilesMayNotStore)
{
    Card reader(O_RDONLY);
    Ring ring(4);
    sq_uring_cmd flush = {};
    ring.add(reader, SQ_URING_FLUSH, flush, 1);
    ring.submit();
    EXPECT_EQ(ring.wait().result, -EACCES);
}

// The process ends with commands in flight, results to write included.
TEST_F(Uring, AProcessMayEndInTheMiddle)
{
    for (int i = 0; i < 8; i++) {
        const pid_t child = fork();
        if (child == 0) {
            Ring ring(256);
            Bytes back(256 * kRowBytes);
            std::vector<sq_transfer_result> results(256);
            for (unsigned n = 0; n < 256; n++) {
                sq_uring_cmd command = row_fetch(n % kRows, back.data() + n * kRowBytes);
                command.result = reinterpret_cast<std::uintptr_t>(&results[n]);
                ring.add(card, SQ_URING_FETCH, command, n);
            }
            ring.submit();
            if (i % 2)
                kill(getpid(), SIGKILL);
            _exit(0);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
    }
    Bytes back(data.size());
    ASSERT_EQ(fetch(card, region.handle(), {0, kRows}, SQ_FORMAT_NATIVE, back), 0);
    EXPECT_EQ(back, data);
}

} // namespace
} // namespace driver_abi
