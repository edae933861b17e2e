// SPDX-License-Identifier: MIT
#include "weights.hpp"

#include <chrono>
#include <span>

namespace train {
namespace {

using smartquant::Axis;
using smartquant::Format;

// Adds the time until it goes to a sum.
class Timed {
public:
    explicit Timed(double& seconds) : seconds_(seconds) {}
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;
    ~Timed() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

private:
    using Clock = std::chrono::steady_clock;
    double& seconds_;
    Clock::time_point start_ = Clock::now();
};

std::span<float> values_of(Matrix& matrix)
{
    return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

class Plain : public Weights {
public:
    explicit Plain(const Matrix& initial) : weights_(initial) {}

    const Matrix& forward() override { return weights_; }
    const Matrix& backward() override
    {
        transposed_ = weights_.transpose();
        return transposed_;
    }
    void update(const Matrix& step) override { weights_ -= step; }
    std::size_t resident_bytes() const override { return static_cast<std::size_t>(weights_.size()) * sizeof(float); }

private:
    Matrix weights_, transposed_;
};

// The region that holds the only full-precision copy.
class Stored : public Weights {
public:
    Stored(const Matrix& initial, smartquant::Store& store, const std::string& name, Format format)
        : region_(store.create_region({.name = name,
                                       .dtype = smartquant::Dtype::Fp32,
                                       .rows = static_cast<std::uint32_t>(initial.rows()),
                                       .cols = static_cast<std::uint32_t>(initial.cols())})),
          seen_(initial.rows(), initial.cols()),
          seen_transposed_(initial.cols(), initial.rows()),
          row_request_{.format = format},
          col_request_{.format = format, .axis = Axis::Col},
          row_layout_((store_values(initial), region_.layout(row_request_))),
          col_layout_(region_.layout(col_request_)),
          row_copy_(row_layout_.bytes),
          col_copy_(col_layout_.bytes)
    {
    }

protected:
    void store_values(const Matrix& values)
    {
        region_.store(std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.size()))));
    }
    void fetch_rows()
    {
        const Timed timed(seconds_.formats);
        region_.fetch(row_request_, row_copy_);
    }
    void fetch_cols()
    {
        const Timed timed(seconds_.formats);
        region_.fetch(col_request_, col_copy_);
    }
    const Matrix& decode_rows()
    {
        smartquant::decode(row_layout_, row_copy_, {}, values_of(seen_));
        return seen_;
    }
    const Matrix& decode_cols()
    {
        smartquant::decode(col_layout_, col_copy_, {}, values_of(seen_transposed_));
        return seen_transposed_;
    }
    void step(const Matrix& step)
    {
        const Timed timed(seconds_.updates);
        // The buffer of the forward pass is free by now.
        region_.fetch({.format = Format::native()}, std::as_writable_bytes(values_of(seen_)));
        seen_ -= step;
        store_values(seen_);
    }
    std::size_t stored_bytes() const { return region_.info().stored_bytes; }
    std::size_t copy_bytes() const { return row_copy_.size() + col_copy_.size(); }
    StoreSeconds store_seconds() const override { return seconds_; }

private:
    StoreSeconds seconds_;
    smartquant::Region region_;
    Matrix seen_, seen_transposed_;
    smartquant::ReadRequest row_request_, col_request_;
    smartquant::Layout row_layout_, col_layout_;
    std::vector<std::byte> row_copy_, col_copy_;
};

class Jit : public Stored {
public:
    using Stored::Stored;

    const Matrix& forward() override
    {
        fetch_rows();
        return decode_rows();
    }
    const Matrix& backward() override
    {
        fetch_cols();
        return decode_cols();
    }
    void update(const Matrix& step) override { Stored::step(step); }
    std::size_t resident_bytes() const override { return stored_bytes(); }
};

class Copies : public Stored {
public:
    Copies(const Matrix& initial, smartquant::Store& store, const std::string& name, Format format)
        : Stored(initial, store, name, format)
    {
        make_copies();
    }

    const Matrix& forward() override { return decode_rows(); }
    const Matrix& backward() override { return decode_cols(); }
    void update(const Matrix& step) override
    {
        Stored::step(step);
        make_copies();
    }
    std::size_t resident_bytes() const override { return stored_bytes() + copy_bytes(); }

private:
    void make_copies()
    {
        fetch_rows();
        fetch_cols();
    }
};

}  // namespace

std::unique_ptr<Weights> make_weights(Kind kind, const Matrix& initial, smartquant::Store& store, const std::string& name,
                                      Format format)
{
    switch (kind) {
    case Kind::plain: return std::make_unique<Plain>(initial);
    case Kind::jit: return std::make_unique<Jit>(initial, store, name, format);
    case Kind::copies: return std::make_unique<Copies>(initial, store, name, format);
    }
    return nullptr;
}

}  // namespace train
