#pragma once

#include <distributo/detail/outcome_view.hpp>
#include <distributo/detail/test_call.hpp>
#include <distributo/detail/test_module.hpp>
#include <distributo/detail/test_outcome.hpp>
#include <distributo/detail/test_services.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {

/// How much a generator may emit in one call, unless the test says so.
inline constexpr std::uint32_t default_room = 1000;

namespace detail {

/// A call that may emit tasks and set a checkpoint.
class FeedCall : public TestCall {
public:
    explicit FeedCall(std::uint32_t room, int cancel_at_check)
        : TestCall({.cancel_at_check = cancel_at_check}), left_(room) {
        feed.room = room;
    }

    dto_feed feed{sizeof(dto_feed), 0, &emit, &set_checkpoint};
    std::optional<std::string> checkpoint;

private:
    static constexpr std::size_t max_checkpoint = 64U << 10;  // abi.h

    static FeedCall& feed_of(dto_call* call) { return static_cast<FeedCall&>(of(call)); }
    static dto_status DTO_CALL emit(dto_call* call, const dto_task_spec* spec) {
        FeedCall& self = feed_of(call);
        if (self.left_ == 0) {
            return DTO_RETRY;
        }
        const dto_status status = take_task(self, spec);
        self.left_ -= status == DTO_OK ? 1 : 0;
        return status;
    }
    static dto_status DTO_CALL set_checkpoint(dto_call* call, dto_bytes token) {
        if (token.len > max_checkpoint) {
            return DTO_PERMANENT;
        }
        feed_of(call).checkpoint =
            distributo::detail::from_abi({static_cast<const char*>(token.ptr), token.len});
        return DTO_OK;
    }

    std::uint32_t left_;
};

/// Did the call do what it had to, so that what it emitted counts?
inline bool commits(dto_status status) {
    return status == DTO_OK || status == DTO_IDLE || status == DTO_END;
}

}  // namespace detail

/// The generator of a library, driven as a coordinator does it: after a call that failed it is
/// opened anew, from the last checkpoint, and what the call emitted is gone.
/// Throws std::runtime_error with the reason when the library has none, or when it is not open.
class Generator {
public:
    explicit Generator(const std::filesystem::path& library) : module_(library, Services::all) {}
    explicit Generator(dto_entry_fn entry) : module_(entry, Services::all) {}
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;
    ~Generator() { close(); }

    /// Opens it, after closing what was open: at a checkpoint, or at the beginning.
    Outcome open(std::string_view config_json = "{}", std::string_view checkpoint = {}) {
        config_ = config_json;
        checkpoint_ = checkpoint;
        return reopen();
    }

    /// Opens it once more where it was, as after a restart of the coordinator.
    Outcome reopen() {
        close();
        detail::TestCall call;
        const dto_status status = api_->open(&module_.host().table,
                                             call.abi(),
                                             distributo::detail::to_abi(config_),
                                             {checkpoint_.data(), checkpoint_.size()},
                                             &instance_);
        open_ = status == DTO_OK;
        return call.outcome(status);
    }

    /// Asks for tasks, once. The outcome's status is DTO_OK, DTO_IDLE (nothing now), DTO_END, or a
    /// failure. cancel_at_check: as in RunOptions.
    Outcome next(std::uint32_t room = default_room, int cancel_at_check = 0) {
        require_open();
        detail::FeedCall call(room, cancel_at_check);
        return finish(call, api_->next_batch(instance_, call.abi(), &call.feed, room));
    }

    /// Asks until it has ended, has nothing to do, fails, or has emitted `most`; all that it
    /// emitted is in the one outcome.
    Outcome run(std::uint32_t room = default_room, std::size_t most = 1'000'000) {
        std::vector<EmittedTask> all;
        for (int empty = 0;;) {
            Outcome one = next(room);
            empty = one.emitted.empty() ? empty + 1 : 0;
            std::move(one.emitted.begin(), one.emitted.end(), std::back_inserter(all));
            if (!one.ok() || all.size() >= most) {
                one.emitted = std::move(all);
                return one;
            }
            if (empty == max_empty_calls) {
                throw std::runtime_error("the generator has emitted nothing in " +
                                         std::to_string(empty) + " calls and is not idle");
            }
        }
    }

    /// Gives it the outcome of a task. Throws std::runtime_error when it does not want any. With
    /// DTO_PERMANENT the outcome counts as seen, and the generator goes on as it is.
    Outcome on_result(const distributo::Outcome& outcome, std::uint32_t room = default_room) {
        require_open();
        if (!DTO_CAN(dto_generator_api, api_, on_result)) {
            throw std::runtime_error("the generator takes no outcomes");
        }
        detail::FeedCall call(room, 0);
        const dto_result_view view = detail::view_of(outcome);
        const dto_status status = api_->on_result(instance_, call.abi(), &call.feed, &view);
        return status == DTO_PERMANENT ? call.outcome(status) : finish(call, status);
    }

    /// The last one that became durable; empty before the first.
    [[nodiscard]] const std::string& checkpoint() const noexcept { return checkpoint_; }

    /// What it has logged and notified outside of calls since this was asked last.
    Outcome said() { return module_.host().root.outcome(DTO_OK); }

    [[nodiscard]] const dto_generator_api& api() const noexcept { return *api_; }

private:
    static constexpr int max_empty_calls = 10'000;  // enough to skip what was done before

    Outcome finish(detail::FeedCall& call, dto_status status) {
        if (!detail::commits(status)) {
            close();
            failed_ = true;
        } else if (call.checkpoint) {
            checkpoint_ = *call.checkpoint;
        }
        return call.outcome(status);
    }

    void require_open() {
        if (std::exchange(failed_, false)) {
            reopen();
        }
        if (!open_) {
            throw std::runtime_error("the generator is not open");
        }
    }

    void close() {
        if (std::exchange(open_, false)) {
            detail::TestCall call;
            api_->close(std::exchange(instance_, nullptr), call.abi());
        }
    }

    detail::TestModule module_;
    const dto_generator_api* const api_ =
        &module_.interface<dto_generator_api>(DTO_INTERFACE_GENERATOR, "generator");
    std::string config_, checkpoint_;
    void* instance_ = nullptr;
    bool open_ = false;
    bool failed_ = false;
};

}  // namespace distributo::testing
