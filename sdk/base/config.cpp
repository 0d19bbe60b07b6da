#include "base/config.hpp"

#include "base/config_file.hpp"
#include "base/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace distributo::base {
namespace {

constexpr std::string_view config_flag = "--config";

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> values;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (comma != 0)
            values.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return values;
}

std::string variable_name(std::string_view section, std::string_view flag) {
    std::string name = "DISTRIBUTO_" + std::string(section) + "_" + config_key(flag);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return name;
}

bool parse_integer(std::string_view text, std::int64_t& out) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc() && end == text.data() + text.size();
}

bool parse_boolean(std::string_view text, bool& out) {
    out = text == "true" || text == "1" || text == "yes" || text == "on";
    return out || text == "false" || text == "0" || text == "no" || text == "off";
}

/// What is wrong with a value, or nothing.
std::string complaint(const Option& option, const std::string& value) {
    const auto expected = [&value](const std::string& what) {
        return "expected " + what + ", got \"" + value + "\"";
    };
    std::int64_t number = 0;
    bool flag = false;
    switch (option.kind) {
        case Option::Kind::integer:
            if (!parse_integer(value, number))
                return expected("an integer");
            if ((option.min != 0 || option.max != 0) &&
                (number < option.min || number > option.max))
                return expected("an integer from " + std::to_string(option.min) + " to " +
                                std::to_string(option.max));
            return {};
        case Option::Kind::boolean:
            return parse_boolean(value, flag) ? "" : expected("true or false");
        case Option::Kind::duration:
            if (const auto duration = parse_duration(value); !duration)
                return duration.error().message;
            return {};
        case Option::Kind::size:
            if (const auto size = parse_size(value); !size)
                return size.error().message;
            return {};
        case Option::Kind::text:
        case Option::Kind::text_list:
        case Option::Kind::table:
            break;
    }
    if (option.choices.empty() ||
        std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end())
        return {};
    std::string words;
    for (const std::string& choice : option.choices)
        words += (words.empty() ? "" : ", ") + choice;
    return expected("one of " + words);
}

}  // namespace

Result<void> check_values(const Option& option,
                          const std::vector<std::string>& values,
                          const std::string& place) {
    for (const std::string& value : values) {
        const std::string wrong = complaint(option, value);
        if (wrong.empty())
            continue;
        const std::string near = nearest(value, option.choices);
        return error(Errc::invalid_argument,
                     place + ": " + wrong,
                     near.empty() ? "" : "did you mean '" + near + "'?");
    }
    return {};
}

namespace {

std::string help_left(const Option& option) {
    std::string left = "  " + option.flag;
    if (!option.value_name.empty() && option.kind != Option::Kind::boolean)
        left += " " + option.value_name;
    return left;
}

void print_help(const std::string& program,
                const std::string& section,
                const std::string& description,
                const std::vector<Option>& options) {
    std::size_t width = 0;
    for (const Option& option : options)
        width = std::max(width, help_left(option).size());
    const auto line = [width](std::string left, const std::string& right) {
        left.resize(std::max(left.size(), width), ' ');
        std::printf("%s  %s\n", left.c_str(), right.c_str());
    };
    const auto newline = description.find('\n');
    std::printf(
        "%s\n\nusage: %s [flags]\n", description.substr(0, newline).c_str(), program.c_str());
    std::string example = program;
    if (newline != std::string::npos) {
        example = description.substr(newline + 1);
    } else {
        const auto with_value = std::find_if(options.begin(), options.end(), [](const Option& o) {
            return o.kind != Option::Kind::boolean && !o.preset.empty();
        });
        if (with_value != options.end())
            example += " " + with_value->flag + " " + with_value->preset;
    }
    std::printf("example: %s\n\n", example.c_str());
    for (const Option& option : options) {
        std::string right = option.help;
        for (const std::string& choice : option.choices)
            right += (&choice == &option.choices.front() ? ": " : ", ") + choice;
        if (option.kind == Option::Kind::text_list)
            right += " (repeatable)";
        else if (!option.preset.empty() && option.kind != Option::Kind::boolean)
            right += " (default " + option.preset + ")";
        line(help_left(option), right);
    }
    line("  --help", "this text");
    line("  --version", "the version");
    std::printf("\nEvery flag is also a key of [%s] in the file and a variable, for instance %s.\n",
                section.c_str(),
                variable_name(section, options.front().flag).c_str());
}

/// What argv says: the values of each option, by the option's index.
struct Arguments {
    std::vector<std::vector<std::string>> values;
    bool help = false;
    bool version = false;
};

Error unknown_argument(std::string argument,
                       const std::vector<Option>& options,
                       const std::string& program) {
    if (!argument.starts_with('-'))
        return error(Errc::invalid_argument,
                     "unexpected argument '" + argument + "'",
                     program + " --help lists the flags");
    argument.resize(std::min(argument.find('='), argument.size()));
    std::vector<std::string> flags{"--help", "--version"};
    for (const Option& option : options)
        flags.push_back(option.flag);
    const std::string near = nearest(argument, flags);
    return error(
        Errc::invalid_argument,
        "unknown flag '" + argument + "'",
        near.empty() ? program + " --help lists the flags" : "did you mean '" + near + "'?");
}

Result<Arguments> read_arguments(int argc,
                                 const char* const* argv,
                                 const std::vector<Option>& options,
                                 const std::string& program) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<CLI::Option*> parsed;
    for (const Option& option : options) {
        if (option.kind == Option::Kind::boolean) {
            parsed.push_back(app.add_flag(option.flag)->take_last());
        } else {
            CLI::Option* const added = app.add_option(option.flag);
            added->expected(1)->multi_option_policy(option.kind == Option::Kind::text_list
                                                        ? CLI::MultiOptionPolicy::TakeAll
                                                        : CLI::MultiOptionPolicy::TakeLast);
            added->allow_extra_args(false);
            parsed.push_back(added);
        }
    }
    const CLI::Option* const help = app.add_flag("-h,--help");
    const CLI::Option* const version = app.add_flag("--version");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ArgumentMismatch& failure) {
        const std::string text = failure.what();
        return error(Errc::invalid_argument,
                     text.substr(0, text.find(':')) + ": a value is missing",
                     program + " --help lists the flags");
    } catch (const CLI::ParseError& failure) {
        return error(Errc::invalid_argument, failure.what(), program + " --help lists the flags");
    }
    Arguments result;
    result.help = help->count() != 0;
    result.version = version->count() != 0;
    if (const auto extras = app.remaining(); !extras.empty() && !result.help)
        return unknown_argument(extras.front(), options, program);
    for (const CLI::Option* const option : parsed)
        result.values.push_back(option->results());
    return result;
}

}  // namespace

