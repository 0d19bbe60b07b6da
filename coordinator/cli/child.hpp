#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace distributo::coordinator::cli {

/// A daemon that this program started. Ended (SIGTERM, then waited for) when destroyed.
class Child {
public:
    [[nodiscard]] static base::Result<Child> start(const std::filesystem::path& program,
                                                   const std::vector<std::string>& arguments);
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();

    /// True while it runs.
    [[nodiscard]] bool running();
    /// Its exit code once it has ended; 128 + signal when a signal ended it.
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }
    void terminate() const;
    void wait();

private:
    explicit Child(int pid) : pid_(pid) {}
    void take_status(int status);

    int pid_ = 0;
    int exit_code_ = -1;
};

/// The folder of the running program.
[[nodiscard]] std::filesystem::path program_folder();

}  // namespace distributo::coordinator::cli
