#pragma once

#include "base/result.hpp"
#include "host/spool_files.hpp"
#include "host/spool_format.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// A result that is on disk, and in which file.
struct SpooledOutcome {
    Outcome outcome;
    std::uint64_t file = 0;
};

struct SpoolLimits {
    std::size_t file_bytes = std::size_t{2} * 1024 * 1024;  ///< then the next one is begun
    /// For coordinators that never came back; then the oldest of theirs are given up.
    std::size_t foreign_bytes = std::size_t{256} * 1024 * 1024;
};

/// Results on disk, in files that are only appended to and removed as a whole. A file that an
/// earlier process wrote is never appended to, so what was torn off its end stays the end.
/// One thread at a time; everything blocks.
class SpoolLog {
public:
    explicit SpoolLog(SpoolFiles& files, const SpoolLimits& limits = {})
        : files_(files), limits_(limits) {}

    /// Looks through what is there, before anything else; what is wrong with it goes to the log.
    /// Whom the newest result is for; empty when there is none.
    [[nodiscard]] base::Result<std::string> open();

    /// The results for one coordinator, the oldest first.
    [[nodiscard]] std::vector<SpooledOutcome> load(std::string_view coordinator_id);

    /// Makes the records durable, all in the file that is returned. They are for one coordinator,
    /// and no file has results for two. `fresh`: in a file that has no others.
    [[nodiscard]] base::Result<std::uint64_t> append(std::span<const SpoolRecord> records,
                                                     bool fresh = false);
    /// Nothing in the file is needed any more.
    void remove(std::uint64_t file);

private:
    struct Found {
        std::set<std::string> coordinators;
        std::size_t bytes = 0;
    };
    void look_into(std::uint64_t file);
    void limit_foreign(std::string_view coordinator_id);
    [[nodiscard]] base::Result<void> begin_file(const std::string& coordinator_id);
    void abandon_file();

    SpoolFiles& files_;
    SpoolLimits limits_;
    std::map<std::uint64_t, Found> found_;  // with good records
    std::string newest_coordinator_;
    std::uint64_t next_ = 1;
    std::uint64_t current_ = 0;  // being appended to; 0: none
    std::size_t size_ = 0;       // of the current one
    std::string buffer_;         // kept for its memory
};

}  // namespace distributo::host
