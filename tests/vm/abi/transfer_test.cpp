// SPDX-License-Identifier: MIT
//
// Synchronous transfers: what arrives, what is refused, what a killed process
// leaves behind.
#include "card.hpp"

#include <cerrno>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Transfer, NativeComesBackAsStored)
{
    Card card(O_RDWR);
    Region region(card, "native", SQ_DTYPE_BF16, 37, 129);
    const Bytes data = bf16_pattern(37 * 129, 1);
    sq_ioc_submit stored;
    ASSERT_EQ(store(card, region.handle(), {0, 37}, data, &stored), 0);
    EXPECT_EQ(stored.status, static_cast<__u32>(SQ_STATUS_SUCCESS));
    EXPECT_EQ(stored.result.bytes, data.size());
    EXPECT_EQ(stored.result.elements, 37u * 129u);

    Bytes back(data.size());
    sq_ioc_submit fetched;
    ASSERT_EQ(fetch(card, region.handle(), {0, 37}, SQ_FORMAT_NATIVE, back, &fetched), 0);
    EXPECT_EQ(back, data);
    EXPECT_EQ(fetched.result.bytes, data.size());
    EXPECT_EQ(fetched.result.format, SQ_FORMAT_NATIVE);
    EXPECT_GT(fetched.result.plane_lines, 0u);
}

// 1.0 in a group whose largest value is 1.0: g = 0, m = 1 / 2^(0 - 6) = 64.
TEST(Transfer, AFormatComesAsItsDocumentSays)
{
    Card card(O_RDWR);
    Region region(card, "ones", SQ_DTYPE_BF16, 1, 32);
    Bytes data;
    for (int i = 0; i < 32; i++) {
        data.push_back(0x80);
        data.push_back(0x3f);
    }
    ASSERT_EQ(store(card, region.handle(), {0, 1}, data), 0);
    Bytes expected(32, 64);
    expected.push_back(127);
    Bytes back(33);
    sq_ioc_submit out;
    ASSERT_EQ(fetch(card, region.handle(), {0, 1}, SQ_FORMAT_MXINT(8), back, &out), 0);
    EXPECT_EQ(back, expected);
    EXPECT_EQ(out.result.rounding, SQ_ROUNDING_NEAREST);
}

TEST(Transfer, PartsOfRowsGoWhereTheyBelong)
{
    Card card(O_RDWR);
    Region region(card, "parts", SQ_DTYPE_BF16, 16, 64);
    Bytes data = bf16_pattern(16 * 64, 2);
    ASSERT_EQ(store(card, region.handle(), {0, 16}, data), 0);
    const Bytes patch = bf16_pattern(2 * 64, 3);
    ASSERT_EQ(store(card, region.handle(), {5, 2}, patch), 0);
    std::copy(patch.begin(), patch.end(), data.begin() + 5 * 128);
    Bytes back(4 * 128);
    ASSERT_EQ(fetch(card, region.handle(), {4, 4}, SQ_FORMAT_NATIVE, back), 0);
    EXPECT_EQ(back, Bytes(data.begin() + 4 * 128, data.begin() + 8 * 128));
}

