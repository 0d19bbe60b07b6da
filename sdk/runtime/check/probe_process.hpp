#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace distributo::runtime::check {

/// How a child process went.
struct ProbeEnd {
    std::string answer;  ///< what it wrote to verdict_descriptor, at most 1 MiB
    std::string output;  ///< the last 4 KiB that it printed
    std::string how;     ///< "exited with code 3", "killed by SIGSEGV"
    bool clean = false;  ///< exited with code 0
    bool late = false;   ///< was killed because it took longer than its limit
};

/// Runs a program to its end, at most for `limit`; whatever it started in its process group goes
/// with it. Standard input is empty. `stop`, if there is one, is asked whenever a signal came, and
/// true ends it as the limit does. Blocks; any thread.
[[nodiscard]] base::Result<ProbeEnd> run_probe(const std::filesystem::path& program,
                                               const std::vector<std::string>& arguments,
                                               base::Duration limit,
                                               const std::function<bool()>& stop = {});

/// Path of the distributo-check program that belongs to this executable: beside it, or in
/// ../libexec/distributo.
[[nodiscard]] std::filesystem::path default_check_program();

}  // namespace distributo::runtime::check
