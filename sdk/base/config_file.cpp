#include "base/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <string_view>

namespace distributo::base {
namespace {

/// A file may serve several programs.
constexpr std::string_view known_tables[] = {"coordinator", "host", "distributo", "plugin"};
/// Each may be there many times.
constexpr std::string_view known_arrays[] = {"generator", "sink"};

bool is_array_of_tables(const toml::node& node) {
    return node.is_array_of_tables() || (node.is_array() && node.as_array()->empty());
}

std::string place_of(const std::string& file, const toml::source_region& region) {
    return file + ":" + std::to_string(region.begin.line) + ":" +
           std::to_string(region.begin.column);
}

std::string text_of(const toml::node& node) {
    std::ostringstream out;
    node.visit([&out](const auto& value) { out << value; });
    return out.str();
}

std::string_view kind_name(Option::Kind kind) {
    switch (kind) {
        case Option::Kind::integer:
            return "an integer";
        case Option::Kind::boolean:
            return "true or false";
        case Option::Kind::duration:
            return "a duration in quotes, such as \"10s\"";
        case Option::Kind::size:
            return "a size in quotes, such as \"512MiB\"";
        case Option::Kind::text_list:
            return "a list of strings";
        case Option::Kind::table:
            return "a table";
        case Option::Kind::text:
            break;
    }
    return "a string";
}

std::string json_of(const toml::table& table) {
    std::ostringstream out;
    out << toml::json_formatter(
        table, toml::json_formatter::default_flags & ~toml::format_flags::indentation);
    return out.str();
}

/// The values of one key in text form; empty when they are not of that kind.
std::vector<std::string> values_of(const toml::node& node, Option::Kind kind, bool& fits) {
    fits = true;
    if (kind == Option::Kind::integer && node.is_integer())
        return {std::to_string(node.as_integer()->get())};
    if (kind == Option::Kind::boolean && node.is_boolean())
        return {node.as_boolean()->get() ? "true" : "false"};
    if (kind == Option::Kind::size && node.is_integer())
        return {std::to_string(node.as_integer()->get())};
    const bool is_text =
        kind == Option::Kind::text || kind == Option::Kind::duration || kind == Option::Kind::size;
    if (is_text && node.is_string())
        return {node.as_string()->get()};
    if (kind == Option::Kind::table && node.is_table())
        return {json_of(*node.as_table())};
    if (kind == Option::Kind::text_list && node.is_array()) {
        std::vector<std::string> values;
        for (const toml::node& element : *node.as_array()) {
            fits = fits && element.is_string();
            if (fits)
                values.push_back(element.as_string()->get());
        }
        return values;
    }
    fits = false;
    return {};
}

Result<toml::table> parse_toml(const std::string& file) {
    try {
        return toml::parse_file(file);
    } catch (const toml::parse_error& failure) {
        if (failure.source().begin.line == 0)
            return error(Errc::invalid_argument, file + ": cannot be read");
        return error(Errc::invalid_argument,
                     place_of(file, failure.source()) + ": " + std::string(failure.description()));
    }
}

class FileReader {
public:
    FileReader(const std::string& file,
               const std::string& section,
               const std::vector<Option>& options)
        : file_(file), section_(section), options_(options) {}

    Result<std::vector<FileValue>> read() {
        if (auto parsed = parse(); !parsed)
            return parsed.error();
        const toml::table* const table = root_[section_].as_table();
        return table ? read_table(*table, "[" + section_ + "]") : std::vector<FileValue>();
    }

    Result<std::vector<FileTable>> read_below() {
        if (auto parsed = parse(); !parsed)
            return parsed.error();
        std::vector<FileTable> tables(1);
        const toml::table* const parent = root_[section_].as_table();
        if (!parent)
            return tables;
        auto direct = read_table(*parent, "[" + section_ + "]", true);
        if (!direct)
            return direct.error();
        tables.front().values = std::move(*direct);
        for (const auto& [key, node] : *parent) {
            if (!node.is_table())
                continue;
            const std::string name(key.str());
            auto values = read_table(*node.as_table(), "[" + section_ + "." + name + "]");
            if (!values)
                return values.error();
            tables.push_back({name, std::move(*values)});
        }
        return tables;
    }

    Result<std::vector<FileObject>> read_objects(const std::string& name) {
        if (auto parsed = parse(); !parsed)
            return parsed.error();
        std::vector<FileObject> objects;
        const toml::array* const array = root_[name].as_array();
        if (!array)
            return objects;
        for (const toml::node& node : *array) {
            FileObject& object = objects.emplace_back();
            object.json = json_of(*node.as_table());
            object.place = place_of(file_, node.source());
            note_places(*node.as_table(), {}, object);
        }
        return objects;
    }

private:
    void note_places(const toml::table& table,
                     const std::string& pointer,
                     FileObject& object) const {
        for (const auto& [key, node] : table) {
            const std::string here = pointer + '/' + std::string(key.str());
            object.places.emplace_back(here, place_of(file_, key.source()));
            if (node.is_table())
                note_places(*node.as_table(), here, object);
        }
    }

