// Task types that grow their process, and one that must not run twice at the same time in one.
#include <distributo/plugin.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace {

/// What a task leaves behind; `ms`: how long it takes.
struct Leak {
    std::optional<std::uint32_t> kib, descriptors, threads, ms;
};
BOOST_DESCRIBE_STRUCT(Leak, (), (kib, descriptors, threads, ms))

/// The process that ran it.
struct Where {
    std::int64_t pid = 0;
    std::uint32_t together = 0;  ///< calls of the type that ran in it at the same time
};
BOOST_DESCRIBE_STRUCT(Where, (), (pid, together))

Where leak(const Leak& wanted, distributo::Task& task) {
    if (const std::size_t size = wanted.kib.value_or(0) * std::size_t{1024}) {
        // Kept for ever and touched, or it would not count as memory that is held.
        auto* const memory = static_cast<volatile char*>(std::malloc(size));
        for (std::size_t i = 0; memory && i < size; i += 4096)
            memory[i] = 1;
    }
    for (std::uint32_t i = 0; i < wanted.descriptors.value_or(0); ++i)
        static_cast<void>(open("/dev/null", O_RDONLY | O_CLOEXEC));
    for (std::uint32_t i = 0; i < wanted.threads.value_or(0); ++i)
        std::thread([] {
            for (;;)
                pause();
        }).detach();
    task.sleep(std::chrono::milliseconds(wanted.ms.value_or(0)));
    return {getpid(), 1};
}

struct Turn {
    std::optional<std::uint32_t> ms;
    std::optional<bool> crash;
};
BOOST_DESCRIBE_STRUCT(Turn, (), (ms, crash))

Where in_turn(const Turn& wanted, distributo::Task& task) {
    static std::atomic<std::uint32_t> running = 0;
    const std::uint32_t together = ++running;
    task.sleep(std::chrono::milliseconds(wanted.ms.value_or(0)));
    if (wanted.crash.value_or(false))
        std::abort();
    --running;
    return {getpid(), together};
}

}  // namespace

DISTRIBUTO_PLUGIN("test.leak",
                  "1.0.0",
                  distributo::task_type<leak>("test.leak"),
                  distributo::task_type<in_turn>("test.turn").one_at_a_time());
