// SPDX-License-Identifier: MIT
#include "curve.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace train {
namespace {

constexpr std::size_t columns = 64;
constexpr std::size_t lines = 16;
constexpr char together = '=';

std::size_t step_of(std::size_t column, std::size_t steps) { return column * (steps - 1) / (columns - 1); }

// Lowest and highest value that is drawn.
std::pair<double, double> range_of(std::span<const Curve> curves, std::size_t steps)
{
    double low = smoothed(curves.front().losses, 0), high = low;
    for (const auto& curve : curves) {
        for (std::size_t column = 0; column < columns; ++column) {
            const double value = smoothed(curve.losses, step_of(column, steps));
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    return {low, high > low ? high : low + 1};
}

}  // namespace

double smoothed(std::span<const float> losses, std::size_t at)
{
    const std::size_t first = at >= 9 ? at - 9 : 0;
    double sum = 0;
    for (std::size_t i = first; i <= at; ++i)
        sum += losses[i];
    return sum / static_cast<double>(at - first + 1);
}

std::string plot(std::span<const Curve> curves)
{
    const std::size_t steps = curves.front().losses.size();
    const auto [low, high] = range_of(curves, steps);
    std::vector<std::string> canvas(lines, std::string(columns, ' '));
    for (const auto& curve : curves) {
        for (std::size_t column = 0; column < columns; ++column) {
            const double value = smoothed(curve.losses, step_of(column, steps));
            const auto line = static_cast<std::size_t>((high - value) / (high - low) * (lines - 1) + 0.5);
            char& place = canvas[line][column];
            place = place == ' ' ? curve.mark : together;
        }
    }
    std::string text;
    for (std::size_t line = 0; line < lines; ++line)
        text += fmt::format("{:8.3f} |{}\n", high - (high - low) * static_cast<double>(line) / (lines - 1), canvas[line]);
    text += fmt::format("{:>8} +{}\n{:>10}{:<{}}{}\n", "", std::string(columns, '-'), "", "step 1", columns - 4, steps);
    for (const auto& curve : curves)
        text += fmt::format("{:>10}{} {}\n", "", curve.mark, curve.name);
    return text + fmt::format("{:>10}{} together\n", "", together);
}

}  // namespace train
