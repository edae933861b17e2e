// SPDX-License-Identifier: MIT
//
// A hostile region table: fields of superblocks, journal and maps of a good
// image say something else, and their checksums say that this is right; then
// open and use.
#include "store_damage.hpp"
#include "store_use.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Memory memory(fuzz::store_bytes);
    static const fuzz::Fields fields;
    if (size == 0)
        return 0;
    std::memcpy(memory.get(), fuzz::base_image(), fuzz::store_bytes);
    fuzz::edit(memory.get(), fields.get(), data + 1, size - 1);
    fuzz::open_and_use(memory.get(), fuzz::Use(data[0]));
    return 0;
}