Config::Config(std::string section, std::string description, std::vector<Option> options)
    : section_(std::move(section)), description_(std::move(description)) {
    const bool has_config = std::any_of(options.begin(), options.end(), [](const Option& option) {
        return option.flag == config_flag;
    });
    if (!has_config) {
        Option option;
        option.flag = config_flag;
        option.value_name = "FILE";
        option.help = "read settings from FILE instead of /etc/distributo/" + section_ + ".toml";
        options.push_back(std::move(option));
    }
    for (Option& option : options) {
        Entry entry;
        if (option.kind == Option::Kind::text_list)
            entry.values = split_list(option.preset);
        else if (option.kind == Option::Kind::boolean && option.preset.empty())
            entry.values = {"false"};
        else
            entry.values = {option.preset};
        entry.option = std::move(option);
        entries_.push_back(std::move(entry));
    }
}

Result<void> Config::load(int argc, const char* const* argv, bool& proceed) {
    proceed = false;
    const std::string program =
        argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "distributo-" + section_;
    std::vector<Option> options;
    for (const Entry& entry : entries_)
        options.push_back(entry.option);
    const auto arguments = read_arguments(argc, argv, options, program);
    if (!arguments)
        return arguments.error();
    if (arguments->help) {
        print_help(program, section_, description_, options);
        return {};
    }
    if (arguments->version) {
        std::printf("%s %s\n", program.c_str(), std::string(version).c_str());
        return {};
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const std::string variable = variable_name(section_, options[i].flag);
        if (auto set = apply_text(entries_[i], arguments->values[i], variable); !set)
            return set;
    }
    if (auto read = apply_file(); !read)
        return read;
    proceed = true;
    return {};
}

/// Takes over a flag's values or else those of its variable.
Result<void> Config::apply_text(Entry& entry,
                                const std::vector<std::string>& flag_values,
                                const std::string& variable) {
    if (!flag_values.empty()) {
        entry.values = flag_values;
        entry.origin = Origin::flag;
        return check_values(entry.option, entry.values, entry.option.flag);
    }
    const char* const value = std::getenv(variable.c_str());
    if (!value)
        return {};
    entry.values = entry.option.kind == Option::Kind::text_list ? split_list(value)
                                                                : std::vector<std::string>{value};
    entry.origin = Origin::environment;
    return check_values(entry.option, entry.values, variable);
}

Result<void> Config::apply_file() {
    const Entry& chosen = entry(config_flag);
    const bool is_chosen = chosen.origin != Origin::preset && !chosen.values.front().empty();
    const std::string file =
        is_chosen ? chosen.values.front() : "/etc/distributo/" + section_ + ".toml";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        if (!is_chosen)
            return {};
        return error(Errc::invalid_argument, file + ": no such file");
    }
    file_ = file;
    std::vector<Option> options;
    for (const Entry& entry : entries_)
        if (entry.option.flag != config_flag)
            options.push_back(entry.option);
    auto values = read_config_file(file, section_, options);
    if (!values)
        return values.error();
    for (FileValue& value : *values) {
        Entry& target = entry(value.flag);
        if (target.origin != Origin::preset)
            continue;
        target.values = std::move(value.values);
        target.origin = Origin::file;
    }
    return {};
}

const Config::Entry& Config::entry(std::string_view flag) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [flag](const Entry& entry) {
        return entry.option.flag == flag;
    });
    if (found == entries_.end())
        throw std::logic_error("no option " + std::string(flag));
    return *found;
}

Config::Entry& Config::entry(std::string_view flag) {
    return const_cast<Entry&>(std::as_const(*this).entry(flag));
}

std::string Config::text(std::string_view flag) const {
    const Entry& found = entry(flag);
    return found.values.empty() ? std::string() : found.values.back();
}

std::int64_t Config::integer(std::string_view flag) const {
    std::int64_t number = 0;
    parse_integer(text(flag), number);
    return number;
}

bool Config::boolean(std::string_view flag) const {
    bool value = false;
    parse_boolean(text(flag), value);
    return value;
}

std::int64_t Config::milliseconds(std::string_view flag) const {
    const auto duration = parse_duration(text(flag));
    return duration ? *duration : 0;
}

std::vector<std::string> Config::list(std::string_view flag) const {
    return entry(flag).values;
}

Origin Config::origin(std::string_view flag) const {
    return entry(flag).origin;
}

}  // namespace distributo::base