// Many small pieces at odd addresses: more than an entry holds.
TEST(Transfer, ScatteredBuffersAreFilledInOrder)
{
    Card card(O_RDWR);
    auto info = make<sq_ioc_info>();
    ASSERT_EQ(card(SQ_IOC_INFO, info), 0);
    Region region(card, "scattered", SQ_DTYPE_BF16, 8, 1024);
    const Bytes data = bf16_pattern(8 * 1024, 4);
    ASSERT_EQ(store(card, region.handle(), {0, 8}, data), 0);

    std::vector<Bytes> pieces;
    std::vector<sq_buffer> buffers;
    std::size_t left = data.size();
    for (std::uint32_t i = 0; i < info.buffers_max; i++) {
        const std::size_t bytes = i + 1 == info.buffers_max ? left : 1 + 7 * i % 501;
        pieces.emplace_back(bytes);
        left -= bytes;
    }
    for (Bytes &piece : pieces)
        buffers.push_back({reinterpret_cast<std::uintptr_t>(piece.data()), piece.size()});
    auto submit = make<sq_ioc_submit>();
    submit.opcode = SQ_OP_FETCH;
    submit.handle = region.handle();
    submit.format = SQ_FORMAT_NATIVE;
    submit.row_count = 8;
    submit.buffers = reinterpret_cast<std::uintptr_t>(buffers.data());
    submit.buffer_count = static_cast<__u32>(buffers.size());
    ASSERT_EQ(card(SQ_IOC_SUBMIT, submit), 0);

    Bytes back;
    for (const Bytes &piece : pieces)
        back.insert(back.end(), piece.begin(), piece.end());
    EXPECT_EQ(back, data);

    // And the other way.
    submit.opcode = SQ_OP_STORE;
    submit.format = SQ_ENCODING_DTYPE;
    ASSERT_EQ(card(SQ_IOC_SUBMIT, submit), 0);
    Bytes again(data.size());
    ASSERT_EQ(fetch(card, region.handle(), {0, 8}, SQ_FORMAT_NATIVE, again), 0);
    EXPECT_EQ(again, data);
}

TEST(Transfer, LargeOnesWork)
{
    Card card(O_RDWR);
    Region region(card, "large", SQ_DTYPE_U8, 17, 1 << 20);
    Bytes data(17 << 20);
    for (std::size_t i = 0; i < data.size(); i++)
        data[i] = static_cast<std::uint8_t>(i * 2654435761u >> 24);
    ASSERT_EQ(store(card, region.handle(), {0, 17}, data), 0);
    Bytes back(data.size() + 1);
    ASSERT_EQ(fetch(card, region.handle(), {0, 17}, SQ_FORMAT_NATIVE,
                    std::span(back).subspan(1)),
              0);
    EXPECT_EQ(std::memcmp(back.data() + 1, data.data(), data.size()), 0);
}

TEST(Transfer, APrecisionVectorNamesAFormatForEachBlock)
{
    Card card(O_RDWR);
    Region region(card, "mixed", SQ_DTYPE_BF16, 4, 32);
    ASSERT_EQ(store(card, region.handle(), {0, 4}, bf16_pattern(4 * 32, 5)), 0);
    Bytes high(2 * 33), low(2 * 17);
    ASSERT_EQ(fetch(card, region.handle(), {0, 2}, SQ_FORMAT_MXINT(8), high), 0);
    ASSERT_EQ(fetch(card, region.handle(), {2, 2}, SQ_FORMAT_MXINT(4), low), 0);

    Bytes both(high.size() + low.size());
    const sq_buffer buffer = {reinterpret_cast<std::uintptr_t>(both.data()), both.size()};
    const std::uint16_t formats[] = {SQ_FORMAT_MXINT(8), SQ_FORMAT_MXINT(4)};
    auto submit = make<sq_ioc_submit>();
    submit.opcode = SQ_OP_FETCH;
    submit.handle = region.handle();
    submit.row_count = 4;
    submit.buffers = reinterpret_cast<std::uintptr_t>(&buffer);
    submit.buffer_count = 1;
    submit.formats = reinterpret_cast<std::uintptr_t>(formats);
    submit.format_count = 2;
    submit.rows_per_format = 2;
    ASSERT_EQ(card(SQ_IOC_SUBMIT, submit), 0);
    Bytes expected = high;
    expected.insert(expected.end(), low.begin(), low.end());
    EXPECT_EQ(both, expected);
}

// Each request is right but for one thing.
class BadTransfer : public testing::Test {
protected:
    Card card{O_RDWR};
    Region region{card, "bad", SQ_DTYPE_BF16, 4, 32};
    Bytes data = bf16_pattern(4 * 32, 6);
    sq_buffer buffer = {reinterpret_cast<std::uintptr_t>(data.data()), data.size()};
    sq_ioc_submit good = make<sq_ioc_submit>();

