// SPDX-License-Identifier: MIT
#include "embedded/read_scratch.hpp"

#include "controller_api.hpp"
#include "memory.hpp"

namespace smartquant {

void *read_scratch(std::size_t bytes)
{
	// Of reads alone: they keep a decoder in it.
	static thread_local Scratch scratch;

	return scratch.take(bytes, sqc_read_scratch_begin).data();
}

} // namespace smartquant
