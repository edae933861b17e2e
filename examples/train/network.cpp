// SPDX-License-Identifier: MIT
#include "network.hpp"

#include <cmath>

namespace train {
namespace {

constexpr float momentum_decay = 0.9f;

// Uniform in +-scale, from the generator alone so that every machine agrees.
Matrix random_matrix(int rows, int cols, float scale, std::mt19937& random)
{
    Matrix matrix(rows, cols);
    for (Eigen::Index i = 0; i < matrix.size(); ++i)
        matrix.data()[i] = scale * (static_cast<float>(random() >> 8) / 8388608.0f - 1.0f);
    return matrix;
}

// Softmax and cross-entropy: turns logits into their gradient, returns the mean loss.
float softmax_gradient(Matrix& logits, const Batch& batch)
{
    double loss = 0;
    for (Eigen::Index i = 0; i < logits.rows(); ++i) {
        auto row = logits.row(i).array();
        row = (row - row.maxCoeff()).exp();
        row /= row.sum();
        auto& target = logits(i, batch.targets[static_cast<std::size_t>(i)]);
        loss -= std::log(std::max(target, 1e-30f));
        target -= 1.0f;
    }
    logits /= static_cast<float>(batch.size);
    return static_cast<float>(loss / batch.size);
}

}  // namespace

Network::Network(Kind kind, const Sizes& sizes, unsigned int seed, smartquant::Store& store, const std::string& name,
                 smartquant::Format format)
    : sizes_(sizes)
{
    std::mt19937 random(seed);
    const auto make_layer = [&](int rows, int cols, float scale, const std::string& part) {
        const Matrix initial = random_matrix(rows, cols, scale, random);
        return Layer{make_weights(kind, initial, store, name + "/" + part, format), Matrix::Zero(rows, cols)};
    };
    embedding_ = make_layer(classes, sizes.embedding, 0.5f, "embedding");
    const int widths[] = {context * sizes.embedding, sizes.hidden, sizes.hidden, classes};
    for (int i = 0; i + 1 < 4; ++i) {
        const float scale = std::sqrt(6.0f / static_cast<float>(widths[i]));
        layers_.push_back(make_layer(widths[i + 1], widths[i], scale, "layer" + std::to_string(i)));
    }
}

Matrix Network::embed(const Batch& batch)
{
    const Matrix& table = embedding_.weights->forward();
    Matrix inputs(batch.size, context * sizes_.embedding);
    for (int i = 0; i < batch.size; ++i) {
        for (int c = 0; c < context; ++c)
            inputs.row(i).segment(c * sizes_.embedding, sizes_.embedding) =
                table.row(batch.inputs[static_cast<std::size_t>(i * context + c)]);
    }
    return inputs;
}

Matrix Network::embedding_gradient(const Batch& batch, const Matrix& inputs_gradient) const
{
    Matrix gradient = Matrix::Zero(classes, sizes_.embedding);
    for (int i = 0; i < batch.size; ++i) {
        for (int c = 0; c < context; ++c)
            gradient.row(batch.inputs[static_cast<std::size_t>(i * context + c)]) +=
                inputs_gradient.row(i).segment(c * sizes_.embedding, sizes_.embedding);
    }
    return gradient;
}

void Network::update(Layer& layer, const Matrix& gradient, float rate)
{
    layer.momentum = momentum_decay * layer.momentum + gradient;
    layer.weights->update(rate * layer.momentum);
}

std::vector<Matrix> Network::activations(const Batch& batch)
{
    std::vector<Matrix> activations = {embed(batch)};
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        Matrix next = activations.back() * layers_[l].weights->forward().transpose();
        if (l + 1 < layers_.size())
            next = next.cwiseMax(0.0f);
        activations.push_back(std::move(next));
    }
    return activations;
}

float Network::loss(const Batch& batch)
{
    return softmax_gradient(activations(batch).back(), batch);
}

float Network::step(const Batch& batch, float rate)
{
    std::vector<Matrix> activations = this->activations(batch);
    Matrix gradient = std::move(activations.back());
    const float loss = softmax_gradient(gradient, batch);
    for (std::size_t l = layers_.size(); l-- > 0;) {
        const Matrix weight_gradient = gradient.transpose() * activations[l];
        Matrix before = gradient * layers_[l].weights->backward().transpose();
        if (l > 0)
            before = (activations[l].array() > 0.0f).select(before, 0.0f);
        gradient = std::move(before);
        update(layers_[l], weight_gradient, rate);
    }
    update(embedding_, embedding_gradient(batch, gradient), rate);
    return loss;
}

std::size_t Network::weights() const
{
    Eigen::Index count = embedding_.momentum.size();
    for (const auto& layer : layers_)
        count += layer.momentum.size();
    return static_cast<std::size_t>(count);
}

std::size_t Network::weight_bytes() const
{
    std::size_t bytes = embedding_.weights->resident_bytes();
    for (const auto& layer : layers_)
        bytes += layer.weights->resident_bytes();
    return bytes;
}

StoreSeconds Network::store_seconds() const
{
    StoreSeconds sum = embedding_.weights->store_seconds();
    for (const auto& layer : layers_) {
        const auto seconds = layer.weights->store_seconds();
        sum.formats += seconds.formats;
        sum.updates += seconds.updates;
    }
    return sum;
}

std::size_t Network::optimiser_bytes() const { return weights() * sizeof(float); }

}  // namespace train
