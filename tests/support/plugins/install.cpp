// A task type that needs an installation and counts how often it got one.
#include <distributo/plugin.hpp>

#include <fstream>
#include <mutex>

namespace {

/// `fail`: true fails with "run elsewhere". `permanent`: true fails for good. `value` is kept.
struct Spec {
    std::optional<bool> fail;
    std::optional<bool> permanent;
    std::optional<std::string> value;
    std::optional<std::uint32_t> ms;
};
BOOST_DESCRIBE_STRUCT(Spec, (), (fail, permanent, value, ms))

/// `installs`: how often install succeeded in this plugin's data directory, over all processes.
struct Answer {
    std::string value;
    std::uint64_t installs = 0;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (value, installs))

class Installer {
public:
    explicit Installer(const distributo::Setup& setup) : log_(setup.data_dir() / "installs") {}

    void install(const Spec& spec, distributo::Install& install) const {
        std::ofstream(install.dir() / "value") << "half";
        install.sleep(std::chrono::milliseconds(spec.ms.value_or(0)));
        if (spec.permanent.value_or(false)) {
            throw distributo::permanent("install failed as asked, for good");
        }
        if (spec.fail.value_or(false)) {
            throw distributo::retry_elsewhere("install failed as asked");
        }
        std::ofstream(install.dir() / "value") << spec.value.value_or("none");
        const std::lock_guard lock(mutex_);
        std::ofstream(log_, std::ios::app) << install.content_key() << '\n';
    }

    bool verify(distributo::Install& install) const {
        return std::filesystem::exists(install.dir() / "value");
    }

    Answer run(distributo::Task& task) const {
        std::ifstream file(task.install_dir() / "value");
        if (!file) {
            throw distributo::permanent("the installed file is missing in " +
                                        task.install_dir().string());
        }
        Answer answer;
        std::getline(file, answer.value);
        const std::lock_guard lock(mutex_);
        std::ifstream log(log_);
        for (std::string line; std::getline(log, line);) {
            ++answer.installs;
        }
        return answer;
    }

private:
    std::filesystem::path log_;
    mutable std::mutex mutex_;  // of the file log_
};

}  // namespace

DISTRIBUTO_PLUGIN("test.install",
                  "1.0.0",
                  distributo::task_type<&Installer::run>("test.install")
                      .install<&Installer::install>()
                      .verify<&Installer::verify>());
