// SPDX-License-Identifier: MIT
//
// What a crash leaves behind
//
// Loss of power: at every sync of a workload, images are made of what was
// durable before and an arbitrary choice of the sectors that were not. A
// killed process: a child that works on shared memory is killed at arbitrary
// instants. In each image that is left, the store opens, and each region is as
// it was at its last flush, or as the flush under way makes it, or absent if
// it never was flushed.
#include "store.hpp"

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <set>

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

using namespace controller;

// A region as a reopened store may show it.
struct Version {
    Bytes data;
    std::uint16_t precision;
    bool sealed;
    std::uint8_t coding = SQ_CODING_RAW;
    bool operator==(const Version&) const = default;
};
// Absent is an empty optional.
using Allowed = std::vector<std::optional<Version>>;
using Model = std::map<std::string, Allowed>;

std::optional<Version> version_of(const Store& store, const std::string& name)
{
    const auto handle = store.find(name);
    if (!handle)
        return std::nullopt;
    const auto info = store.info(handle);
    EXPECT_TRUE(store.verify(handle).empty()) << name;
    return Version{store.native(handle), info.precision, info.sealed, info.coding};
}

// Opens an image and compares each region with what it may be.
void check_image(const Bytes& image, const Model& model, const std::string& what)
{
    Store store(image);
    ASSERT_EQ(store.open_status(), SQ_STATUS_SUCCESS) << what << ": " << store.reason;
    std::uint64_t used = 0;
    std::uint32_t regions = 0;
    for (const auto& [name, allowed] : model) {
        const auto version = version_of(store, name);
        ASSERT_NE(std::find(allowed.begin(), allowed.end(), version), allowed.end())
            << what << ": " << name << (version ? " is a mix or too old" : " is missing");
        if (version) {
            used += store.info(store.find(name)).stored_bytes;
            ++regions;
        }
    }
    EXPECT_EQ(store.info().used_bytes, used) << what << ": plane memory of no region is lost";
    EXPECT_EQ(store.info().regions, regions) << what << ": no other region came up";
}

// Runs operations on a store, and knows what each may leave.
class Workload {
public:
    explicit Workload(Store& store) : store_(store) {}

    const Model& model() const { return model_; }