    void SetUp() override
    {
        ASSERT_EQ(store(card, region.handle(), {0, 4}, data), 0);
        good.opcode = SQ_OP_FETCH;
        good.handle = region.handle();
        good.format = SQ_FORMAT_NATIVE;
        good.row_count = 4;
        good.buffers = reinterpret_cast<std::uintptr_t>(&buffer);
        good.buffer_count = 1;
    }

    void TearDown() override
    {
        sq_ioc_submit again = good;
        EXPECT_EQ(card(SQ_IOC_SUBMIT, again), 0) << "the card still works";
        EXPECT_EQ(data, bf16_pattern(4 * 32, 6)) << "and nothing was changed";
    }

    int submit(sq_ioc_submit request, std::uint32_t status = SQ_STATUS_SUCCESS)
    {
        const int error = card(SQ_IOC_SUBMIT, request);
        EXPECT_EQ(request.status, status);
        return error;
    }
};

TEST_F(BadTransfer, UnknownOperations)
{
    for (std::uint32_t opcode : {std::uint32_t{SQ_OP_ABORT}, 5u, 255u, ~0u}) {
        sq_ioc_submit bad = good;
        bad.opcode = opcode;
        EXPECT_EQ(submit(bad), EOPNOTSUPP) << opcode;
    }
}

TEST_F(BadTransfer, FieldsThatTheOperationDoesNotUse)
{
    sq_ioc_submit bad = good;
    bad.opcode = SQ_OP_NOOP;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = good;
    bad.opcode = SQ_OP_FLUSH;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = good;
    bad.opcode = SQ_OP_STORE;
    bad.format = SQ_ENCODING_DTYPE;
    bad.rounding = SQ_ROUNDING_EVEN;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = good;
    bad.flags = SQ_SUBMIT_ROUND;
    EXPECT_EQ(submit(bad), EOPNOTSUPP);
}

TEST_F(BadTransfer, Rows)
{
    sq_ioc_submit bad = good;
    bad.row_count = 0;
    EXPECT_EQ(submit(bad), EINVAL);
    bad.row_count = 5;
    EXPECT_EQ(submit(bad, SQ_STATUS_RANGE), ERANGE);
    bad.row_count = ~0u;
    bad.first_row = 1;
    EXPECT_EQ(submit(bad, SQ_STATUS_RANGE), ERANGE);
}

TEST_F(BadTransfer, Handle)
{
    sq_ioc_submit bad = good;
    bad.handle ^= 0x10000;
    EXPECT_EQ(submit(bad, SQ_STATUS_INVALID_HANDLE), ESTALE);
}

TEST_F(BadTransfer, Format)
{
    sq_ioc_submit bad = good;
    bad.format = 0x7f7f;
    EXPECT_EQ(submit(bad, SQ_STATUS_FORMAT), EOPNOTSUPP);
}

TEST_F(BadTransfer, Length)
{
    buffer.length_bytes--;
    EXPECT_EQ(submit(good, SQ_STATUS_LENGTH), EMSGSIZE);
    buffer.length_bytes = 0;
    EXPECT_EQ(submit(good), EINVAL);
    buffer.length_bytes = ~0ull;
    EXPECT_EQ(submit(good), EMSGSIZE);
    buffer.length_bytes = data.size();
}

TEST_F(BadTransfer, BufferAddresses)
{
    const std::uint64_t address = buffer.address;
    for (std::uint64_t bad : {0ull, 1ull << 63, ~0ull - 63, 0xffffffff81000000ull}) {
        buffer.address = bad;
        EXPECT_EQ(submit(good), EFAULT) << bad;
    }
    buffer.address = address;
}

TEST_F(BadTransfer, BufferArrays)
{
    sq_ioc_submit bad = good;
    bad.buffers = 8;
    EXPECT_EQ(submit(bad), EFAULT);
    bad = good;
    bad.buffer_count = 0;
    EXPECT_EQ(submit(bad), EINVAL);
    bad.buffer_count = ~0u;
    EXPECT_EQ(submit(bad), EINVAL);
}

