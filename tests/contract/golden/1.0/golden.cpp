// A plugin in C++ that uses as much of <distributo/plugin.hpp> as there was when it was compiled.
// GOLDEN is the version of the ABI, as text.
#include <distributo/plugin.hpp>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#define NAME(kind) "golden.cpp." GOLDEN "." kind

namespace {

enum class Mode { exact, fast };
BOOST_DESCRIBE_ENUM(Mode, exact, fast)

struct Job {
    std::uint64_t n = 0;
    Mode mode = Mode::exact;
    std::optional<std::string> note;
    std::vector<double> list;
    std::map<std::string, bool> flags;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n, mode, note, list, flags))

Job echo(const Job& job, distributo::Task& task) {
    task.check();
    task.progress(0.5, "half");
    task.info("golden.cpp echoes");
    if (task.work_dir().empty()) {
        throw distributo::retry_elsewhere("no work directory");
    }
    return job;
}

struct Spec {
    std::string value;
};
BOOST_DESCRIBE_STRUCT(Spec, (), (value))

/// Counts its tasks, which shows that one object serves all of them.
class Installed {
public:
    explicit Installed(const distributo::Setup& setup) : slots_(setup.cpu_slots()) {}

    void prepare(const Spec& spec, distributo::Install& install) const {
        std::ofstream(install.dir() / "value") << spec.value;
    }
    bool check(distributo::Install& install) const {
        return std::filesystem::exists(install.dir() / "value");
    }
    Spec run(distributo::Task& task) {
        Spec spec;
        std::ifstream(task.install_dir() / "value") >> spec.value;
        if (slots_ == 0) {
            throw distributo::permanent("no slots");
        }
        return spec;
    }

private:
    std::uint32_t slots_;
};

/// Waits for its stop token on a condition variable.
void endless(distributo::Task& task) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    changed.wait(lock, task.stop(), [] { return false; });
    throw distributo::Cancelled();
}

void retry(distributo::Task&) {
    throw distributo::retry(std::chrono::milliseconds(700), "not yet");
}

void permanent(distributo::Task&) {
    throw distributo::permanent("never");
}

}  // namespace

DISTRIBUTO_PLUGIN("golden.cpp." GOLDEN,
                  "1.0.0",
                  distributo::task_type<echo>(NAME("echo")).concurrency(4).deterministic(),
                  distributo::task_type<&Installed::run>(NAME("installed"))
                      .install<&Installed::prepare>()
                      .verify<&Installed::check>(),
                  distributo::task_type<endless>(NAME("endless")),
                  distributo::task_type<retry>(NAME("retry")),
                  distributo::task_type<permanent>(NAME("permanent")),
                  distributo::vendor("Distributo"),
                  distributo::license("MIT"));
