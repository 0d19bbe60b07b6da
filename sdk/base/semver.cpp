#include "base/semver.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace distributo::base {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_identifier(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool is_number(std::string_view identifier) noexcept {
    return std::all_of(identifier.begin(), identifier.end(), is_digit);
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
    const bool a_counts = is_number(a);
    const bool b_counts = is_number(b);
    if (a_counts != b_counts)
        return a_counts ? std::strong_ordering::less : std::strong_ordering::greater;
    // Numbers have no leading zeros: the longer one is the higher one, however long they are.
    if (a_counts && a.size() != b.size())
        return a.size() <=> b.size();
    return a <=> b;
}

std::string_view take_identifier(std::string_view& list) {
    const auto dot = list.find('.');
    const auto first = list.substr(0, dot);
    list = dot == std::string_view::npos ? std::string_view() : list.substr(dot + 1);
    return first;
}

std::strong_ordering compare_pre_releases(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty())
        return a.empty() <=> b.empty();
    while (!a.empty() && !b.empty()) {
        const auto one = take_identifier(a);
        const auto other = take_identifier(b);
        if (const auto order = compare_identifiers(one, other); order != 0)
            return order;
    }
    return b.empty() <=> a.empty();
}

/// What stands at a place, for an error.
std::string shown(std::string_view rest) {
    if (rest.empty())
        return "nothing";
    std::size_t length = 1;
    while (length < rest.size() && (static_cast<unsigned char>(rest[length]) & 0xC0U) == 0x80U)
        ++length;
    return '"' + std::string(rest.substr(0, length)) + '"';
}

/// A text that is read from left to right, with the first thing that was wrong about it.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] char peek() const noexcept { return at_end() ? '\0' : text_[at_]; }
    bool take(char wanted) noexcept {
        if (peek() != wanted || at_end())
            return false;
        ++at_;
        return true;
    }
    [[nodiscard]] std::string_view take_while(bool (*allowed)(char)) noexcept {
        const auto first = at_;
        while (!at_end() && allowed(text_[at_]))
            ++at_;
        return text_.substr(first, at_ - first);
    }
    bool expected(std::string what, std::size_t back = 0) {
        if (fault_.empty())
            fault_ = "expected " + std::move(what) + ", got " + shown(text_.substr(at_ - back)) +
                     " at column " + std::to_string(at_ - back + 1);
        return false;
    }
    [[nodiscard]] Error error(std::string_view kind, std::string hint) const {
        return base::error(Errc::invalid_argument,
                           '"' + std::string(text_.substr(0, VersionRange::longest)) +
                               "\" is not a " + std::string(kind) + ": " + fault_,
                           std::move(hint));
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    std::string fault_;
};

bool read_number(Cursor& in, std::uint64_t& out) {
    const auto digits = in.take_while(is_digit);
    if (digits.empty())
        return in.expected("a number");
    if (digits.size() > 1 && digits.front() == '0')
        return in.expected("a number without leading zeros", digits.size());
    out = 0;
    for (const char digit : digits) {
        const auto value = static_cast<std::uint64_t>(digit - '0');
        // One below the highest, so that the version after it can be named.
        if (out > (std::numeric_limits<std::uint64_t>::max() - 1 - value) / 10)
            return in.expected("a number below 2^64 - 1", digits.size());
        out = out * 10 + value;
    }
    return true;
}

/// Identifiers with dots between them.
bool read_identifiers(Cursor& in, bool numbers_count, std::string& out) {
    do {
        const auto identifier = in.take_while(is_identifier);
        if (identifier.empty())
            return in.expected("a letter, a digit or -");
        if (numbers_count && identifier.size() > 1 && identifier.front() == '0' &&
            is_number(identifier))
            return in.expected("a number without leading zeros", identifier.size());
        out += out.empty() ? "" : ".";
        out += identifier;
    } while (in.take('.'));
    return true;
}

/// What may follow major.minor.patch.
bool read_suffix(Cursor& in, SemanticVersion& version) {
    if (in.take('-') && !read_identifiers(in, true, version.pre_release))
        return false;
    std::string build;
    return !in.take('+') || read_identifiers(in, false, build);
}

bool read_version(Cursor& in, SemanticVersion& version) {
    if (!read_number(in, version.major) || (!in.take('.') && !in.expected("\".\"")) ||
        !read_number(in, version.minor) || (!in.take('.') && !in.expected("\".\"")) ||
        !read_number(in, version.patch))
        return false;
    return read_suffix(in, version) && (in.at_end() || in.expected("the end"));
}

bool same_release(const SemanticVersion& a, const SemanticVersion& b) noexcept {
    return std::tie(a.major, a.minor, a.patch) == std::tie(b.major, b.minor, b.patch);
}

/// The lowest version of all: nothing is below its pre-release.
const SemanticVersion lowest{.major = 0, .minor = 0, .patch = 0, .pre_release = "0"};

}  // namespace

std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b) {
    if (const auto order =
            std::tie(a.major, a.minor, a.patch) <=> std::tie(b.major, b.minor, b.patch);
        order != 0)
        return order;
    return compare_pre_releases(a.pre_release, b.pre_release);
}