    void create(const std::string& name, std::uint32_t rows, std::uint32_t cols, std::uint8_t dtype)
    {
        store_.make(name, rows, cols, dtype);
        visible_[name] = {Bytes(std::size_t{rows} * cols * sqc_dtype_bytes(dtype), 0), SQ_FORMAT_NATIVE, false};
        model_[name] = {std::nullopt};
    }
    sqc_status write(const std::string& name, std::uint32_t first, std::uint32_t count, std::uint64_t seed)
    {
        const auto info = store_.info(store_.find(name));
        const auto data = weights(info.dtype, std::uint64_t{count} * info.cols, seed);
        const auto status = store_.write(store_.find(name), data, first, count);
        if (status == SQ_STATUS_SUCCESS)
            std::copy(data.begin(), data.end(), visible_[name].data.begin() + static_cast<std::ptrdiff_t>(first * data.size() / count));
        return status;
    }
    sqc_status flush(const std::string& name) { return change({name}, [&] { return sqc_flush(store_.get(), store_.find(name)); }); }
    sqc_status flush_all()
    {
        std::vector<std::string> names;
        for (const auto& [name, version] : visible_)
            names.push_back(name);
        return change(names, [&] { return sqc_flush(store_.get(), 0); });
    }
    sqc_status seal(const std::string& name)
    {
        const auto before = visible_[name];
        visible_[name].sealed = true;
        const auto status = change({name}, [&] { return sqc_region_seal(store_.get(), store_.find(name)); });
        if (status != SQ_STATUS_SUCCESS)
            visible_[name] = before;
        return status;
    }
    sqc_status pack(const std::string& name)
    {
        const auto before = visible_[name];
        visible_[name].sealed = true;
        visible_[name].coding = SQ_CODING_PACKED;
        const auto status = change({name}, [&] { return sqc_region_pack(store_.get(), store_.find(name), nullptr); });
        if (status != SQ_STATUS_SUCCESS)
            visible_[name] = before;
        return status;
    }
    // Of a region that was flushed: what was written since stays volatile.
    sqc_status tag(const std::string& name, std::uint16_t format)
    {
        auto& allowed = model_[name];
        const auto before = allowed;
        if (allowed.back()) {
            auto next = *allowed.back();
            next.precision = format;
            allowed.push_back(next);
        }
        const auto status = sqc_region_set_precision(store_.get(), store_.find(name), format);
        if (status == SQ_STATUS_SUCCESS) {
            allowed = {allowed.back()};
            visible_[name].precision = format;
        } else {
            allowed = before;
        }
        return status;
    }
    sqc_status remove(const std::string& name)
    {
        auto& allowed = model_[name];
        const auto before = allowed;
        allowed.push_back(std::nullopt);
        const auto status = sqc_region_delete(store_.get(), store_.find(name));
        allowed = status == SQ_STATUS_SUCCESS ? Allowed{std::nullopt} : before;
        if (status == SQ_STATUS_SUCCESS)
            visible_.erase(name);
        return status;
    }
    // What reads show now.
    void check_visible() const
    {
        for (const auto& [name, version] : visible_) {
            EXPECT_TRUE(version_of(store_, name) == version) << name;
        }
    }

private:
    template <typename Operation>
    sqc_status change(const std::vector<std::string>& names, Operation operation)
    {
        const auto before = model_;
        for (const auto& name : names)
            model_[name].push_back(visible_[name]);
        const auto status = operation();
        if (status != SQ_STATUS_SUCCESS) {
            model_ = before;
            return status;
        }
        for (const auto& name : names)
            model_[name] = {visible_[name]};
        return status;
    }

    Store& store_;
    Model model_;
    std::map<std::string, Version> visible_;
};

// One of everything, with rewrites in between, in a store of 2 MiB.
void run(Workload& work, const std::function<void(sqc_status)>& done)
{
    work.create("a", 3, 700, SQ_DTYPE_BF16);
    work.create("b", 40, 1999, SQ_DTYPE_BF16);  // two segments
    done(work.write("a", 0, 3, 1));
    done(work.flush("a"));
    done(work.write("a", 1, 1, 2));
    done(work.write("b", 0, 40, 3));
    done(work.tag("a", SQ_FORMAT_MXINT(4)));
    done(work.flush_all());
    done(work.write("b", 30, 10, 4));
    work.create("c", 2, 300, SQ_DTYPE_FP32);
    done(work.write("c", 0, 2, 5));
    done(work.seal("c"));
    done(work.write("b", 0, 5, 6));
    done(work.flush("b"));
    done(work.remove("a"));
    work.create("a", 5, 33, SQ_DTYPE_FP16);
    done(work.write("a", 0, 5, 7));
    done(work.flush("a"));
    done(work.write("b", 0, 40, 8));
    done(work.write("a", 4, 1, 9));
    done(work.flush_all());
    done(work.remove("c"));
    done(work.tag("b", SQ_FORMAT_MXINT(6)));
    done(work.write("b", 7, 20, 10));
    done(work.pack("b"));  // written since its last flush
    done(work.tag("b", SQ_FORMAT_MXINT(5)));
    work.create("d", 9, 100, SQ_DTYPE_FP32);
    done(work.pack("d"));  // never written, never flushed
    done(work.seal("a"));
    done(work.pack("a"));
    done(work.remove("b"));
}

