// Well-behaved task types that tests need again and again.
#include <distributo/plugin.hpp>

#include <iostream>

namespace {

distributo::RawJson echo(const distributo::RawJson& payload) {
    return payload;
}

struct Nap {
    std::uint32_t ms = 0;
};
BOOST_DESCRIBE_STRUCT(Nap, (), (ms))

Nap nap(const Nap& wanted, distributo::Task& task) {
    task.sleep(std::chrono::milliseconds(wanted.ms));
    return wanted;
}

/// `how`: retry, permanent, elsewhere or throw. `times`: only the first so many attempts fail.
/// `after_ms`: the wait that a retry asks for.
struct Misfortune {
    std::string how;
    std::optional<std::uint32_t> times;
    std::optional<std::uint32_t> after_ms;
    std::optional<std::string> message;
};
BOOST_DESCRIBE_STRUCT(Misfortune, (), (how, times, after_ms, message))

struct Attempt {
    std::uint32_t attempt = 0;
};
BOOST_DESCRIBE_STRUCT(Attempt, (), (attempt))

Attempt fail(const Misfortune& wanted, distributo::Task& task) {
    if (wanted.times && task.attempt() > *wanted.times) {
        return {task.attempt()};
    }
    const std::string message = wanted.message.value_or("failed as asked: " + wanted.how);
    if (wanted.how == "retry") {
        throw distributo::retry(std::chrono::milliseconds(wanted.after_ms.value_or(0)), message);
    }
    if (wanted.how == "elsewhere") {
        throw distributo::retry_elsewhere(message);
    }
    if (wanted.how == "throw") {
        throw std::runtime_error(message);
    }
    throw distributo::permanent(message);
}

struct Lines {
    std::uint32_t lines = 1;
};
BOOST_DESCRIBE_STRUCT(Lines, (), (lines))

Lines log(const Lines& wanted, distributo::Task& task) {
    for (std::uint32_t i = 1; i <= wanted.lines; ++i) {
        const std::string number = std::to_string(i);
        task.info("plugin line " + number);
        std::cout << "stdout line " << number << '\n';
        std::cerr << "stderr line " << number << '\n';
    }
    std::cout.flush();
    return wanted;
}

struct Steps {
    std::uint32_t steps = 1;
    std::optional<std::uint32_t> pause_ms;
};
BOOST_DESCRIBE_STRUCT(Steps, (), (steps, pause_ms))

Steps progress(const Steps& wanted, distributo::Task& task) {
    for (std::uint32_t i = 1; i <= wanted.steps; ++i) {
        task.progress(static_cast<double>(i) / wanted.steps, "step " + std::to_string(i));
        task.sleep(std::chrono::milliseconds(wanted.pause_ms.value_or(0)));
    }
    return wanted;
}

}  // namespace

DISTRIBUTO_PLUGIN("test.basics",
                  "1.0.0",
                  distributo::task_type<echo>("test.echo").idempotent().deterministic(),
                  distributo::task_type<nap>("test.sleep").idempotent(),
                  distributo::task_type<fail>("test.fail"),
                  distributo::task_type<log>("test.log"),
                  distributo::task_type<progress>("test.progress"));
