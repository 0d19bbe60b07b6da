#pragma once

#include "coordinator/extensions/instance.hpp"

#include <optional>
#include <string>

namespace distributo::coordinator::extensions {

/// Pulls tasks from a generator while too few of them wait.
///
///     go ─▶ next(room) ─▶ batch ─▶ feed: tasks and cursor in one transaction ─▶ stored
///      └──▶ deliver(outcomes of its tasks) ─▶ batch ─▶ feed ─▶ stored
///
/// One call is open at a time, and none before what the last one gave is stored: so whatever the
/// queue refuses is fed again, and a process that dies is opened from where the store is.
class Generator final : public Instance {
public:
    Generator(const Surroundings& around,
              Definition definition,
              core::ExtensionRecord record,
              core::Cursor cursor);

    [[nodiscard]] std::uint64_t needed_after() const override;
    void run_now() override;

private:
    void go() override;
    [[nodiscard]] std::string checkpoint() const override { return cursor_.checkpoint; }
    void opened(std::uint64_t last_stored) override;
    void closed() override;
    void moved() override;
    [[nodiscard]] bool settled() override;
    [[nodiscard]] bool over() const override;
    [[nodiscard]] State state_when_open() const override;
    void fill(Status& status) const override;
    void on_batch(runtime::ExtensionBatch batch) override;
    void on_written(runtime::ExtensionWritten) override {}

    void take(runtime::ExtensionBatch batch);
    void feed();
    void fed(base::Result<engine::Fed> fed);
    void read_results();
    [[nodiscard]] bool deliver_results();
    void ask_for_more();
    [[nodiscard]] std::uint64_t room_left() const;
    [[nodiscard]] std::uint64_t allowed_by_rate();

    bool takes_results_ = false;
    core::Cursor next_;                       ///< behind everything that was answered
    std::optional<engine::Feed> held_;        ///< answered, not stored yet
    std::uint64_t held_tasks_ = 0;            ///< in held_
    bool feeding_ = false;                    ///< held_ is on its way to the store
    std::optional<store::ResultsPage> page_;  ///< outcomes to be delivered
    std::size_t delivered_ = 0;               ///< of page_, that are answered
    std::size_t delivering_ = 0;              ///< of page_, that the open call has; 0: none
    std::size_t page_limit_ = 32;             ///< outcomes, so that a page has few megabytes
    bool reading_ = false;
    bool throttled_ = false;
    base::Duration idle_time_{};  ///< back-off; zero: it is not idle
    base::TimePoint idle_until_{};
    std::uint64_t faulty_ = 0;
    double tokens_ = 0;  ///< tasks that the rate allows now
    base::TimePoint tokens_at_{};
    std::uint64_t epoch_ = 0;  ///< of its process: answers of earlier ones are void
};

}  // namespace distributo::coordinator::extensions
