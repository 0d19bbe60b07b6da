#pragma once

#include <distributo/detail/function.hpp>
#include <distributo/detail/outcome.hpp>
#include <distributo/detail/task.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace distributo {
namespace detail {

/// The call of a task that ends later. Shared by the function that starts it, until that has
/// returned, and by the handle, until that has ended it.
class AsyncCall {
public:
    explicit AsyncCall(const ExecuteCall& start)
        : host_(start.host),
          call_(start.call),
          task_(std::in_place, start.host, start.call, start.request, start.stops) {}

    [[nodiscard]] Task& task() noexcept { return *task_; }

    /// Ends the call; neither it nor the task exists afterwards.
    template <class Body>
    void end(Body&& body) noexcept {
        complete(guarded(host_.table(), call_, std::forward<Body>(body)));
    }

    /// The handle is gone. While the task's function runs, that function's end decides instead.
    void drop() noexcept {
        Stage starting = Stage::starting;
        if (!stage_.compare_exchange_strong(starting, Stage::dropped)) {
            complete(set_failure(host_.table(), call_, DTO_RETRY, dropped_text));
        }
    }

    /// The task's function has ended. True: the handle was passed on, and ends the call or has
    /// done so. False: it was dropped; the task is gone and the call is the caller's to end.
    [[nodiscard]] bool passed_on() noexcept {
        Stage starting = Stage::starting;
        if (stage_.compare_exchange_strong(starting, Stage::passed_on)) {
            return true;
        }
        task_.reset();
        return false;
    }

    static constexpr const char* dropped_text =
        "the plugin gave up this task: its AsyncTask was destroyed without a result";

private:
    enum class Stage { starting, dropped, passed_on };

    void complete(dto_status status) noexcept {
        task_.reset();  // before another call can get the same address
        host_.table().complete(call_, status);
    }

    const Host& host_;
    dto_call* call_;
    std::optional<Task> task_;
    std::atomic<Stage> stage_ = Stage::starting;
};

}  // namespace detail

/// A task that ends later. A task function that takes one, by value, only starts the work:
///
///     void fetch(const Job& job, distributo::AsyncTask<Answer> task) {
///         client.get(job.url, [task = std::move(task)](Response response) mutable {
///             task.run([&] { return parse(response); });
///         });
///     }
///
/// It is ended once, by complete(), fail() or run(), on any thread, also before that function has
/// returned; the handle is empty afterwards. Destroyed before, it ends the task as "run again".
/// Move-only; one thread at a time. The task itself, `*task`, may be used by several, and until it
/// ends. When the host cancels, task->cancelled() and task->stop() say so; end it soon then.
template <class Result = void>
class AsyncTask {
public:
    explicit AsyncTask(std::shared_ptr<detail::AsyncCall> call) noexcept : call_(std::move(call)) {}
    AsyncTask(AsyncTask&& other) noexcept = default;
    AsyncTask& operator=(AsyncTask&& other) noexcept {
        std::swap(call_, other.call_);
        return *this;
    }
    ~AsyncTask() {
        if (call_) {
            call_->drop();
        }
    }

    /// False after it was ended, or moved from.
    explicit operator bool() const noexcept { return call_ != nullptr; }
    [[nodiscard]] Task& operator*() const noexcept { return call_->task(); }
    [[nodiscard]] Task* operator->() const noexcept { return &call_->task(); }

    /// Ends the task with its result; as failed when the result cannot be encoded.
    template <class Value = Result>
    void complete(const Value& result) requires(!std::is_void_v<Result> &&
                                                std::is_convertible_v<const Value&, Result>) {
        end([&](Task& task) {
            detail::set_result(task, detail::encode_text<Result>(result, "result"));
        });
    }
    void complete() requires std::is_void_v<Result> {
        end([](Task& task) { detail::set_result(task, "null"); });
    }

    /// Ends the task like a function that throws this.
    void fail(const Failure& failure) {
        end([&](Task&) { throw failure; });
    }
    /// The same for any exception: task.fail(std::current_exception()).
    void fail(const std::exception_ptr& error) {
        end([&](Task&) { std::rethrow_exception(error); });
    }

    /// Ends the task like a function that returns or throws as `body` does; nothing that `body`
    /// throws gets out.
    template <class Body>
    void run(Body&& body) {
        end([&](Task& task) {
            if constexpr (std::is_void_v<Result>) {
                body();
                detail::set_result(task, "null");
            } else {
                const Result result = body();
                detail::set_result(task, detail::encode_text(result, "result"));
            }
        });
    }

private:
    /// Without effect on an empty handle.
    template <class Body>
    void end(Body&& body) {
        if (call_) {
            call_->end([&] { body(call_->task()); });
            call_.reset();
        }
    }

    std::shared_ptr<detail::AsyncCall> call_;
};

namespace detail {

/// Payload and result of a function that takes an AsyncTask.
template <class Arguments>
struct AsyncShape {
    static constexpr bool value = false;
};
template <class R>
struct AsyncShape<std::tuple<AsyncTask<R>>> {
    static constexpr bool value = true;
    using Payload = void;
    using Result = R;
};
template <class P, class R>
struct AsyncShape<std::tuple<P, AsyncTask<R>>> {
    static constexpr bool value = true;
    using Payload = P;
    using Result = R;
};

template <auto Fn>
using AsyncOf = AsyncShape<typename Function<decltype(Fn)>::Arguments>;

/// Calls Fn with the payload, if it takes one, and the handle of a task; returns DTO_PENDING, or
/// throws when the task has ended already.
template <auto Fn, class... Payload>
dto_status start_async(void* state, const ExecuteCall& call, const Payload&... payload) {
    const auto shared = std::make_shared<AsyncCall>(call);
    try {
        invoke<Fn>(state, payload..., AsyncTask<typename AsyncOf<Fn>::Result>(shared));
    } catch (...) {
        if (!shared->passed_on()) {
            throw;
        }
        const dto_host& host = call.host.table();
        if (host.log != nullptr) {
            host.log(host.root,
                     DTO_ERROR,
                     to_abi("a task's function threw after it had passed on the task"),
                     {});
        }
        return DTO_PENDING;
    }
    if (!shared->passed_on()) {
        throw retry(AsyncCall::dropped_text);
    }
    return DTO_PENDING;
}

template <auto Fn>
dto_status run_async(void* state, const ExecuteCall& call) {
    using Payload = typename AsyncOf<Fn>::Payload;
    static_assert(std::is_void_v<typename Function<decltype(Fn)>::Result>,
                  "a function that takes an AsyncTask returns void: the handle ends the task");
    if (call.host.table().complete == nullptr) {
        throw retry_elsewhere("the host cannot end a task later");
    }
    if constexpr (std::is_void_v<Payload>) {
        return start_async<Fn>(state, call);
    } else {
        return start_async<Fn>(
            state, call, decode_text<Payload>(from_abi(call.request.payload_json), "payload"));
    }
}

}  // namespace detail
}  // namespace distributo
