#pragma once

#include "coordinator/extensions/extensions.hpp"
#include "coordinator/store/store.hpp"
#include "runtime/extension_runner.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace distributo::coordinator::extensions {

/// Outcomes of one page, as a plugin sees them. Owns nothing of the records, but what is made from
/// them; both outlive the views.
class OutcomeViews {
public:
    using NameOf = std::function<std::string(core::ExtensionNumber)>;

    /// Appends one.
    void add(const store::TaskRecord& task, const NameOf& generator_name);
    [[nodiscard]] std::vector<runtime::OutcomeView>& all() noexcept { return views_; }

private:
    std::vector<runtime::OutcomeView> views_;
    std::deque<std::string> texts_;  // ids that are made from numbers
};

/// Bytes of texts that one call carries: far below what a message may have.
inline constexpr std::size_t most_bytes = 4 * 1024 * 1024;

/// As many of these, from the front, as fit into most_bytes; at least one, if there is one.
[[nodiscard]] std::span<const runtime::OutcomeView> one_call(
    std::span<const runtime::OutcomeView> outcomes);
/// How many outcomes to read next when `count` of them had `bytes`: from 1 to `most`.
[[nodiscard]] std::size_t next_page(std::size_t count, std::size_t bytes, std::size_t most);
/// Of payloads and results.
[[nodiscard]] std::size_t bytes_of(const std::vector<store::TaskRecord>& tasks);

/// Does the filter let this outcome through?
[[nodiscard]] bool wants(const Filter& filter,
                         const store::TaskRecord& task,
                         std::string_view generator);

}  // namespace distributo::coordinator::extensions
