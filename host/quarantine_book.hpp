#pragma once

#include "base/clock.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::host {

/// A quarantine that an earlier process of the host began.
struct PastQuarantine {
    std::string why;
    base::Duration left{};   ///< zero: it is over, but the next one is longer for it
    base::Duration pause{};  ///< how long it was altogether
};

/// Which plugin versions are left alone, so that a restart of the host does not let them off. Has a
/// text form, one version a line, that outlives the host's process.
class QuarantineBook {
public:
    /// Reads what text() has written; lines that are not of that form are left out, and what was
    /// over an hour before `now`.
    [[nodiscard]] static QuarantineBook parse(std::string_view text, base::WallTime now);
    [[nodiscard]] std::string text() const;

    void add(const std::string& digest, std::string why, base::WallTime now, base::Duration pause);
    /// False when it was not there.
    bool forget(const std::string& digest) { return entries_.erase(digest) != 0; }
    /// At most the pause is left, whatever the wall clock has done meanwhile.
    [[nodiscard]] std::optional<PastQuarantine> find(const std::string& digest,
                                                     base::WallTime now) const;

private:
    struct Entry {
        base::WallTime until;
        base::Duration pause{};
        std::string why;
    };
    std::map<std::string, Entry> entries_;  // by digest
};

}  // namespace distributo::host
