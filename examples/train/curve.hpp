// SPDX-License-Identifier: MIT
//
// Loss curves as text
#pragma once

#include <span>
#include <string>
#include <vector>

namespace train {

struct Curve {
    char mark;
    std::string name;
    std::vector<float> losses;  // of each step
};

// Mean of the last ten losses up to a step, so that a curve shows the trend
// and not the batch.
double smoothed(std::span<const float> losses, std::size_t at);

// The curves over one pair of axes, as many steps each; '=' where they meet.
std::string plot(std::span<const Curve> curves);

}  // namespace train
