// SPDX-License-Identifier: MIT
//
// Runs of coding packed that say anything: planes of 512 elements and more,
// decoded one after the other from the input.
extern "C" {
#include "packed.h"
}

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static void* const decoder = [] {
        void* memory = std::aligned_alloc(64, (sqc_packed_decoder_bytes() + 63) / 64 * 64);
        if (!sqc_packed_decoder_begin(memory))
            std::abort();
        return memory;
    }();
    if (size < 2)
        return 0;
    const unsigned words = 8u * (1 + data[0] % 4);
    const unsigned significand = data[1] % 3 == 0 ? 8 : data[1] % 3 == 1 ? 11 : 24;
    const unsigned planes = significand == 8 ? 16 : significand == 11 ? 20 : 32;
    data += 2;
    size -= 2;

    std::vector<std::vector<std::uint64_t>> storage(planes, std::vector<std::uint64_t>(words));
    std::vector<std::uint64_t*> pointers;
    for (auto& plane : storage)
        pointers.push_back(plane.data());
    std::vector<std::uint64_t> sign(words);
    const auto state = std::make_unique<sqc_packed>();
    sqc_packed_begin(state.get(), words, significand);
    for (unsigned p = 0; p < planes && size >= 2; ++p) {
        const std::size_t bytes = std::min<std::size_t>(data[0] | data[1] << 8, size - 2);
        std::vector<std::uint8_t> run(data + 2, data + 2 + bytes);
        run.resize(bytes + SQC_PACKED_SLACK);
        if (sqc_packed_decode(state.get(), run.data(), bytes, pointers.data(), sign.data(), decoder) != 0)
            return 0;
        data += 2 + bytes;
        size -= 2 + bytes;
    }
    std::vector<std::uint8_t> rest(data, data + size);
    rest.resize(size + SQC_PACKED_SLACK);
    if (state->plane == planes)
        sqc_packed_decode_signs(state.get(), rest.data(), size, sign.data());
    return 0;
}
