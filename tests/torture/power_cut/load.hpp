#pragma once

#include "tests/torture/power_cut/call.hpp"

#include <random>
#include <string>

namespace distributo::tests {

/// Makes up calls of every kind. The same random numbers make the same ones.
class Load {
public:
    explicit Load(std::mt19937_64& random) : random_(random) {}

    /// Ids from this on are free.
    void start(core::TaskId next_id) { next_id_ = next_id; }
    /// Something that is always written.
    [[nodiscard]] Call write();
    [[nodiscard]] Call any();

private:
    [[nodiscard]] bool chance(double probability);
    [[nodiscard]] std::size_t below(std::size_t limit);
    [[nodiscard]] std::string one_of_a_few(const std::string& name, std::size_t few);
    [[nodiscard]] base::Bytes some_bytes();
    [[nodiscard]] core::TaskId some_task();
    [[nodiscard]] core::NewTask task();
    void add_submits(store::Transaction& to);
    [[nodiscard]] core::TaskOptions options();
    [[nodiscard]] core::Attempt attempt();
    [[nodiscard]] core::Outcome outcome(core::TaskId id);
    [[nodiscard]] core::Control control();
    [[nodiscard]] core::HostRecord host();
    [[nodiscard]] core::ExtensionRecord extension();
    [[nodiscard]] core::Cursor cursor();
    void add_feed(store::Transaction& to);
    [[nodiscard]] store::Transaction transaction();

    std::mt19937_64& random_;
    core::TaskId next_id_ = 1;
    std::uint32_t attempts_ = 0;
    base::WallTime now_{std::chrono::milliseconds(1'700'000'000'000)};
};

}  // namespace distributo::tests
