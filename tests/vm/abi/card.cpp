// SPDX-License-Identifier: MIT
#include "card.hpp"

#include <csetjmp>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace driver_abi {

int call(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument) == 0 ? 0 : errno;
}

Card::Card(int flags) : fd_(open(kNode, flags | O_CLOEXEC))
{
    if (fd_ < 0)
        throw std::system_error(errno, std::generic_category(), kNode);
}

Card::~Card()
{
    close(fd_);
}

Region::Region(const Card &card, const std::string &name, std::uint8_t dtype, std::uint32_t rows,
               std::uint32_t cols)
    : card_(card)
{
    auto create = make<sq_ioc_region_create>();
    create.dtype = dtype;
    create.placement = dtype == SQ_DTYPE_U8 ? SQ_PLACEMENT_BYTES : SQ_PLACEMENT_ALIGNED;
    create.rows = rows;
    create.cols = cols;
    create.name_bytes = static_cast<__u16>(name.size());
    std::memcpy(create.name, name.data(), name.size());
    if (const int error = card(SQ_IOC_REGION_CREATE, create))
        throw std::system_error(error, std::generic_category(), "create " + name);
    handle_ = create.handle;
}

Region::~Region()
{
    auto remove = make<sq_ioc_handle>();
    remove.handle = handle_;
    if (handle_ != 0)
        card_(SQ_IOC_REGION_DELETE, remove);
}

static int submit(const Card &card, std::uint32_t opcode, std::uint32_t handle, Rows rows,
                  std::uint16_t format, const void *data, std::size_t bytes, sq_ioc_submit *out)
{
    const sq_buffer buffer = {reinterpret_cast<std::uintptr_t>(data), bytes};
    auto request = make<sq_ioc_submit>();
    request.opcode = opcode;
    request.handle = handle;
    request.format = format;
    request.first_row = rows.first;
    request.row_count = rows.count;
    request.buffers = reinterpret_cast<std::uintptr_t>(&buffer);
    request.buffer_count = 1;
    const int error = card(SQ_IOC_SUBMIT, request);
    if (out)
        *out = request;
    return error;
}

int store(const Card &card, std::uint32_t handle, Rows rows, std::span<const std::uint8_t> data,
          sq_ioc_submit *out)
{
    return submit(card, SQ_OP_STORE, handle, rows, SQ_ENCODING_DTYPE, data.data(), data.size(),
                  out);
}

int fetch(const Card &card, std::uint32_t handle, Rows rows, std::uint16_t format,
          std::span<std::uint8_t> data, sq_ioc_submit *out)
{
    return submit(card, SQ_OP_FETCH, handle, rows, format, data.data(), data.size(), out);
}

std::vector<std::uint8_t> bf16_pattern(std::size_t elements, std::uint32_t seed)
{
    // Exponents around 1, so that no word is NaN or infinite.
    std::minstd_rand random(seed + 1);
    std::vector<std::uint8_t> bytes(elements * 2);
    for (std::size_t i = 0; i < elements; i++) {
        const std::uint32_t draw = random();
        const std::uint32_t exponent = 110 + (draw >> 8) % 20;
        const std::uint32_t word = (draw & 0x80) << 8 | exponent << 7 | (draw & 0x7f);
        bytes[2 * i] = static_cast<std::uint8_t>(word);
        bytes[2 * i + 1] = static_cast<std::uint8_t>(word >> 8);
    }
    return bytes;
}

std::string read_file(const std::string &path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    std::string result = text.str();
    if (!result.empty() && result.back() == '\n')
        result.pop_back();
    return result;
}

int write_file(const std::string &path, const std::string &text)
{
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    const ssize_t written = write(fd, text.data(), text.size());
    const int error = written == static_cast<ssize_t>(text.size()) ? 0 : errno;
    close(fd);
    return error;
}

bool exists(const std::string &path)
{
    return access(path.c_str(), F_OK) == 0;
}

std::string pci_address()
{
    char target[4096];
    const std::string link = std::string(kClassFolder) + "/device";
    const ssize_t length = readlink(link.c_str(), target, sizeof(target));
    if (length < 0)
        throw std::system_error(errno, std::generic_category(), link);
    const std::string path(target, static_cast<std::size_t>(length));
    return path.substr(path.rfind('/') + 1);
}

static sigjmp_buf bus_error;

static void on_bus_error(int)
{
    siglongjmp(bus_error, 1);
}

bool load_byte(const volatile std::uint8_t *address, std::uint8_t *value)
{
    struct sigaction action = {}, before = {};
    action.sa_handler = on_bus_error;
    sigaction(SIGBUS, &action, &before);
    // Changed between sigsetjmp() and the jump back, so it has to be volatile.
    volatile bool loaded = false;
    if (sigsetjmp(bus_error, 1) == 0) {
        *value = *address;
        loaded = true;
    }
    sigaction(SIGBUS, &before, nullptr);
    return loaded;
}

} // namespace driver_abi
