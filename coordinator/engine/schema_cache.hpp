#pragma once

#include "wire/schema.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace distributo::coordinator::engine {

/// The payload schemas that hosts advertise, compiled once each. A schema that does not compile
/// checks nothing: refusing every task of its type would be worse. Not thread-safe.
class SchemaCache {
public:
    /// The compiled form of a schema's text; nothing when it is empty or does not compile.
    [[nodiscard]] std::optional<wire::Schema> compiled(std::string_view text);

private:
    /// Plugins come and go; a cache of this many texts is emptied and begun anew.
    static constexpr std::size_t max_schemas = 256;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_map<std::string, std::optional<wire::Schema>, Hash, std::equal_to<>> schemas_;
};

}  // namespace distributo::coordinator::engine
