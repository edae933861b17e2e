// SPDX-License-Identifier: MIT
//
// The network: predicts a character from the 16 before it
//
//   characters -> embedding (32 each) -> 1024 -> 1024 -> 95, ReLU between,
//   cross-entropy loss, momentum; 1.67 million weights in four matrices, all
//   of them behind Weights.
#pragma once

#include "text.hpp"
#include "weights.hpp"

#include <memory>
#include <string>
#include <vector>

namespace train {

struct Sizes {
    int embedding = 32;
    int hidden = 1024;
};

class Network {
public:
    // The same seed gives the same weights for every kind.
    Network(Kind kind, const Sizes& sizes, unsigned int seed, smartquant::Store& store, const std::string& name,
            smartquant::Format format);

    // The mean loss of a batch in nats a character, without learning from it.
    float loss(const Batch& batch);
    // One step of training; the mean loss of the batch before it.
    float step(const Batch& batch, float rate);

    std::size_t weights() const;
    // What the weights occupy between two steps, and what the optimiser adds.
    std::size_t weight_bytes() const;
    std::size_t optimiser_bytes() const;
    StoreSeconds store_seconds() const;

private:
    struct Layer {
        std::unique_ptr<Weights> weights;
        Matrix momentum;
    };

    Matrix embed(const Batch& batch);
    // Before each layer, and after the last one.
    std::vector<Matrix> activations(const Batch& batch);
    void update(Layer& layer, const Matrix& gradient, float rate);
    Matrix embedding_gradient(const Batch& batch, const Matrix& inputs_gradient) const;

    Sizes sizes_;
    Layer embedding_;
    std::vector<Layer> layers_;
};

}  // namespace train
