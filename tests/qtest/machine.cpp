// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace qtest {
namespace {

// Generous, because sanitizer builds on a loaded machine are slow. Only a
// broken device ever waits this long.
constexpr int answer_timeout_ms = 120000;
constexpr int connect_step_ms = 100;

std::string qemu_path;

std::string hex(std::uint64_t value)
{
    std::ostringstream text;
    text << "0x" << std::hex << value;
    return text.str();
}

bool has_ended(pid_t child)
{
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

} // namespace

void set_qemu(std::string path) { qemu_path = std::move(path); }
const std::string &qemu() { return qemu_path; }

Channel::Channel(const std::filesystem::path &path) : path_(path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.string().size() >= sizeof(address.sun_path))
        throw std::runtime_error("socket path too long: " + path.string());
    std::strcpy(address.sun_path, path.c_str());
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr *>(&address), sizeof address) < 0 ||
        listen(listener_, 1) < 0)
        throw std::runtime_error("cannot listen on " + path.string() + ": " + std::strerror(errno));
}

Channel::~Channel()
{
    if (stream_ >= 0)
        close(stream_);
    if (listener_ >= 0)
        close(listener_);
}

bool Channel::accept(pid_t child)
{
    for (int waited = 0; waited < answer_timeout_ms; waited += connect_step_ms) {
        pollfd ready{listener_, POLLIN, 0};
        if (poll(&ready, 1, connect_step_ms) > 0) {
            stream_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            return stream_ >= 0;
        }
        if (has_ended(child))
            return false;
    }
    return false;
}

void Channel::send(const std::string &line)
{
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t sent = ::send(stream_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            throw std::runtime_error("QEMU went away: " + std::string(std::strerror(errno)));
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string Channel::receive()
{
    for (;;) {
        if (const auto end = pending_.find('\n'); end != std::string::npos) {
            std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return line;
        }
        pollfd ready{stream_, POLLIN, 0};
        if (poll(&ready, 1, answer_timeout_ms) <= 0)
            throw std::runtime_error("QEMU does not answer");
        char buffer[65536];
        const ssize_t got = recv(stream_, buffer, sizeof buffer, 0);
        if (got <= 0)
            throw std::runtime_error("QEMU went away");
        pending_.append(buffer, static_cast<std::size_t>(got));
    }
}

Folder::Folder()
{
    char name[] = "/tmp/sq-qtest-XXXXXX";
    if (!mkdtemp(name))
        throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
    path_ = name;
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

namespace {

std::vector<std::string> arguments_of(const Options &options, const std::filesystem::path &folder)
{
    const std::string share = options.shared ? "on" : "off";
    return {
        qemu(), "-nodefaults", "-display", "none", "-machine",
        "q35,cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=1G,accel=qtest", "-m", "128M",
        "-qtest", "unix:" + (folder / "qtest").string(), "-qtest-log", "none",
        "-qmp", "unix:" + (folder / "qmp").string(),
        "-object", "memory-backend-file,id=planes,mem-path=" + options.store.string() + ",size=" +
            std::to_string(options.store_bytes) + ",share=" + share + options.backend_arguments,
        "-object", "memory-backend-ram,id=lsa,size=256K",
        "-device", "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1",
        "-device", "cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2",
        "-device", "cxl-smartquant,bus=rp0,addr=0.0,multifunction=on,persistent-memdev=planes,lsa=lsa,id=sq0,sn=0x5351" +
            options.memory_arguments,
        "-device", "smartquant-controller,bus=rp0,addr=0.1,id=sqc0",
    };
}

void make_store(const Options &options)
{
    if (std::filesystem::exists(options.store))
        return;
    std::ofstream(options.store, std::ios::binary);
    std::filesystem::resize_file(options.store, options.store_bytes);
}

pid_t spawn(std::vector<std::string> arguments, const std::filesystem::path &errors)
{
    std::vector<char *> argv;
    for (std::string &argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        // A test that is killed takes its machine with it.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int file = open(errors.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        dup2(file, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
        execv(argv[0], argv.data());
        _exit(127);
    }
    return child;
}

} // namespace

Machine::Machine(const Options &options)
{
    char name[] = "/tmp/sq-machine-XXXXXX";
    if (!mkdtemp(name))
        throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
    folder_ = name;
    start(options);
}

void Machine::start(const Options &options)
{
    make_store(options);
    qtest_ = std::make_unique<Channel>(folder_ / "qtest");
    qmp_ = std::make_unique<Channel>(folder_ / "qmp");
    child_ = spawn(arguments_of(options, folder_), folder_ / "errors");
    if (child_ < 0 || !qmp_->accept(child_) || !qtest_->accept(child_))
        return;
    try {
        qmp_->receive(); // the greeting
        qmp("{\"execute\": \"qmp_capabilities\"}");
        // An answer to anything: all devices are realized.
        read(0, 1);
        running_ = true;
    } catch (const std::runtime_error &error) {
        std::ofstream(folder_ / "errors", std::ios::app) << error.what() << '\n';
    }
}

Machine::~Machine()
{
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void Machine::kill()
{
    if (child_ <= 0)
        return;
    ::kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
    running_ = false;
}

std::string Machine::errors() const
{
    std::ifstream file(folder_ / "errors");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string Machine::qtest(const std::string &line)
{
    qtest_->send(line + "\n");
    for (;;) {
        std::string answer = qtest_->receive();
        if (answer.rfind("IRQ", 0) == 0)
            continue;
        if (answer.rfind("OK", 0) != 0)
            throw std::runtime_error("qtest refused '" + line.substr(0, 60) + "': " + answer);
        return answer.size() > 3 ? answer.substr(3) : std::string();
    }
}

std::uint64_t Machine::read(std::uint64_t address, unsigned bytes)
{
    // The block form has no alignment or width of its own: it is one access
    // of `bytes` for widths that a bus has.
    const char *command = bytes == 1 ? "readb " : bytes == 2 ? "readw " : bytes == 4 ? "readl " : "readq ";
    return std::stoull(qtest(command + hex(address)), nullptr, 16);
}

void Machine::write(std::uint64_t address, std::uint64_t value, unsigned bytes)
{
    const char *command = bytes == 1 ? "writeb " : bytes == 2 ? "writew " : bytes == 4 ? "writel " : "writeq ";
    qtest(command + hex(address) + " " + hex(value));
}

std::vector<std::uint8_t> Machine::read_block(std::uint64_t address, std::size_t bytes)
{
    std::vector<std::uint8_t> data;
    if (bytes == 0)
        return data;
    const std::string text = qtest("read " + hex(address) + " " + hex(bytes));
    data.reserve(bytes);
    for (std::size_t i = 2; i + 1 < text.size(); i += 2)
        data.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return data;
}

void Machine::write_block(std::uint64_t address, std::span<const std::uint8_t> data)
{
    static const char digits[] = "0123456789abcdef";
    if (data.empty())
        return;
    std::string text;
    text.reserve(2 * data.size());
    for (const std::uint8_t byte : data) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    qtest("write " + hex(address) + " " + hex(data.size()) + " 0x" + text);
}

void Machine::out(std::uint16_t port, std::uint32_t value) { qtest("outl " + hex(port) + " " + hex(value)); }

std::uint32_t Machine::in(std::uint16_t port)
{
    return static_cast<std::uint32_t>(std::stoull(qtest("inl " + hex(port)), nullptr, 16));
}

std::string Machine::qmp(const std::string &command)
{
    qmp_->send(command + "\n");
    for (;;) {
        std::string answer = qmp_->receive();
        if (answer.find("\"event\"") == std::string::npos)
            return answer;
    }
}

} // namespace qtest
