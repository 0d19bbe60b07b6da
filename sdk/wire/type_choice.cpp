#include "wire/type_choice.hpp"

#include "base/semver.hpp"

#include <string>

namespace distributo::wire {

base::Result<TypeChoice> parse_type_choice(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos)
        return TypeChoice{text, {}};
    const TypeChoice choice{text.substr(0, at), text.substr(at + 1)};
    if (auto range = base::VersionRange::parse(choice.version_range); !range)
        return base::error(
            range.error().code,
            "behind \"" + std::string(text.substr(0, at + 1)) + "\": " + range.error().message,
            range.error().hint);
    return choice;
}

}  // namespace distributo::wire
