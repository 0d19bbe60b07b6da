#pragma once

#include "base/result.hpp"
#include "coordinator/store/store.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

/// A call that is answered on the caller's executor, where it is also destroyed.
class Call {
public:
    virtual ~Call() = default;
    virtual void answer() = 0;
};

/// A call that a worker, Writer or Reader, carries out on its thread.
template <typename Worker>
class Job : public Call {
public:
    virtual void run(Worker& worker) = 0;  ///< throws DatabaseError; may be run again then
    virtual void fail(base::Error error) = 0;
    std::uint64_t after = 0;  ///< of a reader's: how many of the writer's must be done first
};

template <typename Worker, typename T, typename Ask>
class Question final : public Job<Worker> {
public:
    Question(Ask ask, Store::Done<T> done) : ask_(std::move(ask)), done_(std::move(done)) {}
    void run(Worker& worker) override { answer_ = ask_(worker); }
    void fail(base::Error error) override { answer_ = std::move(error); }
    void answer() override { done_(std::move(answer_)); }

private:
    Ask ask_;
    Store::Done<T> done_;
    base::Result<T> answer_ = base::error(base::Errc::internal, "nobody answered");
};

/// `ask(worker)` makes a T or a Result of it.
template <typename Worker, typename T, typename Ask>
[[nodiscard]] std::unique_ptr<Job<Worker>> make_job(Ask ask, Store::Done<T> done) {
    return std::make_unique<Question<Worker, T, Ask>>(std::move(ask), std::move(done));
}

/// Brings finished calls to the caller's executor. Those on their way when it goes are not
/// answered. deliver(): any thread.
class Outbox {
public:
    explicit Outbox(Post post) : post_(std::move(post)) {}
    ~Outbox() { *open_ = false; }
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    void deliver(std::vector<std::unique_ptr<Call>> calls) {
        using Calls = std::vector<std::unique_ptr<Call>>;
        post_([calls = std::make_shared<Calls>(std::move(calls)), open = open_] {
            for (std::size_t i = 0; *open && i < calls->size(); ++i)
                (*calls)[i]->answer();
        });
    }

private:
    Post post_;
    std::shared_ptr<bool> open_ = std::make_shared<bool>(true);  // of the caller's executor
};

}  // namespace distributo::coordinator::store
