// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace train {
namespace {

std::vector<std::filesystem::path> files_below(const std::filesystem::path& where)
{
    if (std::filesystem::is_regular_file(where))
        return {where};
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(where)) {
        if (entry.is_regular_file())
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::uint8_t class_of(char c)
{
    const int index = static_cast<unsigned char>(c) - ' ';
    return index >= 0 && index < classes ? static_cast<std::uint8_t>(index) : 0;
}

}  // namespace

Text::Text(const std::filesystem::path& where)
{
    if (!std::filesystem::exists(where))
        throw std::runtime_error("text \"" + where.string() + "\" does not exist; name a file or a folder with --text");
    for (const auto& path : files_below(where)) {
        std::ifstream file(path, std::ios::binary);
        std::transform(std::istreambuf_iterator<char>(file), {}, std::back_inserter(classes_), class_of);
    }
    if (classes_.size() < 10000)
        throw std::runtime_error("text \"" + where.string() + "\" has " + std::to_string(classes_.size()) +
                                 " characters, at least 10000 are needed; name more with --text");
}

Batch Text::draw(int size, std::mt19937& random) const
{
    return draw_between(0, held_out(), size, random);
}

Batch Text::draw_held_out(int size, std::mt19937& random) const
{
    return draw_between(held_out(), classes_.size(), size, random);
}

Batch Text::draw_between(std::size_t begin, std::size_t end, int size, std::mt19937& random) const
{
    Batch batch;
    batch.size = size;
    for (int i = 0; i < size; ++i) {
        // Modulo and not a distribution: the same draws with every standard library.
        const auto at = static_cast<std::ptrdiff_t>(begin + random() % (end - begin - context));
        batch.inputs.insert(batch.inputs.end(), classes_.begin() + at, classes_.begin() + at + context);
        batch.targets.push_back(classes_[static_cast<std::size_t>(at) + context]);
    }
    return batch;
}

}  // namespace train
