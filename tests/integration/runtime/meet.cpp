// A task type that says when it runs, so that a test can make two calls run side by side.
#include <distributo/plugin.hpp>

#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>

namespace {

enum class Then { wait, crash, leave_files, child, hang_up, print };
BOOST_DESCRIBE_ENUM(Then, wait, crash, leave_files, child, hang_up, print)

struct Meeting {
    Then then = Then::wait;
};
BOOST_DESCRIBE_STRUCT(Meeting, (), (then))

std::string meet(const Meeting& wanted, distributo::Task& task) {
    task.info("running");
    switch (wanted.then) {
        case Then::wait:
            task.sleep(std::chrono::hours(1));
            break;
        case Then::crash:
            std::abort();
        case Then::leave_files:
            std::ofstream(task.work_dir() / "left") << "behind";
            return task.work_dir().string();
        case Then::child: {
            // Outlives a runner that is not ended together with its process group.
            const pid_t child = fork();
            if (child == 0)
                execl("/bin/sleep", "sleep", "3600", nullptr);
            return std::to_string(child);
        }
        case Then::hang_up:
            close(3);
            // While a thread waits for input the kernel keeps the socket; this wakes it up.
            write(STDOUT_FILENO, "closed\n", 7);
            task.sleep(std::chrono::hours(1));
            break;
        case Then::print:
            write(STDERR_FILENO, "half a line", 11);
            std::abort();
    }
    return "met";
}

struct Alone {
    std::uint32_t ms = 0;
};
BOOST_DESCRIBE_STRUCT(Alone, (), (ms))

/// How many run at the same time. Not reentrant, so that must be one.
std::uint32_t alone(const Alone& wanted, distributo::Task& task) {
    static std::atomic<std::uint32_t> running = 0;
    const std::uint32_t together = ++running;
    task.sleep(std::chrono::milliseconds(wanted.ms));
    --running;
    return together;
}

}  // namespace

DISTRIBUTO_PLUGIN("test.meet",
                  "1.0.0",
                  distributo::task_type<meet>("test.meet"),
                  distributo::task_type<alone>("test.alone").one_at_a_time());
