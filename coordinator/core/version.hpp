#pragma once

#include "base/semver.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::coordinator::core {

/// The version of a task type as a host announces it. What is not semantic is lower than all that
/// is, and in no range.
class Version {
public:
    Version() = default;
    explicit Version(std::string text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Its text is then a range, too, of this version alone.
    [[nodiscard]] bool semantic() const noexcept { return semantic_.has_value(); }

    /// By precedence, then by text: versions that differ in build data only are two.
    friend std::strong_ordering operator<=>(const Version& a, const Version& b);
    friend bool operator==(const Version& a, const Version& b) { return a.text_ == b.text_; }

private:
    friend class VersionFilter;
    std::string text_;
    std::optional<base::SemanticVersion> semantic_;
};

/// Which versions of its type a task accepts.
class VersionFilter {
public:
    VersionFilter() = default;  ///< any
    /// `range` was checked when the task was submitted; one that cannot be read accepts nothing.
    explicit VersionFilter(std::string_view range);

    [[nodiscard]] bool any() const noexcept { return text_.empty(); }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool accepts(const Version& version) const;

private:
    std::string text_;
    std::optional<base::VersionRange> range_;
};

}  // namespace distributo::coordinator::core
