#pragma once

#include "coordinator/extensions/extensions.hpp"
#include "coordinator/store/store.hpp"
#include "runtime/extension_runner.hpp"

#include <deque>
#include <functional>
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

/// Does the filter let this outcome through?
[[nodiscard]] bool wants(const Filter& filter,
                         const store::TaskRecord& task,
                         std::string_view generator);

}  // namespace distributo::coordinator::extensions
