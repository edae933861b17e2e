// SPDX-License-Identifier: MIT
#include "card.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace qtest {
namespace {

// Q35: the host bridge's register that maps configuration space, and where it
// is put. Bus 12 is the CXL host bridge's, see machine.cpp.
constexpr std::uint16_t config_address_port = 0xcf8;
constexpr std::uint16_t config_data_port = 0xcfc;
constexpr std::uint32_t pciexbar_register = 0x60;
constexpr std::uint64_t config_base = 0xb0000000;
constexpr unsigned host_bridge_bus = 12;
constexpr unsigned card_bus = 13;

// 32-bit memory for BARs, forwarded by the root port.
constexpr std::uint32_t bars_base = 0xe0000000;
constexpr std::uint32_t bars_end = 0xe0ffffff;

constexpr unsigned command_memory_and_master = 0x6;
constexpr unsigned capability_pointer = 0x34;
constexpr unsigned capability_pcie = 0x10;
constexpr unsigned capability_msix = 0x11;
constexpr unsigned slot_control = 0x18; // in the PCIe capability
constexpr unsigned slot_power_off = 1u << 10, slot_indicator_off = 3u << 8;
constexpr unsigned extended_start = 0x100;
constexpr unsigned extended_dvsec = 0x23;

// CXL r3.1: component registers and their HDM decoder capability.
constexpr unsigned cache_mem_offset = 0x1000;
constexpr unsigned capability_hdm = 5;
constexpr unsigned decoder_base_low = 0x10, decoder_base_high = 0x14, decoder_size_low = 0x18, decoder_size_high = 0x1c,
                   decoder_control_offset = 0x20;
constexpr std::uint32_t decoder_commit = 1u << 9;
constexpr unsigned decoder_ways_shift = 4;

constexpr int command_timeout_ms = 60000;

template <class Condition> bool wait_for(int timeout_ms, Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        if (condition())
            return true;
        if (std::chrono::steady_clock::now() >= end)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace

Card::Card(Machine &machine) : machine_(machine)
{
    find_window();
    place_functions();
}

void Card::find_window()
{
    const std::string tree =
        machine_.qmp("{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"info mtree\"}}");
    const auto at = tree.find("cxl-fixed-memory-region");
    // "  0000000190000000-00000001cfffffff (prio 0, i/o): cxl-fixed..."
    const auto start = at == std::string::npos ? at : tree.rfind("(prio", at);
    if (start == std::string::npos || start < 34)
        throw std::runtime_error("no CXL fixed window in: " + tree.substr(0, 200));
    window_ = std::stoull(tree.substr(start - 34, 16), nullptr, 16);
}

std::uint64_t Card::config_address(unsigned bus, unsigned function, unsigned offset) const
{
    return config_base + (static_cast<std::uint64_t>(bus) << 20) + (function << 12) + offset;
}

std::uint32_t Card::config(unsigned function, unsigned offset, unsigned bytes)
{
    return static_cast<std::uint32_t>(machine_.read(config_address(card_bus, function, offset), bytes));
}

void Card::set_config(unsigned function, unsigned offset, std::uint32_t value, unsigned bytes)
{
    machine_.write(config_address(card_bus, function, offset), value, bytes);
}

void Card::place_functions()
{
    machine_.out(config_address_port, 0x80000000 | pciexbar_register);
    machine_.out(config_data_port, static_cast<std::uint32_t>(config_base) | 1);

    const auto root_port = [&](unsigned offset, std::uint32_t value, unsigned bytes) {
        machine_.write(config_address(host_bridge_bus, 0, offset), value, bytes);
    };
    root_port(0x18, host_bridge_bus | card_bus << 8 | card_bus << 16, 4);
    root_port(0x20, (bars_base >> 16) | (bars_end & 0xfff00000), 4);
    root_port(0x04, command_memory_and_master, 2);

    std::uint32_t next = bars_base;
    const auto place = [&](unsigned function, unsigned bar) {
        const unsigned offset = 0x10 + 4 * bar;
        set_config(function, offset, 0xffffffff);
        const std::uint32_t size = ~(config(function, offset) & ~0xfu) + 1;
        next = (next + size - 1) & ~(size - 1);
        set_config(function, offset, next);
        if (config(function, offset) & 4)
            set_config(function, offset + 4, 0);
        const std::uint32_t address = next;
        next += size;
        return address;
    };
    component_ = place(0, 0);
    memory_device_ = place(0, 2);
    place(0, 4);
    registers_ = place(1, SQ_BAR_REGISTERS);
    doorbells_ = place(1, SQ_BAR_DOORBELLS);
    msix_ = place(1, SQ_BAR_MSIX);
    set_config(0, 4, command_memory_and_master, 2);
    set_config(1, 4, command_memory_and_master, 2);
}

unsigned Card::find_capability(unsigned function, std::uint8_t id)
{
    unsigned at = config(function, capability_pointer, 1);
    for (int steps = 0; at && steps < 48; ++steps) {
        const std::uint32_t header = config(function, at, 2);
        if ((header & 0xff) == id)
            return at;
        at = header >> 8;
    }
    return 0;
}

unsigned Card::find_dvsec(unsigned function, std::uint16_t vendor, std::uint16_t id)
{
    unsigned at = extended_start;
    for (int steps = 0; at && steps < 64; ++steps) {
        const std::uint32_t header = config(function, at);
        if ((header & 0xffff) == extended_dvsec && (config(function, at + 4) & 0xffff) == vendor &&
            config(function, at + 8, 2) == id)
            return at;
        at = header >> 20;
    }
    return 0;
}

std::uint64_t Card::allocate(std::size_t bytes)
{
    const std::uint64_t address = next_;
    next_ += (bytes + 4095) / 4096 * 4096;
    if (next_ > ram_end)
        throw std::runtime_error("the test uses more guest memory than there is");
    return address;
}

// ---- mailbox ---------------------------------------------------------------

std::uint64_t Card::mailbox(unsigned offset, unsigned bytes)
{
    return machine_.read(registers_ + SQ_REG_MAILBOX + offset, bytes);
}

Answer Card::command(std::uint16_t opcode, std::span<const std::uint8_t> payload)
{
    const std::uint64_t base = registers_ + SQ_REG_MAILBOX;
    // No more than fits; the length register says what the test wants to say.
    machine_.write_block(base + SQ_MBOX_PAYLOAD, payload.first(std::min<std::size_t>(payload.size(), SQ_MBOX_PAYLOAD_BYTES)));
    machine_.write(base + SQ_MBOX_CMD, opcode | static_cast<std::uint64_t>(payload.size()) << 16, 8);
    const std::uint32_t control = static_cast<std::uint32_t>(mailbox(SQ_MBOX_CTRL, 4));
    machine_.write(base + SQ_MBOX_CTRL, control | SQ_MBOX_CTRL_DOORBELL, 4);
    if (!wait_for(command_timeout_ms, [&] { return !(mailbox(SQ_MBOX_CTRL, 4) & SQ_MBOX_CTRL_DOORBELL); }))
        throw std::runtime_error("the doorbell stays set after opcode " + std::to_string(opcode));
    Answer answer;
    answer.status = static_cast<std::uint16_t>(mailbox(SQ_MBOX_STATUS) >> 32);
    const std::uint64_t length = (mailbox(SQ_MBOX_CMD) & SQ_MBOX_CMD_LENGTH) >> 16;
    answer.payload = machine_.read_block(base + SQ_MBOX_PAYLOAD, length);
    return answer;
}

Answer Card::command(std::uint16_t opcode, std::uint32_t handle)
{
    return command(opcode, bytes_of(sq_mbox_handle{handle}));
}

std::uint16_t Card::background()
{
    if (!wait_for(command_timeout_ms, [&] { return !(mailbox(SQ_MBOX_STATUS) & SQ_MBOX_STATUS_BG); }))
        throw std::runtime_error("the background command does not end");
    return static_cast<std::uint16_t>(mailbox(SQ_MBOX_BG_STATUS) >> 32);
}

// ---- function 0 ------------------------------------------------------------

std::uint64_t Card::component_register(unsigned capability_id)
{
    const std::uint64_t base = component_ + cache_mem_offset;
    const unsigned count = static_cast<unsigned>(machine_.read(base, 4) >> 24);
    for (unsigned i = 1; i <= count; ++i) {
        const std::uint64_t header = machine_.read(base + 4 * i, 4);
        if ((header & 0xffff) == capability_id)
            return base + (header >> 20);
    }
    throw std::runtime_error("function 0 has no HDM decoder capability");
}

void Card::commit_decoder(std::uint64_t bytes, unsigned encoded_ways)
{
    const std::uint64_t base = component_register(capability_hdm);
    machine_.write(base + decoder_base_low, window_ & 0xf0000000, 4);
    machine_.write(base + decoder_base_high, window_ >> 32, 4);
    machine_.write(base + decoder_size_low, bytes & 0xf0000000, 4);
    machine_.write(base + decoder_size_high, bytes >> 32, 4);
    machine_.write(base + decoder_control_offset, decoder_commit | encoded_ways << decoder_ways_shift, 4);
}

void Card::uncommit_decoder() { machine_.write(component_register(capability_hdm) + decoder_control_offset, 0, 4); }

std::uint32_t Card::decoder_control()
{
    return static_cast<std::uint32_t>(machine_.read(component_register(capability_hdm) + decoder_control_offset, 4));
}

std::uint32_t Card::events()
{
    // Device status registers: the first capability of the array.
    const std::uint64_t offset = machine_.read(memory_device_ + 0x14, 4);
    return static_cast<std::uint32_t>(machine_.read(memory_device_ + offset, 4));
}

// ---- interrupts and reset --------------------------------------------------

void Card::enable_interrupts()
{
    vectors_ = allocate(4096);
    for (unsigned vector = 0; vector < SQ_MSIX_VECTORS; ++vector) {
        const std::uint64_t entry = msix_ + 16 * vector;
        machine_.write(vectors_ + 4 * vector, 0, 4);
        machine_.write(entry, vectors_ + 4 * vector, 4);
        machine_.write(entry + 4, 0, 4);
        machine_.write(entry + 8, 0x51000000 | vector, 4);
        machine_.write(entry + 12, 0, 4);
    }
    const unsigned capability = find_capability(1, capability_msix);
    set_config(1, capability + 2, config(1, capability + 2, 2) | 0x8000, 2);
}

std::uint32_t Card::interrupts(unsigned vector)
{
    std::uint32_t value = 0;
    wait_for(command_timeout_ms, [&] { return (value = static_cast<std::uint32_t>(machine_.read(vectors_ + 4 * vector, 4))) != 0; });
    machine_.write(vectors_ + 4 * vector, 0, 4);
    return value;
}

void Card::reset_function1()
{
    const unsigned capability = find_capability(1, capability_pcie);
    set_config(1, capability + 8, config(1, capability + 8, 2) | 0x8000, 2);
    // BARs and the command register are those of a reset function.
    place_functions();
}

void Card::remove()
{
    unsigned at = static_cast<unsigned>(machine_.read(config_address(host_bridge_bus, 0, capability_pointer), 1));
    while (at && (machine_.read(config_address(host_bridge_bus, 0, at), 1)) != capability_pcie)
        at = static_cast<unsigned>(machine_.read(config_address(host_bridge_bus, 0, at + 1), 1));
    if (!at)
        throw std::runtime_error("the root port has no PCIe capability");
    machine_.write(config_address(host_bridge_bus, 0, at + slot_control), slot_power_off | slot_indicator_off, 2);
}

// ---- queues ----------------------------------------------------------------

Queue::Queue(Card &card, std::uint16_t id, std::uint16_t depth, std::uint16_t vector)
    : card_(card), id_(id), depth_(depth), submission_(card.allocate(64u * depth)), completion_(card.allocate(16u * depth))
{
    card_.machine().write_block(completion_, Bytes(16u * depth));
    sq_mbox_create_queue payload{};
    payload.queue = id;
    payload.depth = depth;
    payload.vector = vector;
    payload.submission_address = submission_;
    payload.completion_address = completion_;
    status_ = card_.command(SQ_MBOX_CREATE_QUEUE_PAIR, payload).status;
}

void Queue::push(const sq_submission &entry)
{
    card_.machine().write_block(submission_ + 64u * tail_, bytes_of(entry));
    tail_ = (tail_ + 1) % depth_;
}

void Queue::doorbell(unsigned offset, std::uint32_t value)
{
    card_.machine().write(card_.doorbells() + static_cast<std::uint64_t>(id_) * SQ_DOORBELL_STRIDE + offset, value, 4);
}

void Queue::submit() { doorbell(SQ_DOORBELL_SUBMISSION, tail_); }

std::optional<sq_completion> Queue::poll(int timeout_ms)
{
    sq_completion completion{};
    const bool arrived = wait_for(timeout_ms, [&] {
        completion = structure<sq_completion>(card_.machine().read_block(completion_ + 16u * head_, 16));
        return (completion.phase & 1) == phase_;
    });
    if (!arrived)
        return std::nullopt;
    head_ = (head_ + 1) % depth_;
    if (head_ == 0)
        phase_ = !phase_;
    if (!hold_head_)
        doorbell(SQ_DOORBELL_COMPLETION, head_);
    return completion;
}

sq_completion Queue::wait()
{
    if (auto completion = poll(command_timeout_ms))
        return *completion;
    throw std::runtime_error("no completion on queue " + std::to_string(id_));
}

sq_completion Queue::run(sq_submission entry)
{
    push(entry);
    submit();
    return wait();
}

// ---- requests --------------------------------------------------------------

Bytes create_region_payload(const std::string &name, std::uint8_t dtype, std::uint8_t placement, std::uint32_t rows,
                            std::uint32_t cols)
{
    sq_mbox_create_region head{};
    head.dtype = dtype;
    head.placement = placement;
    head.name_bytes = static_cast<std::uint16_t>(name.size());
    head.rows = rows;
    head.cols = cols;
    Bytes payload(sizeof head + name.size());
    std::copy_n(reinterpret_cast<const std::uint8_t *>(&head), sizeof head, payload.begin());
    std::copy(name.begin(), name.end(), payload.begin() + sizeof head);
    return payload;
}

std::uint32_t create_region(Card &card, const std::string &name, std::uint32_t rows, std::uint32_t cols, std::uint8_t dtype,
                            std::uint8_t placement)
{
    const Answer answer = card.command(SQ_MBOX_CREATE_REGION, create_region_payload(name, dtype, placement, rows, cols));
    if (answer.status != SQ_STATUS_SUCCESS)
        throw std::runtime_error("create region '" + name + "': status " + std::to_string(answer.status));
    return structure<sq_mbox_handle>(answer.payload).handle;
}

sq_submission store_entry(std::uint32_t handle, std::uint32_t first_row, std::uint32_t rows, std::uint64_t address,
                          std::uint32_t bytes)
{
    sq_submission entry{};
    entry.opcode = SQ_OP_STORE;
    entry.handle = handle;
    entry.format = SQ_ENCODING_DTYPE;
    entry.first_row = first_row;
    entry.row_count = rows;
    entry.segment_address[0] = address;
    entry.segment_bytes[0] = bytes;
    return entry;
}

sq_submission fetch_entry(std::uint32_t handle, std::uint16_t format, std::uint32_t first_row, std::uint32_t rows,
                          std::uint64_t address, std::uint32_t bytes)
{
    sq_submission entry = store_entry(handle, first_row, rows, address, bytes);
    entry.opcode = SQ_OP_FETCH;
    entry.format = format;
    return entry;
}

} // namespace qtest