// Keeps what is durable, and makes images of what a loss of power may leave.
class PowerLoss {
public:
    explicit PowerLoss(Store& store) : store_(store), durable_(store.memory().copy())
    {
        store_.environment.on_sync = [this](std::uint64_t offset, std::uint64_t bytes) {
            if (before_sync)
                before_sync();
            const auto* memory = store_.memory().get();
            std::copy(memory + offset, memory + offset + bytes, durable_.begin() + static_cast<std::ptrdiff_t>(offset));
            return 0;
        };
    }
    // Each sector as it is durable, or as it is in memory, by a coin of weight
    // `percent`.
    Bytes image(std::uint64_t seed, unsigned percent) const
    {
        constexpr std::size_t sector = 512;
        std::mt19937_64 random(seed);
        Bytes image = durable_;
        const auto* memory = store_.memory().get();
        for (std::size_t at = 0; at < image.size(); at += sector) {
            if (random() % 100 < percent)
                std::memcpy(&image[at], memory + at, sector);
        }
        return image;
    }

    std::function<void()> before_sync;

private:
    Store& store_;
    Bytes durable_;
};

TEST(Persistence, SurvivesALossOfPowerAtEverySync)
{
    Store store(2u << 20);
    PowerLoss power(store);
    Workload work(store);
    std::uint64_t images = 0;
    power.before_sync = [&] {
        for (const unsigned percent : {0u, 20u, 50u, 80u, 97u, 100u}) {
            check_image(power.image(++images, percent), work.model(), "sync " + std::to_string(store.environment.syncs));
        }
    };
    run(work, [&](sqc_status status) {
        ASSERT_EQ(status, SQ_STATUS_SUCCESS);
        check_image(power.image(++images, 0), work.model(), "between operations, nothing more written back");
        check_image(power.image(++images, 60), work.model(), "between operations");
    });
    work.check_visible();
    EXPECT_GT(images, 150u);
}

TEST(Persistence, SurvivesALossOfPowerWhileTheJournalChangesHalves)
{
    Store store(1u << 20);
    PowerLoss power(store);
    Workload work(store);
    for (int i = 0; i < 40; ++i) {
        const auto name = std::string(200, 'n') + std::to_string(i);
        work.create(name, 1, 32, SQ_DTYPE_BF16);
        ASSERT_EQ(work.write(name, 0, 1, static_cast<std::uint64_t>(i)), SQ_STATUS_SUCCESS);
    }
    ASSERT_EQ(work.flush_all(), SQ_STATUS_SUCCESS);
    const auto name = std::string(200, 'n') + "0";
    // Records append; a checkpoint writes the other half and a superblock.
    std::set<std::uint64_t> places;
    std::uint64_t seed = 0;
    power.before_sync = [&] {
        for (const unsigned percent : {0u, 50u, 100u})
            check_image(power.image(++seed, percent), work.model(), "commit " + std::to_string(store.environment.syncs));
    };
    const auto syncs = store.environment.syncs;
    constexpr int commits = 250;
    for (std::uint16_t i = 0; i < commits; ++i)
        ASSERT_EQ(work.tag(name, static_cast<std::uint16_t>(SQ_FORMAT_MXINT(2 + i % 7))), SQ_STATUS_SUCCESS);
    EXPECT_GE(store.environment.syncs - syncs, commits + 2) << "a commit is one sync, a change of halves two";
}

TEST(Persistence, AFailedSyncChangesNothingAndCanBeTriedAgain)
{
    for (long failing = 0;; ++failing) {
        Store store(2u << 20);
        Workload work(store);
        long calls = 0;
        bool failed = false;
        store.environment.on_sync = [&](std::uint64_t, std::uint64_t) { return calls++ == failing ? -1 : 0; };
        // Each operation is repeated until it goes well; a failed one must not
        // be seen by a process that opens the store after it.
        std::vector<std::function<sqc_status()>> operations = {
            [&] { return work.write("a", 0, 3, 1); },  [&] { return work.flush("a"); },
            [&] { return work.write("b", 0, 40, 2); }, [&] { return work.flush_all(); },
            [&] { return work.write("b", 5, 9, 3); },  [&] { return work.tag("b", SQ_FORMAT_MXINT(3)); },
            [&] { return work.seal("b"); },            [&] { return work.pack("b"); },
            [&] { return work.pack("a"); },            [&] { return work.remove("a"); },
        };
        work.create("a", 3, 700, SQ_DTYPE_BF16);
        work.create("b", 40, 1999, SQ_DTYPE_BF16);
        for (const auto& operation : operations) {
            auto status = operation();
            if (status == SQ_STATUS_SYNC_FAILED) {
                ASSERT_FALSE(failed);
                failed = true;
                work.check_visible();
                check_image(store.memory().copy(), work.model(), "after failed sync " + std::to_string(failing));
                status = operation();
            }
            ASSERT_EQ(status, SQ_STATUS_SUCCESS) << "sync " << failing;
        }
        work.check_visible();
        check_image(store.memory().copy(), work.model(), "at the end");
        if (!failed) {
            EXPECT_GT(failing, 10);
            break;
        }
    }
}

