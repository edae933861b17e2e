// SPDX-License-Identifier: MIT
//
// The rules that hold for every ioctl, by a loop over all of them: sizes,
// tails, flags, reserved fields, rights. One wrong thing at a time, and each
// request is right but for it.
#include "card.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

struct Field {
    std::size_t offset;
    std::size_t bytes;
};

// What a request may refer to.
struct World {
    Card card{O_RDWR};
    Region region{card, "rules", SQ_DTYPE_BF16, 4, 64};
    std::vector<std::uint8_t> data = bf16_pattern(4 * 64, 1);
    std::uint32_t handles[16] = {};
    std::uint32_t view = 0;
    bool packs = false; // the device knows coding packed

    World();
    ~World();

    // A region "victim" for create and delete: there or not, its handle.
    static void name_victim(sq_ioc_region_create &create);
    std::uint32_t add_victim() const;
    void remove_victim() const;
};

using Bytes = std::vector<std::uint8_t>;

struct Request {
    const char *name;
    unsigned long request;
    std::size_t size;
    std::uint32_t flags;
    bool write;
    bool admin;
    std::vector<Field> reserved;
    int expected; // of the right request
    std::function<void(World &, Bytes &)> fill;
};

World::World()
{
    if (store(card, region.handle(), {0, 4}, data))
        throw std::runtime_error("cannot store");
    auto map = make<sq_ioc_view>();
    map.handle = region.handle();
    map.format = SQ_FORMAT_NATIVE;
    map.row_count = 4;
    if (card(SQ_IOC_VIEW_MAP, map))
        throw std::runtime_error("cannot map a view");
    view = map.view;
    auto info = make<sq_ioc_info>();
    if (card(SQ_IOC_INFO, info))
        throw std::runtime_error("no information");
    packs = info.device_features & SQ_FEATURE_PACKED;
}

World::~World()
{
    auto unmap = make<sq_ioc_view_unmap>();
    unmap.view = view;
    card(SQ_IOC_VIEW_UNMAP, unmap);
    remove_victim();
}

void World::name_victim(sq_ioc_region_create &create)
{
    create.dtype = SQ_DTYPE_U8;
    create.placement = SQ_PLACEMENT_BYTES;
    create.rows = 1;
    create.cols = 1;
    create.name_bytes = 6;
    std::memcpy(create.name, "victim", 6);
}

std::uint32_t World::add_victim() const
{
    remove_victim();
    auto create = make<sq_ioc_region_create>();
    name_victim(create);
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, create), 0);
    return create.handle;
}

void World::remove_victim() const
{
    auto find = make<sq_ioc_region>();
    find.name_bytes = 6;
    std::memcpy(find.name, "victim", 6);
    if (card(SQ_IOC_REGION_FIND, find))
        return;
    auto remove = make<sq_ioc_handle>();
    remove.handle = find.handle;
    EXPECT_EQ(card(SQ_IOC_REGION_DELETE, remove), 0);
}

template <class Argument>
std::function<void(World &, Bytes &)> filler(void (*fill)(World &, Argument &))
{
    return [fill](World &world, Bytes &bytes) {
        auto argument = make<Argument>();
        fill(world, argument);
        std::memcpy(bytes.data(), &argument, sizeof(argument));
    };
}

