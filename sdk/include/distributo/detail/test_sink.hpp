#pragma once

#include <distributo/detail/outcome_view.hpp>
#include <distributo/detail/test_call.hpp>
#include <distributo/detail/test_module.hpp>
#include <distributo/detail/test_outcome.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {

/// The sink of a library, driven as a coordinator does it. An object that is made anew is a
/// coordinator that has lost its own record of what the sink has.
/// Throws std::runtime_error with the reason when the library has none, or when it is not open.
class Sink {
public:
    explicit Sink(const std::filesystem::path& library) : module_(library, Services::all) {}
    explicit Sink(dto_entry_fn entry) : module_(entry, Services::all) {}
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    ~Sink() { close(); }

    /// Opens it, after closing what was open.
    Outcome open(std::string_view config_json = "{}") {
        close();
        detail::TestCall call;
        last_stored_ = 0;
        const dto_status status = api_->open(&module_.host().table,
                                             call.abi(),
                                             distributo::detail::to_abi(config_json),
                                             &last_stored_,
                                             &instance_);
        open_ = status == DTO_OK;
        if (open_ && last_stored_ != 0) {
            acknowledged_ = last_stored_;
        }
        return call.outcome(status);
    }

    /// What it said on open: the sequence of the last outcome that it has for good; 0: unknown.
    [[nodiscard]] std::uint64_t last_stored() const noexcept { return last_stored_; }
    /// The sequence of the last outcome that does not come again.
    [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }

    /// Writes these, in one call, whatever it has already. Their sequence must rise.
    Outcome write(std::span<const distributo::Outcome> outcomes) {
        require_open();
        std::vector<dto_result_view> views;
        std::vector<const dto_result_view*> pointers;
        views.reserve(outcomes.size());
        for (const distributo::Outcome& outcome : outcomes) {
            pointers.push_back(&views.emplace_back(detail::view_of(outcome)));
        }
        const auto count = static_cast<std::uint32_t>(views.size());
        std::uint32_t durable = 0;
        detail::TestCall call;
        const dto_status status =
            api_->write(instance_, call.abi(), pointers.data(), count, &durable);
        if (durable > 0 && count > 0) {
            acknowledged_ = outcomes[std::min(durable, count) - 1].sequence;
        }
        return call.outcome(status);
    }

    /// Has it store for good what was written.
    Outcome flush() {
        require_open();
        detail::TestCall call;
        return call.outcome(api_->flush(instance_, call.abi()));
    }

    /// Writes those behind acknowledged(), at most `batch` in one call, and flushes; stops at the
    /// first failure. After DTO_OK all of them are acknowledged.
    Outcome deliver(std::span<const distributo::Outcome> outcomes, std::size_t batch = 1000) {
        const auto begin = std::find_if(outcomes.begin(), outcomes.end(), [&](const auto& one) {
            return one.sequence > acknowledged_;
        });
        auto left = outcomes.subspan(static_cast<std::size_t>(begin - outcomes.begin()));
        for (; !left.empty(); left = left.subspan(std::min(batch, left.size()))) {
            if (Outcome written = write(left.first(std::min(batch, left.size()))); !written.ok()) {
                return written;
            }
        }
        Outcome flushed = flush();
        if (flushed.ok() && !outcomes.empty()) {
            acknowledged_ = std::max(acknowledged_, outcomes.back().sequence);
        }
        return flushed;
    }

    /// What it has logged outside of calls since this was asked last.
    Outcome said() { return module_.host().root.outcome(DTO_OK); }

    [[nodiscard]] const dto_sink_api& api() const noexcept { return *api_; }

private:
    void require_open() const {
        if (!open_) {
            throw std::runtime_error("the sink is not open");
        }
    }

    void close() {
        if (std::exchange(open_, false)) {
            detail::TestCall call;
            api_->close(std::exchange(instance_, nullptr), call.abi());
        }
    }

    detail::TestModule module_;
    const dto_sink_api* const api_ = &module_.interface<dto_sink_api>(DTO_INTERFACE_SINK, "sink");
    void* instance_ = nullptr;
    std::uint64_t last_stored_ = 0;
    std::uint64_t acknowledged_ = 0;
    bool open_ = false;
};

}  // namespace distributo::testing