    Result<void> parse() {
        auto parsed = parse_toml(file_);
        if (!parsed)
            return parsed.error();
        root_ = std::move(*parsed);
        for (const auto& [key, node] : root_) {
            if (auto checked = check_table(key, node); !checked)
                return checked.error();
        }
        return {};
    }

    Result<std::vector<FileValue>> read_table(const toml::table& table,
                                              const std::string& title,
                                              bool skip_tables = false) const {
        std::vector<FileValue> values;
        for (const auto& [key, node] : table) {
            if (skip_tables && node.is_table())
                continue;
            auto value = read_key(key, node, title);
            if (!value)
                return value.error();
            for (const FileValue& other : values)
                if (other.flag == value->flag)
                    return error(Errc::invalid_argument,
                                 value->place + ": is there twice, with a hyphen and without");
            values.push_back(std::move(*value));
        }
        return values;
    }

    Result<void> check_table(const toml::key& key, const toml::node& node) const {
        const std::string place = place_of(file_, key.source()) + ": ";
        const bool is_array = std::ranges::find(known_arrays, key.str()) != std::end(known_arrays);
        if (is_array && is_array_of_tables(node))
            return {};
        if (is_array)
            return error(Errc::invalid_argument,
                         place + "expected [[" + std::string(key.str()) + "]], a table for each");
        if (!node.is_table())
            return error(Errc::invalid_argument,
                         place + "key '" + std::string(key.str()) + "' stands outside of a table",
                         "put it below [" + section_ + "]");
        std::vector<std::string> tables(std::begin(known_tables), std::end(known_tables));
        tables.insert(tables.end(), std::begin(known_arrays), std::end(known_arrays));
        tables.push_back(section_);
        if (std::find(tables.begin(), tables.end(), key.str()) != tables.end())
            return {};
        const std::string near = nearest(key.str(), tables);
        return error(Errc::invalid_argument,
                     place + "unknown table [" + std::string(key.str()) + "]",
                     near.empty() ? "expected [" + section_ + "]" : "did you mean [" + near + "]?");
    }

    Result<FileValue> read_key(const toml::key& key,
                               const toml::node& node,
                               const std::string& title) const {
        const std::string name = config_key(key.str());
        const auto option =
            std::find_if(options_.begin(), options_.end(), [&](const Option& known) {
                return config_key(known.flag) == name;
            });
        if (option == options_.end())
            return unknown_key(key, title);
        FileValue value;
        value.flag = option->flag;
        value.place = place_of(file_, node.source()) + ": " + name;
        bool fits = false;
        value.values = values_of(node, option->kind, fits);
        if (!fits)
            return error(Errc::invalid_argument,
                         value.place + ": expected " + std::string(kind_name(option->kind)) +
                             ", got " + text_of(node));
        if (auto good = check_values(*option, value.values, value.place); !good)
            return good.error();
        return value;
    }

    [[nodiscard]] Error unknown_key(const toml::key& key, const std::string& title) const {
        std::vector<std::string> names;
        for (const Option& option : options_)
            names.push_back(config_key(option.flag));
        const std::string near = nearest(key.str(), names);
        return error(Errc::invalid_argument,
                     place_of(file_, key.source()) + ": unknown key '" + std::string(key.str()) +
                         "' in " + title,
                     near.empty() ? "" : "did you mean '" + near + "'?");
    }

    const std::string& file_;
    const std::string& section_;
    const std::vector<Option>& options_;
    toml::table root_;
};

}  // namespace

std::string config_key(std::string_view flag) {
    std::string key(flag.substr(std::min(flag.find_first_not_of('-'), flag.size())));
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

Result<std::vector<FileValue>> read_config_file(const std::string& file,
                                                const std::string& section,
                                                const std::vector<Option>& options) {
    return FileReader(file, section, options).read();
}

Result<std::vector<FileTable>> read_config_tables(const std::string& file,
                                                  const std::string& section,
                                                  const std::vector<Option>& options) {
    return FileReader(file, section, options).read_below();
}

Result<std::string> read_toml_as_json(const std::string& file) {
    auto table = parse_toml(file);
    if (!table)
        return table.error();
    return json_of(*table);
}

std::string FileObject::place_of(std::string_view pointer) const {
    for (; !pointer.empty(); pointer = pointer.substr(0, pointer.rfind('/')))
        for (const auto& [known, where] : places)
            if (known == pointer)
                return where;
    return place;
}

Result<std::vector<FileObject>> read_config_objects(const std::string& file,
                                                    const std::string& section,
                                                    const std::string& name) {
    const std::vector<Option> none;
    return FileReader(file, section, none).read_objects(name);
}

}  // namespace distributo::base
