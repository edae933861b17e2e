// SPDX-License-Identifier: MIT
//
// Training with the only copy of the weights in the store (JIT-Q)
//
// Trains one network three times on the same batches: with plain fp32 weights,
// with weights in the store that each pass fetches in a low-precision format
// along the axis that it multiplies along, and with low-precision copies that
// are kept beside them. Prints the losses, the memory and the speed.
//
//     build/bin/sq-train --text "$(scripts/train-text)"
//     build/bin/sq-train --format mx6 --steps 300 --text ~/books
#include "curve.hpp"
#include "network.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string device = "embedded:";
    std::string format = "mx9";
    std::string text;
    int steps = 200;
    int batch = 1024;
    float rate = 0.2f;
    unsigned int seed = 1;
    bool json = false;
    bool check = false;
};

Options parse(int argc, char** argv)
{
    Options options;
    CLI::App app{"Trains a network whose only copy of the weights is in a SmartQuant store."};
    app.add_option("--device", options.device, "Store that holds the weights")->capture_default_str();
    app.add_option("--format", options.format, "Format that the passes see")->capture_default_str();
    app.add_option("--text", options.text, "File or folder to train on; scripts/train-text fetches one")->required();
    app.add_option("--steps", options.steps, "Steps of training")->check(CLI::Range(1, 1000000))->capture_default_str();
    app.add_option("--batch", options.batch, "Characters a step")->check(CLI::Range(1, 65536))->capture_default_str();
    app.add_option("--rate", options.rate, "Learning rate")->capture_default_str();
    app.add_option("--seed", options.seed, "Seed of weights and batches")->capture_default_str();
    app.add_flag("--json", options.json, "Print JSON");
    app.add_flag("--check", options.check, "Fail when the runs disagree or nothing was learnt");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    return options;
}

// One run: a network, its losses, the seconds that its steps took.
struct Run {
    std::string name;
    train::Network network;
    std::vector<float> losses;
    double seconds = 0;
    train::StoreSeconds store_seconds = {};  // of these
    double held_out_loss = 0;
};

void step(Run& run, const train::Batch& batch, float rate)
{
    const auto start = Clock::now();
    run.losses.push_back(run.network.step(batch, rate));
    run.seconds += std::chrono::duration<double>(Clock::now() - start).count();
}

double megabytes(std::size_t bytes) { return static_cast<double>(bytes) / 1e6; }

// Loss on text that was not trained on; the same for every run.
void measure_held_out(std::vector<Run>& runs, const train::Text& text, unsigned int seed)
{
    constexpr int batches = 8, size = 1024;
    std::mt19937 random(seed);
    for (int i = 0; i < batches; ++i) {
        const auto batch = text.draw_held_out(size, random);
        for (auto& run : runs)
            run.held_out_loss += static_cast<double>(run.network.loss(batch)) / batches;
    }
}

void print_losses(const std::vector<Run>& runs)
{
    fmt::print("\nLoss, nats a character (mean of the last ten steps)\n{:>8}", "step");
    for (const auto& run : runs)
        fmt::print("{:>14}", run.name);
    fmt::print("\n");
    const std::size_t steps = runs.front().losses.size();
    for (std::size_t row = 1; row <= 10; ++row) {
        const std::size_t at = std::max<std::size_t>(steps * row / 10, 1) - 1;
        fmt::print("{:>8}", at + 1);
        for (const auto& run : runs)
            fmt::print("{:>14.4f}", train::smoothed(run.losses, at));
        fmt::print("\n");
    }
    fmt::print("{:>8}", "held out");
    for (const auto& run : runs)
        fmt::print("{:>14.4f}", run.held_out_loss);
    fmt::print("\n\n{}", train::plot(std::vector<train::Curve>{{'f', runs[0].name, runs[0].losses},
                                                               {'j', runs[1].name, runs[1].losses}}));
    fmt::print("Losses of {} and {}: {}\n", runs[1].name, runs[2].name,
               runs[1].losses == runs[2].losses ? "equal bit for bit" : "DIFFERENT");
}

void print_costs(const std::vector<Run>& runs, int batch)
{
    fmt::print("\n{:<14}{:>14}{:>16}{:>14}{:>16}{:>14}{:>16}{:>16}\n", "run", "weights, MB", "optimiser, MB", "together, MB",
               "characters a s", "seconds", "low precision", "updates");
    for (const auto& run : runs) {
        const auto weights = run.network.weight_bytes(), optimiser = run.network.optimiser_bytes();
        fmt::print("{:<14}{:>14.2f}{:>16.2f}{:>14.2f}{:>16.0f}{:>14.2f}{:>14.1f} %{:>14.1f} %\n", run.name, megabytes(weights),
                   megabytes(optimiser), megabytes(weights + optimiser), static_cast<double>(run.losses.size()) * batch / run.seconds,
                   run.seconds, 100 * run.store_seconds.formats / run.seconds, 100 * run.store_seconds.updates / run.seconds);
    }
    fmt::print("(the last two: share of the seconds in the store, for reads in the low precision and for updates)\n");
}

