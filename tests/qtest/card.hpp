// SPDX-License-Identifier: MIT
//
// What a host's firmware and driver do with the card, as little as the tests
// need: configuration space, BARs, HDM decoder, mailbox, queue pairs.
#pragma once

#include "machine.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <smartquant/device.h>

namespace qtest {

using Bytes = std::vector<std::uint8_t>;

// The bytes of a structure.
template <class T> Bytes bytes_of(const T &value)
{
    const auto *first = reinterpret_cast<const std::uint8_t *>(&value);
    return Bytes(first, first + sizeof(T));
}

template <class T> T structure(const Bytes &bytes, std::size_t offset = 0)
{
    T value{};
    if (bytes.size() >= offset + sizeof(T))
        std::copy_n(bytes.data() + offset, sizeof(T), reinterpret_cast<std::uint8_t *>(&value));
    return value;
}

struct Answer {
    std::uint16_t status = 0;
    Bytes payload;
};

// Guest memory that a test hands out piece by piece; never freed.
constexpr std::uint64_t ram_start = 16ull << 20;
constexpr std::uint64_t ram_end = 128ull << 20;

class Card {
public:
    // Gives the functions their addresses and switches them on.
    explicit Card(Machine &machine);

    Machine &machine() { return machine_; }

    std::uint32_t config(unsigned function, unsigned offset, unsigned bytes = 4);
    void set_config(unsigned function, unsigned offset, std::uint32_t value, unsigned bytes = 4);
    // Offset of an extended capability of one kind, 0: none. DVSECs by vendor and id.
    unsigned find_dvsec(unsigned function, std::uint16_t vendor, std::uint16_t id);
    unsigned find_capability(unsigned function, std::uint8_t id);

    std::uint64_t registers() const { return registers_; }
    std::uint64_t doorbells() const { return doorbells_; }

    // Memory for DMA, page-aligned.
    std::uint64_t allocate(std::size_t bytes);

    // The mailbox; throws when the doorbell is not cleared in time.
    Answer command(std::uint16_t opcode, std::span<const std::uint8_t> payload = {});
    Answer command(std::uint16_t opcode, std::uint32_t handle);
    template <class T>
        requires std::is_class_v<T> && std::is_trivially_copyable_v<T> && (!std::is_convertible_v<T, std::span<const std::uint8_t>>)
    Answer command(std::uint16_t opcode, const T &payload) { return command(opcode, bytes_of(payload)); }
    std::uint64_t mailbox(unsigned offset, unsigned bytes = 8);
    // Waits for a background command; its return code.
    std::uint16_t background();

    // Commits function 0's decoder 0 over the fixed window; ways encoded as in
    // the register.
    void commit_decoder(std::uint64_t bytes, unsigned encoded_ways = 0);
    void uncommit_decoder();
    std::uint32_t decoder_control();
    std::uint64_t window() const { return window_; }
    // Bits of function 0's event status register.
    std::uint32_t events();

    // Points all MSI-X vectors at words of guest memory, and enables them.
    void enable_interrupts();
    std::uint32_t interrupts(unsigned vector);

    void reset_function1();
    // Takes the card out of its slot, as a host does that powers it off.
    void remove();

private:
    void find_window();
    void place_functions();
    std::uint64_t config_address(unsigned bus, unsigned function, unsigned offset) const;
    std::uint64_t component_register(unsigned capability_id);

    Machine &machine_;
    std::uint64_t next_ = ram_start;
    std::uint64_t window_ = 0;
    std::uint64_t component_ = 0, memory_device_ = 0;
    std::uint64_t registers_ = 0, doorbells_ = 0, msix_ = 0;
    std::uint64_t vectors_ = 0;
};

// A queue pair and the host's side of it.
class Queue {
public:
    Queue(Card &card, std::uint16_t id, std::uint16_t depth = 16, std::uint16_t vector = 1);

    std::uint16_t status() const { return status_; }
    // Writes an entry; submit() tells the device of all that were written.
    void push(const sq_submission &entry);
    void submit();
    // The next completion, if there is one within the time.
    std::optional<sq_completion> poll(int timeout_ms);
    sq_completion wait();
    // All of it for one request.
    sq_completion run(sq_submission entry);
    void doorbell(unsigned offset, std::uint32_t value);
    void consume_nothing() { hold_head_ = true; }
    std::uint64_t submission_ring() const { return submission_; }

private:
    Card &card_;
    std::uint16_t id_, depth_, status_;
    std::uint64_t submission_, completion_;
    std::uint32_t tail_ = 0, head_ = 0;
    bool phase_ = true;
    bool hold_head_ = false;
};

// Building blocks of requests.
Bytes create_region_payload(const std::string &name, std::uint8_t dtype, std::uint8_t placement, std::uint32_t rows,
                            std::uint32_t cols);
std::uint32_t create_region(Card &card, const std::string &name, std::uint32_t rows, std::uint32_t cols,
                            std::uint8_t dtype = SQ_DTYPE_BF16, std::uint8_t placement = SQ_PLACEMENT_ALIGNED);
sq_submission store_entry(std::uint32_t handle, std::uint32_t first_row, std::uint32_t rows, std::uint64_t address,
                          std::uint32_t bytes);
sq_submission fetch_entry(std::uint32_t handle, std::uint16_t format, std::uint32_t first_row, std::uint32_t rows,
                          std::uint64_t address, std::uint32_t bytes);

} // namespace qtest
