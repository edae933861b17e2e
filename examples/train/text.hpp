// SPDX-License-Identifier: MIT
//
// The data set: text files as a sequence of character classes
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace train {

// Printable ASCII; everything else reads as a space.
inline constexpr int classes = 95;
inline constexpr int context = 16;

struct Batch {
    std::vector<std::uint8_t> inputs;   // size x context
    std::vector<std::uint8_t> targets;  // size
    int size = 0;
};

class Text {
public:
    // All regular files below `where`, in order of their names. Throws
    // std::runtime_error when there is less text than one batch needs.
    explicit Text(const std::filesystem::path& where);

    // Contexts and the character that follows each, drawn by `random` from
    // all but the last twentieth.
    Batch draw(int size, std::mt19937& random) const;
    // The same from the last twentieth, which is not trained on.
    Batch draw_held_out(int size, std::mt19937& random) const;
    std::size_t size() const { return classes_.size(); }

private:
    std::size_t held_out() const { return classes_.size() - classes_.size() / 20; }
    Batch draw_between(std::size_t begin, std::size_t end, int size, std::mt19937& random) const;

    std::vector<std::uint8_t> classes_;
};

}  // namespace train