std::vector<Request> requests(bool packs = true)
{
    const auto nothing = [](World &, auto &) {};
    const auto region = [](World &world, auto &argument) {
        argument.handle = world.region.handle();
    };
    const auto view = [](World &world, auto &argument) { argument.view = world.view; };
    return {
        {"INFO", SQ_IOC_INFO, sizeof(sq_ioc_info), 0, false, false, {}, 0,
         filler<sq_ioc_info>(nothing)},
        {"REGION_CREATE", SQ_IOC_REGION_CREATE, sizeof(sq_ioc_region_create), 0, true, false,
         {{offsetof(sq_ioc_region_create, reserved), 4}}, 0,
         filler<sq_ioc_region_create>([](World &world, sq_ioc_region_create &create) {
             world.remove_victim();
             World::name_victim(create);
         })},
        {"REGION_DELETE", SQ_IOC_REGION_DELETE, sizeof(sq_ioc_handle), 0, true, true, {}, 0,
         filler<sq_ioc_handle>([](World &world, sq_ioc_handle &argument) {
             argument.handle = world.add_victim();
         })},
        {"REGION_SEAL", SQ_IOC_REGION_SEAL, sizeof(sq_ioc_handle), 0, true, false, {}, ESTALE,
         filler<sq_ioc_handle>([](World &, sq_ioc_handle &argument) { argument.handle = ~0u; })},
        {"REGION_PACK", SQ_IOC_REGION_PACK, sizeof(sq_ioc_handle), 0, true, false, {},
         packs ? ESTALE : EOPNOTSUPP,
         filler<sq_ioc_handle>([](World &, sq_ioc_handle &argument) { argument.handle = ~0u; })},
        {"REGION_GET", SQ_IOC_REGION_GET, sizeof(sq_ioc_region), 0, false, false,
         {{offsetof(sq_ioc_region, reserved), 1}, {offsetof(sq_ioc_region, reserved2), 4}}, 0,
         filler<sq_ioc_region>(region)},
        {"REGION_FIND", SQ_IOC_REGION_FIND, sizeof(sq_ioc_region), 0, false, false,
         {{offsetof(sq_ioc_region, reserved), 1}, {offsetof(sq_ioc_region, reserved2), 4}}, 0,
         filler<sq_ioc_region>([](World &, sq_ioc_region &argument) {
             argument.name_bytes = 5;
             std::memcpy(argument.name, "rules", 5);
         })},
        {"REGION_LIST", SQ_IOC_REGION_LIST, sizeof(sq_ioc_region_list), 0, false, false,
         {{offsetof(sq_ioc_region_list, reserved), 4}}, 0,
         filler<sq_ioc_region_list>([](World &world, sq_ioc_region_list &list) {
             list.max = 16;
             list.handles = reinterpret_cast<std::uintptr_t>(world.handles);
         })},
        {"REGION_SET_PRECISION", SQ_IOC_REGION_SET_PRECISION, sizeof(sq_ioc_region_precision), 0,
         true, false,
         {{offsetof(sq_ioc_region_precision, reserved), 2},
          {offsetof(sq_ioc_region_precision, reserved2), 4}},
         0,
         filler<sq_ioc_region_precision>([](World &world, sq_ioc_region_precision &precision) {
             precision.handle = world.region.handle();
             precision.format = SQ_FORMAT_NATIVE;
         })},
        {"VIEW_MAP", SQ_IOC_VIEW_MAP, sizeof(sq_ioc_view), 0, false, false, {}, ERANGE,
         filler<sq_ioc_view>([](World &world, sq_ioc_view &argument) {
             argument.handle = world.region.handle();
             argument.format = SQ_FORMAT_NATIVE;
             argument.first_row = 4;
             argument.row_count = 1;
         })},
        {"VIEW_GET", SQ_IOC_VIEW_GET, sizeof(sq_ioc_view), 0, false, false, {}, 0,
         filler<sq_ioc_view>(view)},
        {"VIEW_UNMAP", SQ_IOC_VIEW_UNMAP, sizeof(sq_ioc_view_unmap), 0, false, false, {}, ENOENT,
         filler<sq_ioc_view_unmap>(
             [](World &, sq_ioc_view_unmap &argument) { argument.view = ~0u; })},
        {"VIEW_EXPORT", SQ_IOC_VIEW_EXPORT, sizeof(sq_ioc_view_export), 0, false, false,
         {{offsetof(sq_ioc_view_export, reserved), 4}}, ENOENT,
         filler<sq_ioc_view_export>(
             [](World &, sq_ioc_view_export &argument) { argument.view = ~0u; })},
        {"STATISTICS_GET", SQ_IOC_STATISTICS_GET, sizeof(sq_ioc_statistics), 0, false, false,
         {{offsetof(sq_ioc_statistics, reserved), 4}}, 0, filler<sq_ioc_statistics>(nothing)},
        {"STATISTICS_RESET", SQ_IOC_STATISTICS_RESET, sizeof(sq_ioc_statistics), 0, true, false,
         {{offsetof(sq_ioc_statistics, reserved), 4}}, 0,
         filler<sq_ioc_statistics>([](World &world, sq_ioc_statistics &argument) {
             argument.scope = SQ_STATISTICS_REGION;
             argument.key = world.region.handle();
         })},
        {"VERIFY", SQ_IOC_VERIFY, sizeof(sq_ioc_verify), 0, false, false, {}, 0,
         filler<sq_ioc_verify>(region)},
        {"BACKGROUND", SQ_IOC_BACKGROUND, sizeof(sq_ioc_background), 0, false, false,
         {{offsetof(sq_ioc_background, reserved), 4}}, 0, filler<sq_ioc_background>(nothing)},
        // Without its flag it only shows that it was understood.
        {"SANITIZE", SQ_IOC_SANITIZE, sizeof(sq_ioc_sanitize), SQ_SANITIZE_ALL, true, true,
         {{offsetof(sq_ioc_sanitize, reserved), 4}}, EINVAL, filler<sq_ioc_sanitize>(nothing)},
        {"FLUSH", SQ_IOC_FLUSH, sizeof(sq_ioc_handle), 0, true, false, {}, 0,
         filler<sq_ioc_handle>(region)},
        {"FEATURE_GET", SQ_IOC_FEATURE_GET, sizeof(sq_ioc_feature), 0, false, false,
         {{offsetof(sq_ioc_feature, reserved), 4}}, 0,
         filler<sq_ioc_feature>([](World &, sq_ioc_feature &feature) {
             feature.id = SQ_FEATURE_ID_DEFAULT_ROUNDING;
         })},
        {"FEATURE_SET", SQ_IOC_FEATURE_SET, sizeof(sq_ioc_feature), 0, true, true,
         {{offsetof(sq_ioc_feature, reserved), 4}}, 0,
         filler<sq_ioc_feature>([](World &, sq_ioc_feature &feature) {
             feature.id = SQ_FEATURE_ID_DEFAULT_ROUNDING;
         })},
        {"HDM_INFO", SQ_IOC_HDM_INFO, sizeof(sq_ioc_hdm_info), 0, false, false, {}, 0,
         filler<sq_ioc_hdm_info>(nothing)},
        {"SUBMIT", SQ_IOC_SUBMIT, sizeof(sq_ioc_submit), SQ_SUBMIT_ROUND, false, false,
         {{offsetof(sq_ioc_submit, reserved), 4}}, 0,
         filler<sq_ioc_submit>(
             [](World &, sq_ioc_submit &submit) { submit.opcode = SQ_OP_NOOP; })},
    };
}

