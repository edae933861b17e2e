// SPDX-License-Identifier: MIT
#include "digest.hpp"

#include <fmt/format.h>

// Compiled in: the guest needs no library for it.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sqctl {

struct Digest::State {
	XXH64_state_t hash;
};

Digest::Digest() : state_(std::make_unique<State>())
{
	XXH64_reset(&state_->hash, 0);
}

Digest::~Digest() = default;

void Digest::update(std::span<const std::byte> bytes)
{
	XXH64_update(&state_->hash, bytes.data(), bytes.size());
}

std::string Digest::text() const
{
	return fmt::format("{:016x}", static_cast<uint64_t>(XXH64_digest(&state_->hash)));
}

} // namespace sqctl