Result<SemanticVersion> parse_version(std::string_view text) {
    Cursor in(text);
    SemanticVersion version;
    if (!read_version(in, version))
        return in.error("semantic version", "write it like 1.0.0");
    return version;
}

// ---- ranges ----------------------------------------------------------------------------------

struct VersionRange::Parser {
    /// A version of which the end may be left open: 1, 1.2, 1.x, *.
    struct Partial {
        SemanticVersion version;  // open parts are zero
        int parts = 0;            // how many are given
    };

    bool read_partial(Partial& out) {
        std::uint64_t* const parts[] = {&out.version.major, &out.version.minor, &out.version.patch};
        bool open = false;
        for (int part = 0; part < 3; ++part) {
            if (part > 0 && !in.take('.'))
                return true;
            if (in.take('x') || in.take('X') || in.take('*')) {
                open = true;
            } else if (open) {
                return in.expected("x or *");
            } else if (const char next = in.peek(); next < '0' || next > '9') {
                return in.expected("a number, x or *");
            } else if (!read_number(in, *parts[part])) {
                return false;
            } else {
                ++out.parts;
            }
        }
        return open || read_suffix(in, out.version);
    }

    /// The first version above everything that agrees with `partial` in its first `parts` parts.
    static std::optional<SemanticVersion> after(const Partial& partial, int parts) {
        const auto& v = partial.version;
        // "-0" is the lowest pre-release of the next one, which does not belong to this one.
        switch (parts) {
            case 0:
                return std::nullopt;
            case 1:
                return SemanticVersion{v.major + 1, 0, 0, "0"};
            case 2:
                return SemanticVersion{v.major, v.minor + 1, 0, "0"};
            default:
                return SemanticVersion{v.major, v.minor, v.patch + 1, "0"};
        }
    }

    /// The first version that ^partial does not contain.
    static std::optional<SemanticVersion> breaking(const Partial& partial) {
        const auto& v = partial.version;
        if (v.major > 0 || partial.parts < 2)
            return after(partial, std::min(partial.parts, 1));
        if (v.minor > 0 || partial.parts < 3)
            return after(partial, 2);
        return after(partial, 3);
    }

    /// Just above one complete version: x.y.z-a < x.y.z-a.0, and x.y.z < x.y.(z+1)-0.
    static SemanticVersion just_above(const SemanticVersion& version) {
        SemanticVersion next = version;
        if (version.pre_release.empty())
            return {version.major, version.minor, version.patch + 1, "0"};
        next.pre_release += ".0";
        return next;
    }

    std::string_view read_operator() {
        if (in.take('^'))
            return "^";
        if (in.take('~'))
            return "~";
        if (in.take('='))
            return "=";
        if (in.take('>'))
            return in.take('=') ? ">=" : ">";
        if (in.take('<'))
            return in.take('=') ? "<=" : "<";
        return "";
    }

    static Condition condition(std::string_view op, const Partial& partial) {
        const auto& version = partial.version;
        const bool complete = partial.parts == 3;
        const auto none = Condition{lowest, lowest};
        if (op == "^")
            return {version, breaking(partial)};
        if (op == "~")
            return {version, after(partial, std::min(partial.parts, 2))};
        if (op == ">=")
            return {version, std::nullopt};
        if (op == "<")
            return {lowest, below(partial)};
        if (op == ">") {
            if (complete)
                return {just_above(version), std::nullopt};
            const auto next = after(partial, partial.parts);
            return next ? Condition{*next, std::nullopt} : none;
        }
        const auto end = complete ? just_above(version) : after(partial, partial.parts);
        if (op == "<=")
            return {lowest, end};
        return {version, end};
    }

    static SemanticVersion below(const Partial& partial) {
        SemanticVersion end = partial.version;
        if (partial.parts < 3)
            end.pre_release = "0";
        return end;
    }

    bool read(VersionRange& range) {
        const auto skip = [&] { (void)in.take_while([](char c) { return c == ' '; }); };
        skip();
        do {
            const auto op = read_operator();
            skip();
            Partial partial;
            if (!read_partial(partial))
                return false;
            if (!partial.version.pre_release.empty())
                range.named_.push_back(partial.version);
            range.conditions_.push_back(condition(op, partial));
            const bool apart = in.peek() == ' ' || in.peek() == ',';
            skip();
            if (in.take(','))
                skip();
            else if (in.at_end())
                return true;
            else if (!apart)
                return in.expected("a space, a comma or the end");
        } while (true);
    }

    Cursor in;
};

Result<VersionRange> VersionRange::parse(std::string_view text) {
    Parser parser{Cursor(text)};
    VersionRange range;
    if (text.size() > longest)
        parser.in.expected("at most " + std::to_string(longest) + " bytes");
    if (text.size() > longest || !parser.read(range))
        return parser.in.error("version range",
                               "write it like 1.2.3, ^1.2, ~1.2.3, 1.x, * or \">=1.2 <2\"");
    return range;
}

bool VersionRange::contains(const SemanticVersion& version) const {
    const bool within =
        std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
            return condition.lower <= version && (!condition.upper || version < *condition.upper);
        });
    if (!within || version.pre_release.empty())
        return within;
    return std::any_of(named_.begin(), named_.end(), [&](const SemanticVersion& named) {
        return same_release(named, version);
    });
}

}  // namespace distributo::base
