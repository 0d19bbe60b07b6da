#include "base/log.hpp"
#include "tests/torture/power_cut/history.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace distributo::tests {
namespace {

constexpr std::uint64_t cuts_per_history = 10;

// Set by main().
std::uint64_t wanted_cuts = 300;
std::uint64_t first_seed = 1;

/// Histories until there were so many cuts; each ends with the first thing that is wrong in it.
Figures run(std::uint64_t cuts, std::uint64_t seed, bool syncs) {
    Figures figures;
    for (; figures.cuts < cuts; ++seed) {
        History history(seed, syncs, figures);
        std::string wrong;
        for (auto n = cuts_per_history; n > 0 && wrong.empty() && figures.cuts < cuts; --n)
            wrong = history.next();
        if (syncs && !wrong.empty())
            ADD_FAILURE() << "power_cut --cuts=" << cuts_per_history << " --seed=" << seed << '\n'
                          << wrong;
    }
    return figures;
}

void print(const Figures& figures) {
    std::cout << figures.cuts << " cuts, " << figures.operations << " operations of the disk, "
              << figures.faults << " of them failed, " << figures.acknowledged
              << " calls acknowledged: " << figures.bad_cuts << " bad cuts, " << figures.lost
              << " records lost, " << figures.damaged << " times the file was damaged\n";
}

TEST(PowerCutTest, NothingAcknowledgedIsLost) {
    const auto figures = run(wanted_cuts, first_seed, true);

    EXPECT_EQ(figures.bad_cuts, 0U);
    print(figures);
    for (const auto& [operation, cuts] : figures.cuts_in)
        std::cout << "  " << cuts << " during: " << (operation.empty() ? "nothing" : operation)
                  << '\n';
}

TEST(PowerCutTest, WithoutSyncsLossesAreSeen) {
    const auto figures = run(40, first_seed, false);

    EXPECT_GT(figures.lost, 0U);
    EXPECT_GT(figures.damaged, 0U);
    print(figures);
}

TEST(PowerCutTest, ASeedReplaysExactly) {
    const auto first = run(20, first_seed, true);
    const auto second = run(20, first_seed, true);

    EXPECT_EQ(first.trace, second.trace);
    EXPECT_EQ(first.operations, second.operations);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
}

std::uint64_t number_after(const std::string& argument, const std::string& option) {
    if (argument.starts_with(option))
        return std::strtoull(argument.c_str() + option.size(), nullptr, 10);
    std::cerr << "usage: power_cut [--cuts=N] [--seed=N] [--gtest_…]\n";
    std::exit(64);
}

}  // namespace
}  // namespace distributo::tests

int main(int argc, char** argv) {
    using namespace distributo;
    testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument.starts_with("--cuts"))
            tests::wanted_cuts = tests::number_after(argument, "--cuts=");
        else
            tests::first_seed = tests::number_after(argument, "--seed=");
    }
    // A store that a power cut has broken says so, every time.
    base::log::configure({.component = "power_cut", .file = "/dev/null"});
    return RUN_ALL_TESTS();
}
