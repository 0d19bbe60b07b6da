// Task types for trying things out.
#include <distributo/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace {

constexpr std::chrono::milliseconds progress_interval(100);

distributo::RawJson echo(const distributo::RawJson& payload) {
    return payload;
}

/// How a nap ends that is to fail.
enum class Ending { retry, elsewhere, permanent };
BOOST_DESCRIBE_ENUM(Ending, retry, elsewhere, permanent)

struct Nap {
    std::uint32_t ms = 0;
    std::optional<Ending> fail;
    std::optional<std::uint32_t> fail_attempts;   // the first so many; not given: all
    std::optional<std::uint32_t> retry_after_ms;  // with retry; not given: the host's back-off
    std::optional<std::string> message;           // the error
};
BOOST_DESCRIBE_STRUCT(Nap, (), (ms, fail, fail_attempts, retry_after_ms, message))

struct Slept {
    std::uint32_t ms = 0;
    std::uint32_t attempt = 0;
};
BOOST_DESCRIBE_STRUCT(Slept, (), (ms, attempt))

distributo::Failure failure(const Nap& nap, Ending ending) {
    const std::string name = boost::describe::enum_to_string(ending, "");
    const std::string text = nap.message.value_or("failed as payload.fail asked: " + name);
    switch (ending) {
        case Ending::retry:
            return distributo::retry(std::chrono::milliseconds(nap.retry_after_ms.value_or(0)),
                                     text);
        case Ending::elsewhere:
            return distributo::retry_elsewhere(text);
        case Ending::permanent:
            break;
    }
    return distributo::permanent(text);
}

Slept sleep(const Nap& nap, distributo::Task& task) {
    const std::chrono::milliseconds whole(nap.ms);
    for (std::chrono::milliseconds done(0); done < whole;) {
        task.progress(static_cast<double>(done.count()) / nap.ms);
        const auto step = std::min(progress_interval, whole - done);
        task.sleep(step);
        done += step;
    }
    task.progress(1);
    if (nap.fail && task.attempt() <= nap.fail_attempts.value_or(UINT32_MAX)) {
        throw failure(nap, *nap.fail);
    }
    return {nap.ms, task.attempt()};
}

}  // namespace

DISTRIBUTO_PLUGIN(
    "distributo.basics",
    "1.0.0",
    distributo::task_type<echo>("echo").summary("Returns its payload").deterministic().idempotent(),
    distributo::task_type<sleep>("sleep")
        .summary("Waits, then succeeds or fails as asked")
        .idempotent(),
    distributo::license("MIT"));
