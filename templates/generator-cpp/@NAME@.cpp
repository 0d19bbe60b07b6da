#include <distributo/generator.hpp>

namespace {

/// The generator's configuration; its JSON Schema is made from it. Members that are std::optional
/// may be left out.
struct Config {
    std::uint64_t last = 0;
    std::optional<std::uint64_t> step;
};
BOOST_DESCRIBE_STRUCT(Config, (), (last, step))

/// Where to go on: all that the generator has to remember. It becomes durable together with the
/// tasks that were emitted, so that none is lost or repeated when something stops half-way.
struct Cursor {
    std::uint64_t next = 1;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (next))

/// What a task is given.
struct Job {
    std::uint64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n))

/// One task for each number from 1 to `last`, or for every `step`th of them.
class Numbers {
public:
    explicit Numbers(const Config& config) : last_(config.last), step_(config.step.value_or(1)) {
        if (step_ == 0) {
            throw distributo::permanent("step must be at least 1");
        }
    }

    /// Called whenever the coordinator wants more tasks; emit() says when it has enough.
    void next(Cursor& cursor, distributo::Feed& feed) {
        while (cursor.next <= last_ && feed.emit("@NAME@.square", Job{cursor.next})) {
            cursor.next += step_;
        }
        if (cursor.next > last_) {
            feed.end();  // nothing will ever follow; without it, next() is called again later
        }
    }

private:
    const std::uint64_t last_, step_;
};

/// What hosts do with such a task. Leave it out when the tasks' type is another plugin's.
struct Square {
    std::uint64_t square = 0;
};
BOOST_DESCRIBE_STRUCT(Square, (), (square))

Square square(const Job& job) {
    return {job.n * job.n};
}

}  // namespace

DISTRIBUTO_PLUGIN("@NAME@",
                  "0.1.0",
                  distributo::generator<Numbers>("@NAME@"),
                  distributo::task_type<square>("@NAME@.square"));
