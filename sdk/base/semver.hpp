#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::base {

/// A semantic version (semver.org 2.0): major.minor.patch, -pre-release, +build.
struct SemanticVersion {
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    std::uint64_t patch = 0;
    std::string pre_release;  ///< "rc.1"; empty: a release

    /// Precedence: a pre-release is lower than its release, numeric identifiers are lower than
    /// words and compare as numbers. Build data does not count and is not kept.
    friend std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b);
    friend bool operator==(const SemanticVersion& a, const SemanticVersion& b) {
        return (a <=> b) == 0;
    }
};

/// Reads exactly one version. The error names the column and what was expected there.
[[nodiscard]] Result<SemanticVersion> parse_version(std::string_view text);

/// A set of versions, written as package managers write it:
///
///     1.2.3  =1.2.3          that one
///     1.2  1.2.x  1  1.x     1.2.*, 1.*
///     *                      every release
///     ^1.2                   compatible: ≥ 1.2.0, and nothing left of the first non-zero changes
///     ~1.2.3                 ≥ 1.2.3, < 1.3.0
///     >=1.2 <2               all of several conditions, separated by spaces or commas
///
/// A pre-release matches only where a condition names a pre-release of the same major.minor.patch:
/// nobody who writes ^1.2 asks for 1.3.0-beta.
class VersionRange {
public:
    static constexpr std::size_t longest = 128;  ///< bytes of text
    /// The error names the column and what was expected there.
    [[nodiscard]] static Result<VersionRange> parse(std::string_view text);
    [[nodiscard]] bool contains(const SemanticVersion& version) const;

private:
    struct Parser;
    /// lower ≤ version < upper. `upper` empty: no end. The names of pre-releases may match.
    struct Condition {
        SemanticVersion lower;
        std::optional<SemanticVersion> upper;
    };

    std::vector<Condition> conditions_;   // all must hold
    std::vector<SemanticVersion> named_;  // pre-releases that a condition names
};

}  // namespace distributo::base
