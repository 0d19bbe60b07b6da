// Task types that end their process, or that can be stopped only by ending it.
#include <distributo/plugin.hpp>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace {

enum class Way { segv, abort, exit, throw_noexcept, stack };
BOOST_DESCRIBE_ENUM(Way, segv, abort, exit, throw_noexcept, stack)

/// `times`: only the first so many attempts crash.
struct Crash {
    Way how = Way::segv;
    std::optional<std::uint32_t> times;
};
BOOST_DESCRIBE_STRUCT(Crash, (), (how, times))

void throw_through() noexcept {
    throw std::runtime_error("through noexcept");
}

unsigned use_stack(unsigned depth) {
    volatile char page[4096] = {};
    page[depth % sizeof page] = 1;
    return use_stack(depth + 1) + static_cast<unsigned char>(page[0]);
}

void crash(const Crash& wanted, distributo::Task& task) {
    if (wanted.times && task.attempt() > *wanted.times) {
        return;
    }
    switch (wanted.how) {
        case Way::segv: {
            // The kernel's signal and not std::raise: a sanitizer must see a real fault.
            volatile int* const nowhere = nullptr;
            *nowhere = 1;
            break;
        }
        case Way::abort:
            std::abort();
        case Way::exit:
            std::exit(0);
        case Way::throw_noexcept:
            throw_through();
            break;
        case Way::stack:
            task.info(std::to_string(use_stack(0)));
            break;
    }
}

/// Sleeps for ever and ignores that it is cancelled.
void hang() {
    for (;;) {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

}  // namespace

DISTRIBUTO_PLUGIN(
    "test.crash",
    "1.0.0",
    distributo::task_type<crash>("test.crash"),
    distributo::task_type<hang>("test.hang").cancel_grace(std::chrono::milliseconds(200)));
