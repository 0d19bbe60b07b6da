#include "coordinator/core/version.hpp"

#include <utility>

namespace distributo::coordinator::core {

Version::Version(std::string text) : text_(std::move(text)) {
    if (auto parsed = base::parse_version(text_))
        semantic_ = std::move(*parsed);
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
    if (a.semantic_.has_value() != b.semantic_.has_value())
        return a.semantic_.has_value() <=> b.semantic_.has_value();
    if (a.semantic_)
        if (const auto order = *a.semantic_ <=> *b.semantic_; order != 0)
            return order;
    return a.text_ <=> b.text_;
}

VersionFilter::VersionFilter(std::string_view range) : text_(range) {
    if (range.empty())
        return;
    if (auto parsed = base::VersionRange::parse(range))
        range_ = std::move(*parsed);
}

bool VersionFilter::accepts(const Version& version) const {
    return any() || (range_ && version.semantic_ && range_->contains(*version.semantic_));
}

}  // namespace distributo::coordinator::core
