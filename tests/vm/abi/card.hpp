// SPDX-License-Identifier: MIT
//
// What the driver's tests share: the device node by its ioctls alone (the
// library is not used here), regions that go with their scope, files of sysfs.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <smartquant/uapi.h>

namespace driver_abi {

inline constexpr const char *kNode = "/dev/smartquant0";
inline constexpr const char *kClassFolder = "/sys/class/smartquant/smartquant0";

// 0, or the errno of the request.
int call(int fd, unsigned long request, void *argument);

template <class Argument>
Argument make()
{
    Argument argument;
    std::memset(&argument, 0, sizeof(argument));
    argument.size = sizeof(argument);
    return argument;
}

// An open device node.
class Card {
public:
    explicit Card(int flags);
    ~Card();
    Card(const Card &) = delete;
    Card &operator=(const Card &) = delete;

    int fd() const { return fd_; }
    template <class Argument>
    int operator()(unsigned long request, Argument &argument) const
    {
        return call(fd_, request, &argument);
    }

private:
    int fd_;
};

// A region that is deleted at the end of its scope.
class Region {
public:
    Region(const Card &card, const std::string &name, std::uint8_t dtype, std::uint32_t rows,
           std::uint32_t cols);
    ~Region();
    Region(const Region &) = delete;
    Region &operator=(const Region &) = delete;

    std::uint32_t handle() const { return handle_; }
    // It was deleted by somebody else.
    void forget() { handle_ = 0; }

private:
    const Card &card_;
    std::uint32_t handle_ = 0;
};

struct Rows {
    std::uint32_t first;
    std::uint32_t count;
};

// One buffer, one transfer: 0 or the errno; the whole structure comes back.
int store(const Card &card, std::uint32_t handle, Rows rows, std::span<const std::uint8_t> data,
          sq_ioc_submit *out = nullptr);
int fetch(const Card &card, std::uint32_t handle, Rows rows, std::uint16_t format,
          std::span<std::uint8_t> data, sq_ioc_submit *out = nullptr);

// bf16 words of a repeatable pattern without NaN and infinity.
std::vector<std::uint8_t> bf16_pattern(std::size_t elements, std::uint32_t seed);

// A file without its last newline; empty when it cannot be read.
std::string read_file(const std::string &path);
// 0 or the errno of the write.
int write_file(const std::string &path, const std::string &text);
bool exists(const std::string &path);

// The name of function 1 on the PCI bus, e.g. 0000:0d:00.1.
std::string pci_address();

// Loads a byte; false when the load raised SIGBUS.
bool load_byte(const volatile std::uint8_t *address, std::uint8_t *value);

} // namespace driver_abi
