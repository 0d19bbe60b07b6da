#pragma once

#include "coordinator/extensions/extensions.hpp"
#include "wire/json.hpp"

#include <string>
#include <string_view>

/// Definitions as JSON: as the HTTP API takes and shows them, and as the store keeps them.
namespace distributo::coordinator::extensions {

/// The first thing that is wrong with a definition's JSON.
struct DefinitionFault {
    enum class Kind : std::uint8_t {
        malformed,  ///< no JSON, or no object
        missing,    ///< a member that must be there
        unknown,    ///< a member that generators, or sinks, do not have
        invalid,    ///< the value of a member
    };

    Kind kind = Kind::invalid;
    std::string pointer;  ///< RFC 6901, into the definition: "/states/0"; empty: all of it
    std::string message;  ///< "expected string, got number"
    std::string hint;     ///< "did you mean 'low_water'?"; may be empty
};

/// As an error for people: invalid_argument, "low_water: expected integer …".
[[nodiscard]] base::Error to_error(const DefinitionFault& fault);

/// Found by boost::system::result when the value of a failed one is used.
[[noreturn]] void throw_exception_from_error(const DefinitionFault& fault,
                                             const boost::source_location& where);

template <typename T>
using DefinitionResult = boost::system::result<T, DefinitionFault>;

/// Reads a definition: an object whose member "plugin" must be there. Without a "name" the name is
/// empty. Checks what can be known without the plugin and without files: kinds and ranges of the
/// members, that "config" is an object, that "directory" is absolute, that low_water ≤ high_water;
/// when only one of these two is given, the other one is half of it, or twice, if its preset does
/// not fit. Members that only the other kind has are unknown.
[[nodiscard]] DefinitionResult<Definition> read_definition(ExtensionKind kind,
                                                           std::string_view json);

/// Writes all members of a definition into an object that is open. What read_definition makes of
/// them equals `definition`.
void append_definition(wire::json::Writer& json, const Definition& definition);

/// The same as an object of its own.
[[nodiscard]] std::string definition_text(const Definition& definition);

/// Is it a name for a generator or sink: [a-z0-9][a-z0-9._-]{0,63}?
[[nodiscard]] bool is_extension_name(std::string_view name) noexcept;

}  // namespace distributo::coordinator::extensions
