// SPDX-License-Identifier: MIT
//
// A damaged store: patches anywhere on a good image, then open and use.
#include "store_damage.hpp"
#include "store_use.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Memory memory(fuzz::store_bytes);
    static const auto spans = fuzz::used_spans();
    if (size == 0)
        return 0;
    std::memcpy(memory.get(), fuzz::base_image(), fuzz::store_bytes);
    fuzz::patch(memory.get(), spans, data + 1, size - 1);
    fuzz::open_and_use(memory.get(), fuzz::Use(data[0]));
    return 0;
}
