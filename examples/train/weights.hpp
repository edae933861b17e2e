// SPDX-License-Identifier: MIT
//
// Where the weights of a layer live, and how a pass sees them
//
//   Plain    fp32 in memory: what the losses are compared with
//   Jit      one copy, in the store; a forward pass fetches it in the low
//            precision along rows, a backward pass along columns, an update is
//            a store. The low-precision copies exist only while they are used.
//   Copies   the same, but both low-precision copies are made after each
//            update and kept: what one does without such a store
//
// Jit and Copies see the same numbers, so their losses are equal bit for bit.
#pragma once

#include <smartquant/smartquant.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace train {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct StoreSeconds {
    double formats = 0;  // reads in the low precision
    double updates = 0;  // reads and stores of the exact values
};

class Weights {
public:
    virtual ~Weights() = default;

    // As the forward pass sees them: outputs x inputs, blocks along the inputs.
    virtual const Matrix& forward() = 0;
    // Transposed, as the backward pass sees them: inputs x outputs, blocks
    // along the outputs.
    virtual const Matrix& backward() = 0;
    // w -= step
    virtual void update(const Matrix& step) = 0;
    // Bytes held between two steps.
    virtual std::size_t resident_bytes() const = 0;
    // Seconds spent in the store so far.
    virtual StoreSeconds store_seconds() const { return {}; }
};

enum class Kind { plain, jit, copies };

// `store` and `format` matter for jit and copies only.
std::unique_ptr<Weights> make_weights(Kind kind, const Matrix& initial, smartquant::Store& store, const std::string& name,
                                      smartquant::Format format);

}  // namespace train
