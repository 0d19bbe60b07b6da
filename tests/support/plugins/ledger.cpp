// torture.write writes down that it runs, and where: the ledger of executions that the torture test
// compares with what the coordinator says. One line per event, appended in one write:
//
//     B|E task attempt host-pid runner-pid monotonic-ns      it begins, it has ended
#include <distributo/plugin.hpp>

#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

struct Job {
    std::string ledger;  ///< a file that is there
    std::uint32_t ms = 0;
};
BOOST_DESCRIBE_STRUCT(Job, (), (ledger, ms))

struct Done {
    std::uint32_t attempt = 0;
};
BOOST_DESCRIBE_STRUCT(Done, (), (attempt))

void append(const std::string& file, char event, const distributo::Task& task) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::string line = std::string(1, event) + ' ' + std::string(task.id()) + ' ' +
                             std::to_string(task.attempt()) + ' ' + std::to_string(getppid()) +
                             ' ' + std::to_string(getpid()) + ' ' +
                             std::to_string(std::chrono::nanoseconds(now).count()) + '\n';
    const int ledger = open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const bool written =
        ledger >= 0 && write(ledger, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (ledger >= 0)
        close(ledger);
    if (!written)
        throw std::runtime_error("cannot write to " + file);
}

Done write_down(const Job& job, distributo::Task& task) {
    append(job.ledger, 'B', task);
    task.sleep(std::chrono::milliseconds(job.ms));
    append(job.ledger, 'E', task);
    return {task.attempt()};
}

}  // namespace

DISTRIBUTO_PLUGIN("test.ledger", "1.0.0", distributo::task_type<write_down>("torture.write"));
