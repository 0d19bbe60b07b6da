#pragma once

#include <cstdint>

namespace distributo::host {

/// How many tasks of one type the host wants to hold, learnt from how long they run.
///
/// A task that ends in microseconds needs many of its kind queued here, or the host starves between
/// two messages; a task of minutes must not be queued at all while another host may be free.
class CreditMeter {
public:
    /// A task ended after `elapsed_us` inside the plugin.
    void sample(std::int64_t elapsed_us) noexcept;

    /// Running and queued ones together, when `concurrency` may run at once.
    [[nodiscard]] std::uint32_t credit(std::uint32_t concurrency) const noexcept;

    /// How many of those may be handed to the runner at once: tasks shorter than 2 ms are sent in
    /// batches, longer ones stay here until a thread is free, so that they can still be given back.
    [[nodiscard]] std::uint32_t window(std::uint32_t concurrency) const noexcept;

    /// True once `credit` differs by more than a quarter from what was last announced.
    [[nodiscard]] bool worth_announcing(std::uint32_t credit) const noexcept;
    void announced(std::uint32_t credit) noexcept { announced_ = credit; }

private:
    double mean_us_ = 0;
    std::uint32_t samples_ = 0;  // counts to memory, then stays: the weight of a new sample
    std::uint32_t announced_ = 0;
};

}  // namespace distributo::host
