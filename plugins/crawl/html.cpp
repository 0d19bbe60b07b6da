#include "html.hpp"

#include "support/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace crawl {

namespace {

constexpr std::size_t max_title = 300;  // what a list of pages can show; more is a mistake
constexpr std::size_t max_entity = 12;  // "&#x0010FFFF;": anything longer is no entity

using Attributes = std::vector<std::pair<std::string, std::string>>;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Does "<" begin a comment, an end tag or a declaration with this character?
bool is_markup(std::string_view next) {
    return next == "!" || next == "/" || next == "?";
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const bool valid = code != 0 && code < 0x110000 && (code < 0xD800 || code >= 0xE000);
    code = valid ? code : 0xFFFD;
    const auto tail = [&out, code](int shift) {
        out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
    };
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (code >> 6)));
        tail(0);
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (code >> 12)));
        tail(6), tail(0);
    } else {
        out.push_back(static_cast<char>(0xF0 | (code >> 18)));
        tail(12), tail(6), tail(0);
    }
}

/// Appends what an entity stands for, given without & and ;. False: it is none.
bool append_entity(std::string& out, std::string_view name) {
    constexpr std::pair<std::string_view, char> named[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}};
    for (const auto& [known, character] : named) {
        if (name == known) {
            out.push_back(character);
            return true;
        }
    }
    if (name.size() < 2 || name.front() != '#') {
        return false;
    }
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    for (const char c : lower(digits)) {
        const int digit = c >= '0' && c <= '9'          ? c - '0'
                          : hex && c >= 'a' && c <= 'f' ? c - 87
                                                        : -1;
        if (digit < 0) {
            return false;
        }
        code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit),
                                       0x110000);
    }
    append_utf8(out, code);
    return !digits.empty();
}

std::string without_entities(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t end = text[i] == '&' ? text.substr(i, max_entity).find(';') : text.npos;
        if (end != text.npos && append_entity(out, text.substr(i + 1, end - 1))) {
            i += end;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

/// One line of UTF-8, whatever encoding the page had.
std::string title_of(std::string_view raw) {
    const std::string text = without_entities(raw);
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < max_title;) {
        const std::size_t size = support::utf8_size(std::string_view(text).substr(i));
        const auto c = static_cast<unsigned char>(text[i]);
        if (c <= 0x20 || c == 0x7F) {
            if (!out.empty() && out.back() != ' ') {
                out.push_back(' ');
            }
        } else if (size == 0) {
            out.append("\uFFFD");
        } else if (out.size() + size <= max_title) {
            out.append(text, i, size);
        } else {
            break;
        }
        i += std::max<std::size_t>(size, 1);
    }
    while (!out.empty() && out.back() == ' ') {
        out.pop_back();
    }
    return out;
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    HtmlPage scan() {
        while ((at_ = text_.find('<', at_)) != text_.npos) {
            if (text_.substr(at_, 4) == "<!--") {
                skip_past("-->", at_ + 4);
            } else if (at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) {
                tag();
            } else if (is_markup(text_.substr(at_ + 1, 1))) {
                skip_past(">", at_ + 1);
            } else {
                ++at_;
            }
        }
        if (!follow_) {
            page_.links.clear();
        }
        return std::move(page_);
    }

private:
    void skip_past(std::string_view mark, std::size_t from) {
        const std::size_t found = text_.find(mark, from);
        at_ = found == text_.npos ? text_.size() : found + mark.size();
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '>'; }

    template <class Stop>
    std::string_view until(Stop stop) {
        const std::size_t from = at_;
        while (at_ < text_.size() && !stop(text_[at_])) {
            ++at_;
        }
        return text_.substr(from, at_ - from);
    }

    void tag() {
        ++at_;
        const std::string name =
            lower(until([](char c) { return is_blank(c) || c == '/' || c == '>'; }));
        const Attributes attributes = read_attributes();
        if (at_ == text_.size()) {
            return;  // the text was cut here, perhaps within an address
        }
        ++at_;
        if (name == "script" || name == "style" || name == "textarea" || name == "title") {
            raw_text(name);
        } else if (name == "base" && page_.base.empty()) {
            page_.base = value_of(attributes, "href");
        } else if (name == "meta" && lower(value_of(attributes, "name")) == "robots") {
            follow_ &= lower(value_of(attributes, "content")).find("nofollow") == std::string::npos;
        } else if (name == "a" || name == "area") {
            link(attributes, "href");
        } else if (name == "frame" || name == "iframe") {
            link(attributes, "src");
        }
    }

    Attributes read_attributes() {
        Attributes attributes;
        for (;;) {
            until([](char c) { return !is_blank(c) && c != '/'; });
            if (peek() == '>') {
                break;
            }
            const std::size_t before = at_;
            const std::string_view name =
                until([](char c) { return is_blank(c) || c == '=' || c == '/' || c == '>'; });
            until([](char c) { return !is_blank(c); });
            std::string_view value;
            if (peek() == '=') {
                ++at_;
                value = attribute_value();
            }
            attributes.emplace_back(lower(name), without_entities(value));
            at_ = std::max(at_, before + 1);
        }
        return attributes;
    }

    std::string_view attribute_value() {
        until([](char c) { return !is_blank(c); });
        const char quote = peek();
        if (quote != '"' && quote != '\'') {
            return until([](char c) { return is_blank(c) || c == '>'; });
        }
        ++at_;
        const std::string_view value = until([quote](char c) { return c == quote; });
        at_ = std::min(at_ + 1, text_.size());
        return value;
    }

    /// What stands before the end tag is text, whatever it looks like.
    void raw_text(const std::string& name) {
        const std::size_t from = at_;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '<' && lower(text_.substr(at_, name.size() + 2)) == "</" + name) {
                break;
            }
        }
        if (name == "title" && page_.title.empty()) {
            page_.title = title_of(text_.substr(from, at_ - from));
        }
    }

    void link(const Attributes& attributes, std::string_view member) {
        const std::string target = value_of(attributes, member);
        if (!target.empty() &&
            lower(value_of(attributes, "rel")).find("nofollow") == std::string::npos) {
            page_.links.push_back(target);
        }
    }

    static std::string value_of(const Attributes& attributes, std::string_view name) {
        for (const auto& [known, value] : attributes) {
            if (known == name) {
                return value;
            }
        }
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    HtmlPage page_;
    bool follow_ = true;
};

}  // namespace

HtmlPage read_html(std::string_view text) {
    return Scanner(text).scan();
}

}  // namespace crawl
