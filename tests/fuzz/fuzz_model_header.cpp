// SPDX-License-Identifier: MIT
//
// GGUF and safetensors headers: anything is refused with a reason, or parsed
// into tensors that lie inside of the file.
#include "model/header.hpp"

#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace smartquant::model;
    const MemorySource source(std::as_bytes(std::span(data, size)));
    for (const auto behind : {Behind::data, Behind::nothing}) {
        try {
            const auto header = parse(source, behind);
            for (const auto& tensor : header.tensors) {
                if (behind == Behind::data && (header.data_offset > size || tensor.offset > size - header.data_offset ||
                                               tensor.bytes > size - header.data_offset - tensor.offset))
                    std::abort();
            }
        } catch (const Malformed&) {
        } catch (const smartquant::Error&) {
        }
    }
    return 0;
}