TEST(Persistence, AStoreThatCannotTakeARecordBackRefusesFurtherChanges)
{
    Store store;
    const auto handle = store.make("w", 1, 32);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 32, 1)), SQ_STATUS_SUCCESS);
    long calls = 0;
    // Planes, tail and map go well; the record and its withdrawal do not.
    store.environment.on_sync = [&](std::uint64_t, std::uint64_t) { return ++calls > 3 ? -1 : 0; };
    EXPECT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SYNC_FAILED);
    EXPECT_EQ(calls, 5);
    store.environment.on_sync = nullptr;
    EXPECT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SYNC_FAILED) << "nobody knows what is durable";
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 32, 2)), SQ_STATUS_SYNC_FAILED);
    EXPECT_EQ(store.native(handle), weights(SQ_DTYPE_BF16, 32, 1)) << "reads go on";
}

TEST(Persistence, AnInterruptedFormatLeavesABlankOrAnEmptyStore)
{
    const std::uint64_t bytes = 1u << 20;
    Memory memory(bytes);
    std::memset(memory.get(), 0x5a, bytes);
    Bytes durable = memory.copy();
    Environment environment;
    environment.on_sync = [&](std::uint64_t offset, std::uint64_t length) {
        for (std::uint64_t seed = 0; seed < 20 && environment.syncs > 1; ++seed) {
            std::mt19937_64 random(seed);
            Bytes image = durable;
            for (std::size_t at = 0; at < bytes; at += 512) {
                if (random() % 2)
                    std::memcpy(&image[at], memory.get() + at, 512);
            }
            Store store(image);
            if (!sqc_is_blank(image.data(), bytes)) {
                EXPECT_EQ(store.open_status(), SQ_STATUS_SUCCESS) << store.reason;
                EXPECT_EQ(store.info().regions, 0u);
            }
        }
        std::memcpy(&durable[offset], memory.get() + offset, length);
        return 0;
    };
    const auto env = environment.get();
    ASSERT_EQ(sqc_format(memory.get(), bytes, &env), SQ_STATUS_SUCCESS);
    EXPECT_EQ(environment.syncs, 3);
}

TEST(Persistence, WhatWasNotFlushedIsGoneAfterAReopen)
{
    Store store;
    const auto kept = store.make("kept", 2, 64);
    const auto data = weights(SQ_DTYPE_BF16, 128, 1);
    ASSERT_EQ(store.write(kept, data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), kept), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(kept, weights(SQ_DTYPE_BF16, 64, 2), 0, 1), SQ_STATUS_SUCCESS);
    const auto lost = store.make("lost", 2, 64);
    ASSERT_EQ(store.write(lost, data), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.find("lost"), 0u);
    EXPECT_EQ(store.native(store.find("kept")), data);
    EXPECT_EQ(store.info().used_bytes, store.info(store.find("kept")).stored_bytes);
}

