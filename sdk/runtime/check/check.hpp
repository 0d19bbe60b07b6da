#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/check/catalog.hpp"
#include "runtime/check/elf_image.hpp"
#include "runtime/check/samples.hpp"
#include "runtime/check/verdict.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace distributo::runtime::check {

struct CheckResult {
    const CheckInfo* check = nullptr;
    Verdict verdict;
    base::Duration elapsed{};
};

struct CheckOptions {
    std::vector<Sample> samples;                      ///< tasks that are expected to succeed
    std::string config = "{}";                        ///< JSON for the plugin's setup
    base::Duration limit = std::chrono::seconds(30);  ///< of each check; then its process is killed
    std::filesystem::path program;                    ///< distributo-check
    std::function<void(const CheckResult&)> on_result;  ///< as they come; may be empty
    std::function<bool()> stop;                         ///< true ends the run; may be empty
};

/// Everything that was found out about one plugin file.
struct Report {
    std::filesystem::path file;
    std::string digest;  ///< SHA-256
    std::uint64_t size = 0;
    ElfImage image;
    std::string module;  ///< JSON object of what it declares; empty when it could not be asked
    std::vector<Sample> samples;
    std::vector<CheckResult> results;

    [[nodiscard]] std::size_t count(Verdict::Status status) const;
    [[nodiscard]] bool ok() const { return count(Verdict::Status::failed) == 0; }
    /// 0, or that of the group of the first failure.
    [[nodiscard]] int exit_code() const;
};

/// Runs every check of the catalog on a copy of the file. No code of the plugin runs in this
/// process. Checks that depend on one that failed are skipped. Fails only when there is no room
/// for the copy, or distributo-check is missing. Blocks; any thread.
[[nodiscard]] base::Result<Report> check_plugin(const std::filesystem::path& file,
                                                const CheckOptions& options);

/// The report as a JSON object.
[[nodiscard]] std::string report_text(const Report& report);

/// What a host, or whoever passes the plugin on, wants to know about it without loading it: name,
/// version, ABI, target, digest, task types with their schemas, services, samples. JSON object.
[[nodiscard]] std::string manifest_text(const Report& report);

}  // namespace distributo::runtime::check