TEST_F(BadTransfer, FetchIntoReadOnlyMemory)
{
    const std::uint64_t address = buffer.address;
    void *page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    buffer.address = reinterpret_cast<std::uintptr_t>(page);
    EXPECT_EQ(submit(good), EFAULT);
    buffer.address = address;
    munmap(page, 4096);
}

TEST_F(BadTransfer, PrecisionVectors)
{
    const std::uint16_t formats[] = {SQ_FORMAT_NATIVE, SQ_FORMAT_NATIVE};
    sq_ioc_submit vector = good;
    vector.format = SQ_FORMAT_TAG;
    vector.formats = reinterpret_cast<std::uintptr_t>(formats);
    vector.format_count = 2;
    vector.rows_per_format = 2;
    EXPECT_EQ(submit(vector), 0);

    sq_ioc_submit bad = vector;
    bad.format = SQ_FORMAT_NATIVE;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = vector;
    bad.rows_per_format = 0;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = vector;
    bad.format_count = 0;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = vector;
    bad.format_count = ~0u;
    EXPECT_EQ(submit(bad), EINVAL);
    bad = vector;
    bad.formats = 8;
    EXPECT_EQ(submit(bad), EFAULT);
    // As many formats as blocks, neither more nor fewer.
    bad = vector;
    bad.rows_per_format = 1;
    EXPECT_EQ(submit(bad, SQ_STATUS_INVALID_INPUT), EINVAL);
}

TEST_F(BadTransfer, NonFiniteWeightsAreNamed)
{
    Bytes poisoned = data;
    const std::size_t element = 2 * 32 + 7;
    poisoned[2 * element] = 0x80;
    poisoned[2 * element + 1] = 0x7f;
    sq_ioc_submit out;
    EXPECT_EQ(store(card, region.handle(), {0, 4}, poisoned, &out), EDOM);
    EXPECT_EQ(out.status, static_cast<__u32>(SQ_STATUS_NON_FINITE));
    EXPECT_EQ(out.result.error_row, 2u);
    EXPECT_EQ(out.result.error_col, 7u);
}

TEST(TransferLoad, ManyThreadsGetTheirOwnBytes)
{
    Card card(O_RDWR);
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 8; t++)
        threads.emplace_back([&card, t] {
            Region region(card, "thread" + std::to_string(t), SQ_DTYPE_BF16, 16, 256);
            for (std::uint32_t i = 0; i < 12; i++) {
                const Bytes data = bf16_pattern(16 * 256, 100 * t + i);
                Bytes back(data.size());
                EXPECT_EQ(store(card, region.handle(), {0, 16}, data), 0);
                EXPECT_EQ(fetch(card, region.handle(), {0, 16}, SQ_FORMAT_NATIVE, back), 0);
                EXPECT_EQ(back, data);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
}

// The memory of a killed process must stay until the device is done with it;
// the kernel's log would show it if not.
TEST(TransferLoad, KilledProcessesLeaveTheCardWorking)
{
    Card card(O_RDWR);
    Region region(card, "killed", SQ_DTYPE_BF16, 64, 4096);
    const Bytes data = bf16_pattern(64 * 4096, 8);
    ASSERT_EQ(store(card, region.handle(), {0, 64}, data), 0);
    for (int i = 0; i < 12; i++) {
        const pid_t child = fork();
        if (child == 0) {
            Bytes back(data.size());
            for (;;)
                if (fetch(card, region.handle(), {0, 64}, SQ_FORMAT_NATIVE, back) != 0)
                    _exit(1);
        }
        usleep(20000 + 7000 * i);
        ASSERT_EQ(kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status)) << "a fetch failed before the signal";
    }
    Bytes back(data.size());
    ASSERT_EQ(fetch(card, region.handle(), {0, 64}, SQ_FORMAT_NATIVE, back), 0);
    EXPECT_EQ(back, data);
}

} // namespace
} // namespace driver_abi