// Runs `body` for each request, with the right request in a page of its own.
void for_each_request(const std::function<void(World &, const Request &, Bytes &)> &body)
{
    World world;
    for (const Request &request : requests(world.packs)) {
        SCOPED_TRACE(request.name);
        Bytes bytes(8192);
        request.fill(world, bytes);
        body(world, request, bytes);
    }
}

void set_size(Bytes &bytes, std::uint32_t size)
{
    std::memcpy(bytes.data(), &size, sizeof(size));
}

unsigned long with_size(unsigned long request, std::size_t size)
{
    return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
}

TEST(IoctlRules, RightRequestsAreUnderstood)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), request.expected);
    });
}

TEST(IoctlRules, EveryNumberOfTheHeaderIsTested)
{
    std::vector<unsigned> numbers;
    for (const Request &request : requests())
        numbers.push_back(_IOC_NR(request.request));
    for (unsigned number = 0; number <= _IOC_NR(SQ_IOC_SUBMIT); number++)
        EXPECT_NE(std::find(numbers.begin(), numbers.end(), number), numbers.end()) << number;
}

TEST(IoctlRules, ShortStructuresAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        for (std::size_t size : {std::size_t{0}, std::size_t{4}, request.size - 1}) {
            set_size(bytes, static_cast<std::uint32_t>(size));
            EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), EINVAL) << size;
        }
    });
}

TEST(IoctlRules, LongStructuresWithZeroTailsWork)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        set_size(bytes, static_cast<std::uint32_t>(request.size + 64));
        const auto longer = with_size(request.request, request.size + 64);
        EXPECT_EQ(call(world.card.fd(), longer, bytes.data()), request.expected);
    });
}

TEST(IoctlRules, TailsAreNotWritten)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        call(world.card.fd(), request.request, bytes.data());
        for (std::size_t i = request.size; i < bytes.size(); i++)
            ASSERT_EQ(bytes[i], 0) << i;
    });
}

TEST(IoctlRules, LongStructuresWithJunkAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        set_size(bytes, static_cast<std::uint32_t>(request.size + 64));
        bytes[request.size + 63] = 1;
        EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), E2BIG);
    });
}

TEST(IoctlRules, StructuresOverAPageAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        for (std::uint32_t size : {4097u, ~0u}) {
            set_size(bytes, size);
            EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), E2BIG) << size;
        }
    });
}

TEST(IoctlRules, UnknownFlagsAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        for (int bit = 0; bit < 32; bit++) {
            const std::uint32_t flags = 1u << bit;
            if (flags & request.flags)
                continue;
            std::memcpy(bytes.data() + 4, &flags, sizeof(flags));
            EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), EOPNOTSUPP) << bit;
        }
    });
}

