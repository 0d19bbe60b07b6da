#pragma once

#include "coordinator/extensions/instance.hpp"
#include "coordinator/extensions/views.hpp"

#include <optional>

namespace distributo::coordinator::extensions {

/// Hands recorded outcomes to a sink, in the order of their sequence.
///
///     results after read_to_ ─▶ page ─▶ filter ─▶ write ─▶ stored ─▶ cursor, durable
///
/// One page is in memory and one write open. What a sink buffers is flushed when there is nothing
/// else to do, and from time to time; the cursor follows what is stored for good, never what was
/// only written.
class Sink final : public Instance {
public:
    Sink(const Surroundings& around,
         Definition definition,
         core::ExtensionRecord record,
         core::Cursor cursor);

    [[nodiscard]] std::uint64_t needed_after() const override { return cursor_.sequence; }

private:
    /// Nothing is known of how large they are.
    static constexpr std::size_t first_page = 32;

    void go() override;
    [[nodiscard]] std::string checkpoint() const override { return {}; }
    void opened(std::uint64_t last_stored) override;
    void closed() override;
    void moved() override;
    [[nodiscard]] State state_when_open() const override;
    void fill(Status& status) const override;
    void on_batch(runtime::ExtensionBatch) override {}
    void on_written(runtime::ExtensionWritten written) override;

    void read();
    void arrived(store::ResultsPage page);
    void begin_at_newest();
    void write_page();
    void flushed();
    void stored_to(std::uint64_t sequence);
    void commit();
    void committed(const base::Result<void>& kept, const core::Cursor& cursor);

    std::optional<store::ResultsPage> page_;  ///< with outcomes that are not written yet
    std::optional<OutcomeViews> views_;       ///< of page_, those that the filter lets through
    std::size_t written_ = 0;                 ///< of views_, from the front
    std::size_t writing_ = 0;                 ///< and behind them: what the open call has
    std::size_t page_limit_ = first_page;     ///< outcomes, so that a page has few megabytes
    std::uint64_t read_to_ = 0;               ///< outcomes up to this one were read
    std::uint64_t written_to_ = 0;            ///< and up to this one were written, or not wanted
    core::Cursor next_;                       ///< up to where it is stored for good
    std::uint64_t in_buffer_ = 0;             ///< outcomes that were written and may be lost yet
    std::uint64_t newest_ = 0;                ///< recorded, as of the last page
    std::uint64_t missed_ = 0;
    base::TimePoint buffered_since_{};
    base::TimePoint committed_at_{};
    bool committing_ = false;
    bool flushing_ = false;
    bool reading_ = false;
    bool positioned_ = false;  ///< read_to_ is right for the process that runs
    std::uint64_t epoch_ = 0;  ///< of its process: pages for earlier ones are void
};

}  // namespace distributo::coordinator::extensions
