#pragma once

#include "base/clock.hpp"
#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/progress.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <unordered_set>

namespace distributo::coordinator::cli {

/// Submits many tasks in requests of a thousand, and collects their outcomes meanwhile, so that a
/// list longer than the queue limit goes through.
class Batch {
public:
    [[nodiscard]] static base::Result<Batch> open(const Context& context,
                                                  Client& client,
                                                  const SubmitOptions& options);

    /// Adds the JSON text of one task; sends when enough have come together.
    [[nodiscard]] base::Result<void> add(std::string_view task);

    /// Sends the rest, waits if that was asked for, prints the summary.
    [[nodiscard]] CommandResult finish();

private:
    Batch(const Context& context, Client& client, const SubmitOptions& options);

    [[nodiscard]] base::Result<void> send();
    [[nodiscard]] base::Result<void> take_ids(std::string_view answer);
    [[nodiscard]] base::Result<void> collect(std::string_view wait);
    [[nodiscard]] base::Result<void> take_outcome(std::string_view line);
    [[nodiscard]] int summary() const;

    const Context& context_;
    Client& client_;
    bool wait_;
    std::string group_;
    std::string output_name_;
    std::ofstream output_;
    base::SystemClock clock_;
    base::TimePoint start_;
    base::TimePoint give_up_ = base::TimePoint::max();
    Progress progress_;
    Tally tally_;
    std::uint64_t refused_ = 0;
    std::string first_refusal_;
    std::string body_;
    std::size_t in_body_ = 0;
    std::string cursor_;
    std::unordered_set<std::string> waiting_;  // ids whose outcome has not come yet
    bool timed_out_ = false;
};

}  // namespace distributo::coordinator::cli