TEST(IoctlRules, ReservedFieldsAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        for (const Field &field : request.reserved) {
            for (std::size_t i = 0; i < field.bytes; i++) {
                bytes[field.offset + i] = 1;
                EXPECT_EQ(call(world.card.fd(), request.request, bytes.data()), EOPNOTSUPP)
                    << field.offset << " + " << i;
                bytes[field.offset + i] = 0;
            }
        }
    });
}

TEST(IoctlRules, BadPointersAreRefused)
{
    for_each_request([](World &world, const Request &request, Bytes &) {
        EXPECT_EQ(call(world.card.fd(), request.request, nullptr), EFAULT);
        EXPECT_EQ(call(world.card.fd(), request.request, reinterpret_cast<void *>(~0ul - 64)),
                  EFAULT);
    });
}

// The size can be read, the rest of the structure lies on an absent page.
TEST(IoctlRules, StructuresThatEndInNothingAreRefused)
{
    const std::size_t page = 4096;
    auto *pages = static_cast<std::uint8_t *>(
        mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(pages, MAP_FAILED);
    ASSERT_EQ(munmap(pages + page, page), 0);
    for_each_request([&](World &world, const Request &request, Bytes &bytes) {
        std::uint8_t *head = pages + page - 8;
        std::memcpy(head, bytes.data(), 8);
        EXPECT_EQ(call(world.card.fd(), request.request, head), EFAULT);
    });
    munmap(pages, page);
}

TEST(IoctlRules, ReadOnlyFilesMayNotWrite)
{
    Card reader(O_RDONLY);
    for_each_request([&](World &, const Request &request, Bytes &bytes) {
        const int error = call(reader.fd(), request.request, bytes.data());
        // Views are the file's own, so the reader finds none of the world's.
        const bool foreign_view = request.request == SQ_IOC_VIEW_GET;
        EXPECT_EQ(error, request.write ? EACCES : foreign_view ? ENOENT : request.expected);
    });
}

TEST(IoctlRules, StoreAndFlushBySubmitNeedWriting)
{
    World world;
    Card reader(O_RDONLY);
    auto flush = make<sq_ioc_submit>();
    flush.opcode = SQ_OP_FLUSH;
    EXPECT_EQ(reader(SQ_IOC_SUBMIT, flush), EACCES);
    EXPECT_EQ(store(reader, world.region.handle(), {0, 4}, world.data), EACCES);
    EXPECT_EQ(fetch(reader, world.region.handle(), {0, 4}, SQ_FORMAT_NATIVE, world.data), 0);
}

// In a child, which cannot get its rights back.
TEST(IoctlRules, DestructiveRequestsNeedCapSysAdmin)
{
    for_each_request([](World &world, const Request &request, Bytes &bytes) {
        const pid_t child = fork();
        if (child == 0) {
            if (syscall(SYS_setresuid, 65534, 65534, 65534) != 0)
                _exit(255);
            _exit(call(world.card.fd(), request.request, bytes.data()));
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(WEXITSTATUS(status), request.admin ? EPERM : request.expected);
    });
}

TEST(IoctlRules, UnknownRequestsAreRefused)
{
    Card card(O_RDWR);
    Bytes bytes(4096);
    set_size(bytes, 64);
    for (unsigned number = _IOC_NR(SQ_IOC_SUBMIT) + 1; number < 256; number++)
        EXPECT_EQ(call(card.fd(), _IOC(_IOC_READ | _IOC_WRITE, 'q', number, 64), bytes.data()),
                  ENOTTY);
    EXPECT_EQ(call(card.fd(), _IOC(_IOC_READ | _IOC_WRITE, 'r', 0, 64), bytes.data()), ENOTTY);
    EXPECT_EQ(call(card.fd(), _IOC(_IOC_WRITE, 'q', 0, 64), bytes.data()), ENOTTY);
}

TEST(IoctlRules, StatusSaysWhyTheDeviceRefused)
{
    Card card(O_RDWR);
    auto get = make<sq_ioc_region>();
    get.handle = ~0u;
    EXPECT_EQ(card(SQ_IOC_REGION_GET, get), ESTALE);
    EXPECT_EQ(get.status, static_cast<__u32>(SQ_STATUS_INVALID_HANDLE));

    auto find = make<sq_ioc_region>();
    find.name_bytes = 7;
    std::memcpy(find.name, "nothing", 7);
    EXPECT_EQ(card(SQ_IOC_REGION_FIND, find), ENOENT);
    EXPECT_EQ(find.status, static_cast<__u32>(SQ_STATUS_NOT_FOUND));
}

} // namespace
} // namespace driver_abi
