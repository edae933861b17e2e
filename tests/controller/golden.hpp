// SPDX-License-Identifier: MIT
//
// Golden files: JSON with little-endian bytes in hexadecimal.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace golden {

using Bytes = std::vector<std::uint8_t>;

inline nlohmann::json load(const std::string& name)
{
    std::ifstream file(std::string(SQ_GOLDEN_DIR) + "/" + name);
    if (!file)
        throw std::runtime_error("no golden file " + name);
    return nlohmann::json::parse(file);
}

inline Bytes bytes(const std::string& hex)
{
    Bytes result(hex.size() / 2);
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = static_cast<std::uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
    return result;
}

inline std::vector<float> floats(const std::string& hex)
{
    const auto raw = bytes(hex);
    std::vector<float> result(raw.size() / sizeof(float));
    if (!raw.empty())
        std::memcpy(result.data(), raw.data(), raw.size());
    return result;
}

}  // namespace golden
