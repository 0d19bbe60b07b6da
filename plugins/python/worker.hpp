#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace script {

/// The one thread on which everything of a script runs: what a script opens on one thread, a
/// database for instance, it finds there again in the next task.
class Worker {
public:
    Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    /// Runs the job with the interpreter's lock and returns when it is done; not at all when there
    /// is no interpreter. One at a time. The job throws nothing.
    void run(const std::function<void()>& job);
    /// Why there is no interpreter; empty when there is one.
    [[nodiscard]] std::string fault();

private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* job_ = nullptr;
    bool ready_ = false;
    bool ended_ = false;
    std::string fault_;
    std::thread thread_;
};

}  // namespace script