// A child flushes version after version of a region of two segments, and
// tells in shared memory which one is durable.
void child_work(std::uint8_t* memory, std::uint64_t bytes, volatile std::uint64_t* flushed)
{
    Environment environment;
    const auto env = environment.get();
    sqc_store* store = nullptr;
    if (sqc_open(&store, memory, bytes, &env, 0, 0, nullptr) != SQ_STATUS_SUCCESS)
        _exit(1);
    std::uint32_t handle = 0;
    sqc_region_find(store, "w", 1, &handle);
    for (std::uint64_t version = *flushed + 1;; ++version) {
        const Bytes data = weights(SQ_DTYPE_BF16, 40 * 2000, version);
        const sqc_write_request request = {handle, SQ_ENCODING_DTYPE, 0, 0, 40};
        Result result;
        if (sqc_write(store, &request, data.data(), data.size(), &result) != SQ_STATUS_SUCCESS)
            _exit(2);
        if (sqc_flush(store, 0) != SQ_STATUS_SUCCESS)
            _exit(3);
        *flushed = version;
    }
}

TEST(Persistence, SurvivesProcessesKilledAtAnyInstant)
{
    constexpr std::uint64_t bytes = 2u << 20;
    auto* shared = static_cast<std::uint8_t*>(
        mmap(nullptr, bytes + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(shared, MAP_FAILED);
    auto* flushed = reinterpret_cast<volatile std::uint64_t*>(shared + bytes);
    {
        Store store(bytes);
        store.make("w", 40, 2000);
        ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
        std::memcpy(shared, store.memory().get(), bytes);
    }
    std::mt19937 random(1);
    for (int round = 0; round < 60; ++round) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0)
            child_work(shared, bytes, flushed);
        const timespec delay = {0, static_cast<long>(1000000 + random() % 15000000)};
        nanosleep(&delay, nullptr);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);
        const std::uint64_t version = *flushed;
        // The flush after the last one told of may have become durable.
        Allowed allowed;
        for (const auto v : {version, version + 1})
            allowed.push_back(Version{v ? weights(SQ_DTYPE_BF16, 40 * 2000, v) : Bytes(160000, 0), SQ_FORMAT_NATIVE, false});
        check_image(Bytes(shared, shared + bytes), {{"w", allowed}}, "round " + std::to_string(round));
        if (HasFatalFailure())
            break;
        Store store(Bytes(shared, shared + bytes));
        if (version_of(store, "w") == allowed[1])
            *flushed = version + 1;
    }
    EXPECT_GT(*flushed, 10u) << "the children got to work";
    munmap(shared, bytes + 4096);
}

// A child packs a region; whenever it is killed, the region is raw and whole,
// or packed and whole.
TEST(Persistence, AProcessKilledWhilePackingLeavesTheRegionRawOrPacked)
{
    constexpr std::uint64_t bytes = 4u << 20;
    auto* shared = static_cast<std::uint8_t*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(shared, MAP_FAILED);
    Store store(bytes);
    const auto data = weights(SQ_DTYPE_BF16, 40 * 8000, 1);
    ASSERT_EQ(store.write(store.make("w", 40, 8000), data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    const Allowed allowed = {Version{data, SQ_FORMAT_NATIVE, false}, Version{data, SQ_FORMAT_NATIVE, true, SQ_CODING_PACKED}};
    std::mt19937 random(1);
    unsigned raw = 0;
    for (int round = 0; round < 60; ++round) {
        std::memcpy(shared, store.memory().get(), bytes);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            Environment environment;
            const auto env = environment.get();
            sqc_store* packing = nullptr;
            if (sqc_open(&packing, shared, bytes, &env, 0, 0, nullptr) != SQ_STATUS_SUCCESS)
                _exit(1);
            _exit(sqc_region_pack(packing, store.find("w"), nullptr) == SQ_STATUS_SUCCESS ? 0 : 2);
        }
        const timespec delay = {0, static_cast<long>(random() % 60000000)};
        nanosleep(&delay, nullptr);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
        check_image(Bytes(shared, shared + bytes), {{"w", allowed}}, "round " + std::to_string(round));
        if (HasFatalFailure())
            break;
        raw += WIFSIGNALED(status);
    }
    EXPECT_GT(raw, 0u) << "no child was killed in time";
    munmap(shared, bytes);
}

}  // namespace
