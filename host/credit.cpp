#include "host/credit.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <cmath>

namespace distributo::host {
namespace {

/// Tasks over which the mean is taken. Enough to ride out one cold start among fast tasks, few
/// enough that one task of minutes stops the prefetch at once.
constexpr std::uint32_t memory = 64;
constexpr double prefetch_us = 2'000;
constexpr double no_prefetch_above_us = 100'000;

std::uint32_t capped(double count) noexcept {
    return static_cast<std::uint32_t>(std::clamp(count, 1.0, double{wire::limits::max_credit}));
}

}  // namespace

void CreditMeter::sample(std::int64_t elapsed_us) noexcept {
    samples_ = std::min(samples_ + 1, memory);
    mean_us_ += (static_cast<double>(elapsed_us) - mean_us_) / samples_;
}

std::uint32_t CreditMeter::credit(std::uint32_t concurrency) const noexcept {
    if (samples_ == 0)
        return capped(concurrency + std::ceil(concurrency / 4.0));
    if (mean_us_ > no_prefetch_above_us)
        return capped(concurrency);
    const double each = std::max(1.0, prefetch_us / std::max(mean_us_, 0.1));
    return capped(concurrency * (1.0 + std::ceil(each)));
}

std::uint32_t CreditMeter::window(std::uint32_t concurrency) const noexcept {
    if (samples_ == 0 || mean_us_ > prefetch_us)
        return std::max(concurrency, 1U);
    return credit(concurrency);
}

bool CreditMeter::worth_announcing(std::uint32_t credit) const noexcept {
    const auto difference = std::max(credit, announced_) - std::min(credit, announced_);
    return std::uint64_t{difference} * 4 > announced_;
}

}  // namespace distributo::host
