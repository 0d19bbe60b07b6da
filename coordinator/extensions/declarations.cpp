#include "base/config_file.hpp"
#include "coordinator/extensions/definition_json.hpp"
#include "coordinator/extensions/make_extensions.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace distributo::coordinator::extensions {
namespace {

base::Result<Declaration> declaration(ExtensionKind kind,
                                      const base::FileObject& table,
                                      const std::filesystem::path& folder) {
    auto read = read_definition(kind, table.json);
    if (!read) {
        auto error = to_error(read.error());
        return base::error(
            error.code, table.place_of(read.error().pointer) + ": " + error.message, error.hint);
    }
    if (read->name.empty())
        return base::error(base::Errc::invalid_argument,
                           table.place + ": name: required, but not there",
                           "what it has done is remembered by its name");
    if (read->directory.empty())
        read->directory = folder.native();
    return Declaration{std::move(*read), table.place};
}

}  // namespace

base::Result<std::vector<Declaration>> read_declarations(const std::string& file) {
    std::vector<Declaration> all;
    const auto folder = std::filesystem::absolute(file).lexically_normal().parent_path();
    for (const auto kind : {ExtensionKind::generator, ExtensionKind::sink}) {
        const auto* const name = kind == ExtensionKind::generator ? "generator" : "sink";
        const auto tables = base::read_config_objects(file, "coordinator", name);
        if (!tables)
            return tables.error();
        for (const auto& table : *tables) {
            auto made = declaration(kind, table, folder);
            if (!made)
                return made.error();
            const auto& own = made->definition;
            const auto same = std::ranges::find_if(all, [&](const Declaration& other) {
                return other.definition.kind == own.kind && other.definition.name == own.name;
            });
            if (same != all.end())
                return base::error(base::Errc::invalid_argument,
                                   made->place + ": there is a " + name + " '" + own.name +
                                       "' already, at " + same->place);
            all.push_back(std::move(*made));
        }
    }
    return all;
}

}  // namespace distributo::coordinator::extensions
