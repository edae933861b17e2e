// SPDX-License-Identifier: MIT
//
// A damaged region table: patches on superblocks and journal of a good image,
// whose checksums say that they are right; then open and use.
#include "store_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Memory memory(fuzz::store_bytes);
    static const auto spans = fuzz::table_spans();
    std::memcpy(memory.get(), fuzz::base_image(), fuzz::store_bytes);
    fuzz::patch(memory.get(), spans, data, size);
    fuzz::open_and_use(memory.get());
    return 0;
}
