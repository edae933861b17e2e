// SPDX-License-Identifier: MIT
//
// A good store under arbitrary requests: create, write, read, map, load, seal,
// pack, flush, delete, statistics, in any order with any arguments.
#include "store_use.hpp"

#include <fuzzer/FuzzedDataProvider.h>

namespace {

class Session {
public:
    explicit Session(FuzzedDataProvider& input) : input_(input), memory_(fuzz::store_bytes)
    {
        std::memcpy(memory_.get(), fuzz::base_image(), fuzz::store_bytes);
        store_ = fuzz::open(memory_.get());
        fuzz::require(store_ != nullptr);
    }
    ~Session()
    {
        sqc_close(store_);
        // Whatever was asked of it, the store must open again.
        sqc_store* again = fuzz::open(memory_.get());
        fuzz::require(again != nullptr);
        sqc_close(again);
    }

    void step()
    {
        using Action = void (Session::*)();
        static constexpr Action actions[] = {&Session::create, &Session::write, &Session::read,  &Session::map,     &Session::unmap,
                                             &Session::load,   &Session::seal,  &Session::flush, &Session::remove, &Session::statistics,
                                             &Session::pack,   &Session::read_vector, &Session::tag,  &Session::verify, &Session::levels};
        (this->*actions[input_.ConsumeIntegralInRange<std::size_t>(0, std::size(actions) - 1)])();
    }

private:
    std::uint32_t handle() { return fuzz::any_handle(input_, store_, 6); }
    std::uint32_t count()
    {
        return input_.ConsumeBool() ? input_.ConsumeIntegralInRange<std::uint32_t>(0, 80) : input_.ConsumeIntegral<std::uint32_t>();
    }
    sqc_read_request read_request()
    {
        const std::uint16_t format = input_.ConsumeBool() ? sqc_format_at(input_.ConsumeIntegralInRange(0u, 90u)) : input_.ConsumeIntegral<std::uint16_t>();
        return {handle(), format, input_.ConsumeIntegralInRange<std::uint8_t>(0, 4), input_.ConsumeIntegralInRange<std::uint8_t>(0, 2), count(), count()};
    }

    void create()
    {
        const auto name = input_.ConsumeRandomLengthString(300);
        const sqc_region_spec spec = {name.data(), static_cast<std::uint32_t>(name.size()), input_.ConsumeIntegralInRange<std::uint8_t>(0, 7),
                                      input_.ConsumeIntegralInRange<std::uint8_t>(0, 5), count(), count()};
        std::uint32_t made = 0;
        sqc_region_create(store_, &spec, &made);
    }
    void write()
    {
        const sqc_write_request request = {handle(), input_.ConsumeIntegral<std::uint16_t>(), input_.ConsumeIntegralInRange<std::uint8_t>(0, 3), count(), count()};
        std::uint64_t bytes = 0;
        if (sqc_write_bytes(store_, &request, &bytes) != SQ_STATUS_SUCCESS || bytes > (4u << 20))
            return;
        std::vector<std::uint8_t> data(bytes);
        const auto pattern = input_.ConsumeRandomLengthString(64);
        for (std::size_t i = 0; i < bytes && !pattern.empty(); ++i)
            data[i] = static_cast<std::uint8_t>(pattern[i % pattern.size()]);
        sqc_result result;
        sqc_write(store_, &request, data.data(), bytes, &result);
    }
    void read() { fuzz::read_region(store_, read_request()); }
    void read_vector()
    {
        auto request = read_request();
        if (input_.ConsumeBool())
            request.format = SQ_FORMAT_TAG;
        std::vector<std::uint16_t> formats(input_.ConsumeIntegralInRange<std::size_t>(0, 80));
        for (auto& format : formats)
            format = sqc_format_at(input_.ConsumeIntegralInRange(0u, 90u));
        const sqc_precision_vector vector = {formats.data(), static_cast<std::uint32_t>(formats.size()), count()};
        std::vector<std::uint64_t> offsets(formats.size() + 1);
        sqc_vector_layout layout;
        if (sqc_vector_describe(store_, &request, &vector, &layout, offsets.data()) != SQ_STATUS_SUCCESS || layout.bytes > (16u << 20))
            return;
        if (offsets.back() != layout.bytes)
            std::abort();
        std::vector<std::uint8_t> out(layout.bytes);
        const fuzz::Scratch scratch(layout.scratch_bytes);
        sqc_result result;
        sqc_read_vector(store_, &request, &vector, out.data(), layout.bytes, scratch.get(), &result);
    }
    void tag() { sqc_region_set_precision(store_, handle(), input_.ConsumeIntegral<std::uint16_t>()); }
    void verify()
    {
        std::uint64_t checked = 0;
        std::uint32_t bad_count = 0;
        sqc_bad_run bad[SQC_RUNS_MAX];
        sqc_verify_segment(store_, handle(), input_.ConsumeIntegralInRange(0u, 5u), &checked, bad, &bad_count);
    }
    void levels()
    {
        const auto bits = input_.ConsumeIntegralInRange(0u, 9u);
        std::vector<float> levels(std::size_t{1} << bits);
        sqc_region_levels(store_, handle(), bits, levels.data());
    }
    void map()
    {
        const auto request = read_request();
        sqc_view_info info;
        if (sqc_view_map(store_, &request, &info) == SQ_STATUS_SUCCESS)
            view_ = info.view;
    }
    void unmap() { sqc_view_unmap(store_, input_.ConsumeBool() ? view_ : input_.ConsumeIntegral<std::uint32_t>()); }
    void load()
    {
        const fuzz::Scratch scratch(SQC_VIEW_LOAD_SCRATCH_BYTES);
        sqc_view_info info;
        std::uint64_t dpa = input_.ConsumeIntegral<std::uint64_t>(), value = 0;
        if (sqc_view_describe(store_, view_, &info) == SQ_STATUS_SUCCESS && input_.ConsumeBool())
            dpa = info.dpa + dpa % (info.window_bytes + 16);
        sqc_view_load(store_, dpa, input_.ConsumeIntegralInRange(0u, 9u), &value, scratch.get());
    }
    void seal() { sqc_region_seal(store_, handle()); }
    void pack() { sqc_region_pack(store_, handle(), nullptr); }
    void flush() { sqc_flush(store_, input_.ConsumeBool() ? 0 : handle()); }
    void remove() { sqc_region_delete(store_, handle()); }
    void statistics()
    {
        sqc_statistics statistics;
        const auto scope = input_.ConsumeIntegralInRange(0u, 3u);
        const auto key = input_.ConsumeBool() ? handle() : input_.ConsumeIntegral<std::uint32_t>();
        sqc_statistics_get(store_, scope, key, &statistics);
        if (input_.ConsumeBool())
            sqc_statistics_reset(store_, scope, key);
    }

    FuzzedDataProvider& input_;
    fuzz::Memory memory_;
    sqc_store* store_ = nullptr;
    std::uint32_t view_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    FuzzedDataProvider input(data, size);
    Session session(input);
    for (int steps = 0; steps < 64 && input.remaining_bytes() > 0; ++steps)
        session.step();
    return 0;
}