// Just-in-time against kept copies: memory saved, throughput lost, in per cent.
struct Comparison {
    double weight_memory_saved;
    double memory_saved;
    double throughput_lost;
};

Comparison compare(const Run& jit, const Run& copies)
{
    const auto share = [](double ours, double theirs) { return 100.0 * (1.0 - ours / theirs); };
    const auto total = [](const Run& run) {
        return static_cast<double>(run.network.weight_bytes() + run.network.optimiser_bytes());
    };
    return {share(static_cast<double>(jit.network.weight_bytes()), static_cast<double>(copies.network.weight_bytes())),
            share(total(jit), total(copies)), share(copies.seconds, jit.seconds)};
}

void print_text(const std::vector<Run>& runs, const Options& options)
{
    print_losses(runs);
    print_costs(runs, options.batch);
    const auto comparison = compare(runs[1], runs[2]);
    fmt::print("\nAgainst kept {} copies: {:.1f} % less memory for weights, {:.1f} % with the optimiser's; {:.1f} % of the throughput lost.\n",
               options.format, comparison.weight_memory_saved, comparison.memory_saved, comparison.throughput_lost);
}

void print_json(const std::vector<Run>& runs, const Options& options)
{
    nlohmann::json document = {{"schema", "smartquant/train/1"}, {"format", options.format}, {"steps", options.steps},
                               {"batch", options.batch},         {"seed", options.seed},     {"weights", runs[0].network.weights()}};
    for (const auto& run : runs) {
        document["runs"].push_back({{"name", run.name},
                                    {"losses", run.losses},
                                    {"held_out_loss", run.held_out_loss},
                                    {"weight_bytes", run.network.weight_bytes()},
                                    {"optimiser_bytes", run.network.optimiser_bytes()},
                                    {"seconds", run.seconds},
                                    {"store_seconds_low_precision", run.store_seconds.formats},
                                    {"store_seconds_updates", run.store_seconds.updates}});
    }
    const auto comparison = compare(runs[1], runs[2]);
    document["weight_memory_saved_percent"] = comparison.weight_memory_saved;
    document["memory_saved_percent"] = comparison.memory_saved;
    document["throughput_lost_percent"] = comparison.throughput_lost;
    fmt::print("{}\n", document.dump(2));
}

// Both quantised runs saw the same numbers; every run learnt something.
void check(const std::vector<Run>& runs)
{
    if (runs[1].losses != runs[2].losses)
        throw std::runtime_error("just-in-time and kept copies gave different losses");
    for (const auto& run : runs) {
        if (!(run.losses.back() < run.losses.front()))
            throw std::runtime_error("run " + run.name + " learnt nothing");
    }
}

void train_all(const Options& options)
{
    auto store = smartquant::Store::open(options.device);
    const auto format = smartquant::Format::parse(options.format);
    const train::Text text(options.text);

    std::vector<Run> runs;
    const auto add = [&](const std::string& name, train::Kind kind) {
        runs.push_back({.name = name,
                        .network = train::Network(kind, {}, options.seed, store, "train-" + name, format),
                        .losses = {}});
    };
    add("fp32", train::Kind::plain);
    add("just-in-time", train::Kind::jit);
    add("copies", train::Kind::copies);
    if (!options.json)
        fmt::print("{} weights, {} characters of text, {} steps of {}\n", runs[0].network.weights(), text.size(), options.steps, options.batch);

    // Step by step in turn, so that all runs see the machine in the same mood,
    // and each as often behind each other, whose data is in the caches then.
    std::mt19937 random(options.seed);
    for (int i = 0; i < options.steps; ++i) {
        const auto batch = text.draw(options.batch, random);
        for (std::size_t turn = 0; turn < runs.size(); ++turn)
            step(runs[(static_cast<std::size_t>(i) + turn) % runs.size()], batch, options.rate);
        if (!options.json && (i + 1) % 10 == 0)
            fmt::print(stderr, "\rstep {} of {}", i + 1, options.steps);
    }
    if (!options.json)
        fmt::print(stderr, "\r{:40}\r", "");

    for (auto& run : runs)
        run.store_seconds = run.network.store_seconds();
    measure_held_out(runs, text, options.seed + 1);
    options.json ? print_json(runs, options) : print_text(runs, options);
    if (options.check)
        check(runs);
}

}  // namespace

int main(int argc, char** argv)
{
    const auto options = parse(argc, argv);
    try {
        train_all(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "sq-train: {}\n", error.what());
        return 1;
    }
    return 0;
}
