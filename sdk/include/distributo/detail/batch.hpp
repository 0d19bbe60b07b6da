#pragma once

#include <distributo/detail/function.hpp>
#include <distributo/detail/outcome.hpp>
#include <distributo/detail/task.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace distributo {

/// One task of a batch, in the function that TaskType::batch() names:
///
///     void answer_all(std::span<distributo::BatchItem<Job, Answer>> items) {
///         for (auto& item : items) item.run([&] { return answer(item.payload(), item.task()); });
///     }
///
/// Each item ends on its own: succeed(), fail() or run(), the last one wins; one that has none when
/// the function returns is run again. Different items may be used by different threads.
/// Result void: succeed() takes nothing.
template <class Payload, class Result = void>
class BatchItem {
public:
    BatchItem(Task& task, dto_status& status)
        : task_(&task),
          status_(&status),
          payload_(detail::decode_text<Payload>(task.payload_json(), "payload")) {}

    [[nodiscard]] const Payload& payload() const noexcept { return payload_; }
    /// For the log, progress, cancellation, deadline and everything else of this task alone.
    [[nodiscard]] Task& task() const noexcept { return *task_; }

    template <class Value = Result>
    void succeed(const Value& result) requires(!std::is_void_v<Result> &&
                                               std::is_convertible_v<const Value&, Result>) {
        end([&] { detail::set_result(*task_, detail::encode_text<Result>(result, "result")); });
    }
    void succeed() requires std::is_void_v<Result> {
        end([&] { detail::set_result(*task_, "null"); });
    }
    /// Ends the item like a task function that throws this.
    void fail(const Failure& failure) {
        end([&] { throw failure; });
    }
    /// Ends the item like a task function that returns or throws as `body` does; nothing that
    /// `body` throws gets out.
    template <class Body>
    void run(Body&& body) {
        end([&] {
            if constexpr (std::is_void_v<Result>) {
                body();
                detail::set_result(*task_, "null");
            } else {
                const Result result = body();
                detail::set_result(*task_, detail::encode_text(result, "result"));
            }
        });
    }

    /// Has the item a result or a failure?
    [[nodiscard]] bool ended() const noexcept { return *status_ != DTO_PENDING; }

private:
    template <class Body>
    void end(Body&& body) {
        *status_ = detail::guarded(task_->table(), task_->call(), body);
    }

    Task* task_;
    dto_status* status_;
    Payload payload_;
};

namespace detail {

/// What execute_batch got: arrays of `count` elements that belong together.
struct BatchCall {
    const Host& host;
    Stops& stops;
    dto_call* const* calls;
    const dto_execute* const* tasks;
    std::uint32_t count;
    dto_status* statuses;
};

/// Ends what the batch function has left undecided, after it returned or while its exception is
/// being handled.
inline void end_undecided(const BatchCall& batch, bool by_exception) noexcept {
    const dto_host& host = batch.host.table();
    for (std::uint32_t i = 0; i < batch.count; ++i) {
        if (batch.statuses[i] != DTO_PENDING) {
            continue;
        }
        dto_call* const call = batch.calls[i];
        dto_status status = DTO_RETRY;
        if (by_exception) {
            status = set_failure(host, call);
        } else {
            set_failure(host, call, status, "the plugin's batch function left this task undecided");
        }
        // Cancelled from a function over many: the tasks that nobody cancelled run again.
        if (status == DTO_CANCELLED && (host.cancelled == nullptr || host.cancelled(call) == 0)) {
            status = set_failure(
                host, call, DTO_RETRY, "its batch ended early because another task was cancelled");
        }
        batch.statuses[i] = status;
    }
}

template <class Arguments>
struct BatchShape {
    static_assert(unsupported<Arguments>,
                  "a batch function takes one std::span<distributo::BatchItem<Payload, Result>>");
};
template <class P, class R>
struct BatchShape<std::tuple<std::span<BatchItem<P, R>>>> {
    using Item = BatchItem<P, R>;
    using Payload = P;
    using Result = R;
};

template <auto Fn>
using BatchOf = BatchShape<typename Function<decltype(Fn)>::Arguments>;

/// Runs Fn over the tasks whose payloads fit; the others have failed by then.
template <auto Fn>
void run_batch(void* state, const BatchCall& batch) noexcept {
    using Item = typename BatchOf<Fn>::Item;
    static_assert(std::is_void_v<typename Function<decltype(Fn)>::Result>,
                  "a batch function returns void: its items have the results");
    try {
        std::deque<Task> tasks;
        std::vector<Item> items;
        items.reserve(batch.count);
        for (std::uint32_t i = 0; i < batch.count; ++i) {
            dto_call* const call = batch.calls[i];
            Task& task = tasks.emplace_back(batch.host, call, *batch.tasks[i], batch.stops);
            dto_status& status = batch.statuses[i];
            status = guarded(batch.host.table(), call, [&] {
                items.emplace_back(task, status);
                return dto_status{DTO_PENDING};
            });
        }
        if (!items.empty()) {
            invoke<Fn>(state, std::span<Item>(items));
        }
        end_undecided(batch, false);
    } catch (...) {
        end_undecided(batch, true);
    }
}

}  // namespace detail
}  // namespace distributo
