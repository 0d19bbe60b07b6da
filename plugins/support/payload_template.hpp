#pragma once

#include <distributo/plugin.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What a name in a template stands for.
struct Field {
    std::string_view text;
    bool is_json = false;  ///< the text is a JSON value, else plain text
};

/// Looks a name up; throws a permanent Failure when there is none of that name.
using Fields = std::function<Field(std::string_view name)>;

/// JSON with names in its strings, which makes payloads:
///
///     {"word":"{line}","row":"{number:number}","all":"{line:json}"}
///
/// "{name}" inside a string becomes text. A string that is nothing but "{name:number}" or
/// "{name:json}" becomes a number, or any JSON value. "{{" and "}}" are braces.
class PayloadTemplate {
public:
    /// Throws a permanent Failure that names `place` ("config.payload") when a brace is wrong.
    PayloadTemplate(const distributo::RawJson& json, std::string_view place);

    /// Appends the payload. Throws a permanent Failure when a name is unknown, or its value is no
    /// number or no JSON where it must be.
    void render(std::string& out, const Fields& fields) const;
    [[nodiscard]] distributo::RawJson render(const Fields& fields) const;
    /// Of a text that is no JSON: "{file}:{number}".
    [[nodiscard]] static std::string render_text(std::string_view text, const Fields& fields);

private:
    enum class Kind : unsigned char { literal, text, number, json };
    struct Part {
        Kind kind = Kind::literal;
        std::string text;  ///< or the name
    };

    void add_string(std::string_view literal, std::string_view place);
    void add_between(std::string_view text);
    void add_literal(std::string_view text);

    std::vector<Part> parts_;
};

}  // namespace support
