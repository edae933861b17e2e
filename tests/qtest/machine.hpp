// SPDX-License-Identifier: MIT
//
// A QEMU process with a card in it and no guest: the test is the host's
// software. Speaks the qtest protocol (one line a request) for memory and
// ports, and QMP for the little that qtest has no command for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace qtest {

// The QEMU under test; from the command line or SQ_QEMU.
void set_qemu(std::string path);
const std::string &qemu();

// A line-based stream socket that a child connects to.
class Channel {
public:
    explicit Channel(const std::filesystem::path &path);
    ~Channel();
    Channel(const Channel &) = delete;
    Channel &operator=(const Channel &) = delete;

    // False when nobody connects in time, or the child has ended.
    bool accept(pid_t child);
    void send(const std::string &line);
    std::string receive();

private:
    int listener_ = -1;
    int stream_ = -1;
    std::string pending_;
    std::filesystem::path path_;
};

struct Options {
    std::filesystem::path store;    // plane memory; created as zeros when absent
    std::uint64_t store_bytes = 64ull << 20;
    std::string memory_arguments;   // further properties of function 0
    std::string backend_arguments;  // further properties of the plane memory
    bool shared = true;
};

class Machine {
public:
    explicit Machine(const Options &options);
    ~Machine();
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    // False: QEMU refused to start; why is in errors().
    bool running() const { return running_; }
    std::string errors() const;
    // As pulling the plug: SIGKILL.
    void kill();

    std::uint64_t read(std::uint64_t address, unsigned bytes);
    void write(std::uint64_t address, std::uint64_t value, unsigned bytes);
    std::vector<std::uint8_t> read_block(std::uint64_t address, std::size_t bytes);
    void write_block(std::uint64_t address, std::span<const std::uint8_t> data);
    void out(std::uint16_t port, std::uint32_t value);
    std::uint32_t in(std::uint16_t port);

    // A QMP command; the whole answer as text.
    std::string qmp(const std::string &command);

private:
    std::string qtest(const std::string &line);
    void start(const Options &options);

    std::filesystem::path folder_;
    std::unique_ptr<Channel> qtest_;
    std::unique_ptr<Channel> qmp_;
    pid_t child_ = -1;
    bool running_ = false;
};

// A folder of its own for a test's files, removed at the end.
class Folder {
public:
    Folder();
    ~Folder();
    std::filesystem::path operator/(const std::string &name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

} // namespace qtest
