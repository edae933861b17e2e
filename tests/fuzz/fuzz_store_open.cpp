// SPDX-License-Identifier: MIT
//
// A damaged store: patches anywhere on a good image, then open and use.
#include "store_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Memory memory(fuzz::store_bytes);
    std::memcpy(memory.get(), fuzz::base_image(), fuzz::store_bytes);
    fuzz::patch(memory.get(), {{0, fuzz::store_bytes}}, data, size);
    fuzz::open_and_use(memory.get());
    return 0;
}
