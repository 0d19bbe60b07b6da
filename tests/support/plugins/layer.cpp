// What the C++ layer has beside plain functions, to be run by a real host.
//     layer.square  answers its square and how many came together; "bad" fails, "leave" is
//     forgotten layer.wait    ends when a file is there, when it is cancelled, or never well:
//     "drop", "throw" layer.follow  emits layer.square for every number that it gets layer.cache
//     answers what is cached under a key, then caches a value there layer.copy    makes an
//     artifact, and another one of it by way of streams layer.health  makes the probe find this
//     host able or not
#include <distributo/plugin.hpp>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>

namespace {

struct Number {
    std::int64_t n = 0;
    std::optional<std::string> way;
};
BOOST_DESCRIBE_STRUCT(Number, (), (n, way))

struct Square {
    std::int64_t n = 0;
    std::uint64_t together = 0;
};
BOOST_DESCRIBE_STRUCT(Square, (), (n, together))

Square square(const Number& number) {
    return {number.n * number.n, 1};
}

void squares(std::span<distributo::BatchItem<Number, Square>> items) {
    for (auto& item : items) {
        const auto& [n, way] = item.payload();
        if (way == "bad")
            item.fail(distributo::permanent("a bad one"));
        else if (way != "leave")
            item.succeed({n * n, items.size()});
    }
}

struct Wait {
    std::optional<std::string> file;
    std::optional<std::string> way;
};
BOOST_DESCRIBE_STRUCT(Wait, (), (file, way))

/// Tasks that one thread looks after, however many they are.
class Waiters {
public:
    void start(const Wait& wait, distributo::AsyncTask<std::string> task) const {
        if (wait.way == "throw")
            throw distributo::permanent("as asked");
        if (wait.way == "drop")
            return;
        const std::lock_guard lock(mutex_);
        waiting_.emplace_back(wait.file.value_or(""), std::move(task));
    }

private:
    using Waiting = std::pair<std::filesystem::path, distributo::AsyncTask<std::string>>;

    /// Ends the task if it is time.
    static bool ended(Waiting& waiting) {
        auto& [file, task] = waiting;
        std::error_code ignored;
        if (!task->cancelled() && !file.empty() && !std::filesystem::exists(file, ignored))
            return false;
        task.run([&task = task] {
            task->check();
            return std::string(task->id());
        });
        return true;
    }

    void look(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
            std::erase_if(waiting_, ended);
            changed_.wait_for(lock, stop, std::chrono::milliseconds(5), [] { return false; });
        }
    }

    mutable std::mutex mutex_;
    mutable std::vector<Waiting> waiting_;
    std::condition_variable_any changed_;
    std::jthread thread_{[this](const std::stop_token& stop) { look(stop); }};
};

struct Numbers {
    std::vector<std::int64_t> numbers;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (numbers))

void follow(const Numbers& all, distributo::Task& task) {
    for (const std::int64_t n : all.numbers)
        task.emit("layer.square",
                  Number{n, {}},
                  {.dedupe_key = "square " + std::to_string(n), .group = "squares"});
}

struct Entry {
    std::string key;
    Number value;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (key, value))

std::optional<Number> cache(const Entry& entry, distributo::Task& task) {
    auto before = task.cache().get<Number>(entry.key);
    if (!task.cache().put(entry.key, entry.value))
        throw distributo::permanent("the host has not taken the value");
    return before;
}

struct Copy {
    std::optional<std::string> of;  // an artifact that is not there, unless it is left out
};
BOOST_DESCRIBE_STRUCT(Copy, (), (of))

struct Copied {
    std::string text;
    std::string digest;
};
BOOST_DESCRIBE_STRUCT(Copied, (), (text, digest))

Copied copy(const Copy& wanted, distributo::Task& task) {
    const auto made = task.work_dir() / "made";
    std::ofstream(made) << "one two three";
    task.publish("in/made", made, "text/plain");
    (void)task.create_artifact("lost");  // not committed: it does not exist
    auto out = task.create_artifact("out/copy", "text/plain");
    out.write(task.open_artifact("in/" + wanted.of.value_or("made")).read_all());
    Copied copied;
    copied.digest = out.commit();
    std::ifstream file(task.artifact("out/copy"));
    copied.text.assign(std::istreambuf_iterator<char>(file), {});
    return copied;
}

struct Health {
    bool able = true;
};
BOOST_DESCRIBE_STRUCT(Health, (), (able))

struct Ability {
    std::string lens;
};
BOOST_DESCRIBE_STRUCT(Ability, (), (lens))

std::atomic<bool> able = true;

void set_health(const Health& health, distributo::Task& task) {
    able = health.able;
    task.capabilities_changed();
}

Ability probe(const distributo::Context&) {
    if (!able)
        throw distributo::retry("no lens");
    return {"wide"};
}

}  // namespace

DISTRIBUTO_PLUGIN("test.layer",
                  "1.0.0",
                  distributo::task_type<square>("layer.square").batch<squares>(5),
                  distributo::task_type<&Waiters::start>("layer.wait").concurrency(1000),
                  distributo::task_type<follow>("layer.follow"),
                  distributo::task_type<cache>("layer.cache"),
                  distributo::task_type<copy>("layer.copy"),
                  distributo::task_type<set_health>("layer.health"),
                  distributo::probe<probe>(),
                  distributo::requires_service(DTO_SERVICE_EMIT));
