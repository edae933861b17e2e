// SPDX-License-Identifier: MIT
//
// Ways to damage the image of store_image.hpp.
#pragma once

#include "store_image.hpp"

#include "media.h"

#include <map>

namespace fuzz {

inline const std::uint8_t* take(const std::uint8_t*& data, std::size_t& size, std::size_t bytes)
{
    const std::uint8_t* taken = data;
    data += bytes;
    size -= bytes;
    return taken;
}

template <typename Value>
Value value_at(const std::uint8_t* at)
{
    Value value;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

// -------------------------------------------------------------- anywhere

struct Span {
    std::uint64_t begin, bytes;
};

// What of the image is not zero, and a little behind it.
inline std::vector<Span> used_spans()
{
    static constexpr std::uint64_t grain = SQC_GRANULE_BYTES;
    const std::uint8_t* image = base_image();
    std::vector<Span> spans;
    for (std::uint64_t at = 0; at < store_bytes; at += grain) {
        if (std::all_of(image + at, image + at + grain, [](std::uint8_t byte) { return byte == 0; }))
            continue;
        if (spans.empty() || spans.back().begin + spans.back().bytes < at)
            spans.push_back({at, 0});
        spans.back().bytes = std::min(at + 2 * grain, store_bytes) - spans.back().begin;
    }
    return spans;
}

// Applies patches (u32 offset, u8 length, bytes) to the spans as if they were one piece.
inline void patch(std::uint8_t* image, const std::vector<Span>& spans, const std::uint8_t* data, std::size_t size)
{
    std::uint64_t total = 0;
    for (const auto& span : spans)
        total += span.bytes;
    while (size > 5) {
        std::uint64_t offset = value_at<std::uint32_t>(take(data, size, 4)) % total;
        auto span = spans.begin();
        for (; offset >= span->bytes; ++span)
            offset -= span->bytes;
        const std::size_t length = *take(data, size, 1);
        const std::size_t bytes = std::min<std::size_t>({length, size, span->bytes - offset});
        std::memcpy(image + span->begin + offset, take(data, size, bytes), bytes);
    }
}

// ---------------------------------------------------------------- fields

struct Field {
    std::uint64_t offset;
    unsigned bytes;
};

// Sizes of the fields of media.h, in order.
inline constexpr unsigned superblock_fields[] = {8, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4};
inline constexpr unsigned record_fields[] = {4, 4, 8, 8, 4, 4, 4, 4};
inline constexpr unsigned entry_fields[] = {4, 2, 2, 1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 4};
inline constexpr unsigned map_fields[] = {4, 4};
inline constexpr unsigned map_entry_fields[] = {4, 4, 8, 8};

template <std::size_t Count>
constexpr unsigned sum(const unsigned (&fields)[Count])
{
    unsigned total = 0;
    for (const unsigned bytes : fields)
        total += bytes;
    return total;
}
static_assert(sum(superblock_fields) == sizeof(sqc_superblock));
static_assert(sum(record_fields) == sizeof(sqc_record));
static_assert(sum(entry_fields) == sizeof(sqc_entry));
static_assert(sum(map_fields) == sizeof(sqc_map));
static_assert(sum(map_entry_fields) == sizeof(sqc_map_entry));

// Walks the good image, and notes every field of superblocks, journal and maps.
class Fields {
public:
    Fields()
    {
        const auto page = [](unsigned i) { return value_at<sqc_superblock>(base_image() + i * SQC_PAGE_BYTES); };
        add(0, superblock_fields);
        add(SQC_PAGE_BYTES, superblock_fields);
        const sqc_superblock ruling = page(page(1).generation > page(0).generation);
        journal(ruling.journal_offset + ruling.active_half * ruling.half_bytes);
        for (const auto& [slot, entry] : last_)
            if (entry.map_bytes != 0)
                map(entry);
    }
    const std::vector<Field>& get() const { return fields_; }

private:
    template <std::size_t Count>
    std::uint64_t add(std::uint64_t at, const unsigned (&sizes)[Count])
    {
        for (const unsigned bytes : sizes) {
            fields_.push_back({at, bytes});
            at += bytes;
        }
        return at;
    }
    void journal(std::uint64_t at)
    {
        for (auto record = at_<sqc_record>(at); record.magic == SQC_RECORD_MAGIC; record = at_<sqc_record>(at)) {
            at = add(at, record_fields);
            for (std::uint32_t i = 0; i < record.entries; ++i)
                at = entry(at);
        }
        // The header of zeros behind the last one.
        add(at, record_fields);
    }
    std::uint64_t entry(std::uint64_t at)
    {
        const auto entry = at_<sqc_entry>(at);
        at = add(at, entry_fields);
        if (entry.flags == SQC_ENTRY_DELETED) {
            last_.erase(entry.slot);
            return at;
        }
        last_[entry.slot] = entry;
        // Of the name only what tells it from others.
        fields_.push_back({at, 1});
        fields_.push_back({at + entry.name_bytes - 1u, 1});
        return at + (entry.name_bytes + 7u) / 8 * 8;
    }
    void map(const sqc_entry& entry)
    {
        const auto head = at_<sqc_map>(entry.map_offset);
        const std::uint64_t first = entry.map_offset + entry.map_bytes - std::uint64_t{head.count} * head.entry_bytes;
        // A codebook between head and entries, then checksums and sizes of runs: as 32 bits.
        for (std::uint64_t at = add(entry.map_offset, map_fields); at < first; at += 4)
            fields_.push_back({at, 4});
        for (std::uint32_t i = 0; i < head.count; ++i) {
            const std::uint64_t begin = first + std::uint64_t{i} * head.entry_bytes;
            for (std::uint64_t at = add(begin, map_entry_fields); at < begin + head.entry_bytes; at += 4)
                fields_.push_back({at, 4});
        }
    }
    template <typename Structure>
    static Structure at_(std::uint64_t offset)
    {
        require(offset + sizeof(Structure) <= store_bytes);
        return value_at<Structure>(base_image() + offset);
    }

    std::vector<Field> fields_;
    std::map<std::uint32_t, sqc_entry> last_;
};

inline std::uint64_t field_value(const std::uint8_t* image, const Field& field)
{
    std::uint64_t value = 0;
    std::memcpy(&value, image + field.offset, field.bytes);
    return value;
}

// Applies edits (u16 field, u8 kind, u16 operand): sets a field to a small or a
// great number, adds to it, or makes it what another one is.
inline void edit(std::uint8_t* image, const std::vector<Field>& fields, const std::uint8_t* data, std::size_t size)
{
    enum Kind { set, add, subtract, copy, shift, kinds };
    while (size >= 5) {
        const Field& field = fields[value_at<std::uint16_t>(take(data, size, 2)) % fields.size()];
        const auto kind = *take(data, size, 1);
        const std::uint64_t operand = value_at<std::uint16_t>(take(data, size, 2));
        std::uint64_t value = field_value(image, field);
        switch (kind % kinds) {
        case set:
            value = operand;
            break;
        case add:
            value += operand;
            break;
        case subtract:
            value -= operand;
            break;
        case copy:
            value = field_value(image, fields[operand % fields.size()]);
            break;
        case shift:
            value = (operand & 0x3ff) << (operand >> 10);
            break;
        }
        std::memcpy(image + field.offset, &value, field.bytes);
    }
}

}  // namespace fuzz
