#include "base/config.hpp"
#include "base/version.hpp"
#include "coordinator/cli/child.hpp"
#include "coordinator/cli/plugin_options.hpp"

#include <distributo/abi.h>

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace distributo::coordinator::cli {

namespace fs = std::filesystem;
using base::Errc;

namespace {

/// What stands for the plugin's name in a template's file names and texts.
constexpr std::string_view name_token = "@NAME@";

enum class Build : std::uint8_t { cmake, make, none };

/// A folder below templates/, and the language that it is the first choice for; empty: none.
struct Template {
    std::string_view language, folder;
    Build build;
};
constexpr Template templates[] = {{"c++", "task-cpp", Build::cmake},
                                  {"c", "task-c", Build::cmake},
                                  {"rust", "task-rust", Build::make},
                                  {"python", "task-python", Build::none},
                                  {"", "generator-cpp", Build::cmake},
                                  {"", "sink-cpp", Build::cmake}};

base::Result<Template> choose_template(const PluginNewOptions& options) {
    std::string languages;
    std::string folders;
    for (const Template& one : templates) {
        const bool by_language = options.folder.empty() && !one.language.empty();
        if (by_language ? one.language == options.language : one.folder == options.folder)
            return one;
        if (!one.language.empty())
            languages += (languages.empty() ? "--lang " : ", ") + std::string(one.language);
        folders += (folders.empty() ? "--template " : ", ") + std::string(one.folder);
    }
    if (options.folder.empty())
        return base::error(Errc::invalid_argument,
                           "there is no template for the language \"" + options.language + "\"",
                           languages);
    return base::error(
        Errc::invalid_argument, "there is no template \"" + options.folder + "\"", folders);
}

base::Result<fs::path> find_template(std::string_view name) {
    for (const char* place : {"../share/distributo/templates",  // installed
                              "../../../templates"}) {          // build tree
        std::error_code failed;
        const fs::path folder = fs::weakly_canonical(program_folder() / place / name, failed);
        if (!failed && fs::is_directory(folder))
            return folder;
    }
    return base::error(Errc::not_found,
                       "the template " + std::string(name) + " is not installed",
                       "install the SDK component: cmake --install build/release --component sdk");
}

std::string with_name(std::string text, const std::string& name) {
    for (auto at = text.find(name_token); at != std::string::npos;
         at = text.find(name_token, at + name.size()))
        text.replace(at, name_token.size(), name);
    return text;
}

base::Result<void> copy_file(const fs::path& from, const fs::path& to, const std::string& name) {
    std::ifstream in(from, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    std::error_code failed;
    fs::create_directories(to.parent_path(), failed);
    std::ofstream out(to, std::ios::binary);
    out << with_name(std::move(text), name);
    out.close();
    if (!in || !out)
        return base::error(Errc::io, "cannot write " + to.string());
    return {};
}

base::Result<void> check_name(const std::string& name) {
    const bool good = !name.empty() && name.size() <= 40 && name.front() >= 'a' &&
                      name.front() <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                      });
    if (good)
        return {};
    return base::error(Errc::invalid_argument,
                       "a plugin's name is 1 to 40 lower-case letters, digits and '_', beginning "
                       "with a letter; got \"" +
                           name + "\"",
                       "distributo plugin new word_count");
}

/// What to type next, for a plugin that was just made.
std::string next_step(Build how, const std::string& name) {
    const fs::path build = program_folder().parent_path();
    const bool in_build_tree = fs::exists(build / "CMakeCache.txt");
    if (how == Build::none)
        return "cd " + name + " && " +
               (in_build_tree ? "DISTRIBUTO=" + (program_folder() / "distributo").string() + " "
                              : "") +
               "python3 -m unittest discover -s tests -p '*_test.py'";
    if (how == Build::make)
        return "cd " + name + " && make && make test && make check" +
               (in_build_tree ? " DISTRIBUTO=" + (program_folder() / "distributo").string() : "");
    // From the build tree the SDK is not where CMake looks by itself.
    return "cd " + name + " && cmake -B build -G Ninja" +
           (in_build_tree ? " -DDistributo_ROOT=" + build.string() : "") +
           " && cmake --build build && ctest --test-dir build";
}

std::string abi_version() {
    return std::to_string(DTO_ABI_MAJOR) + '.' + std::to_string(DTO_ABI_MINOR);
}

}  // namespace

CommandResult plugin_new(const Context& context, const PluginNewOptions& options) {
    const std::string& name = options.name;
    if (auto good = check_name(name); !good)
        return good.error();
    const auto chosen = choose_template(options);
    if (!chosen)
        return chosen.error();
    auto source = find_template(chosen->folder);
    if (!source)
        return source.error();
    if (fs::exists(name))
        return base::error(Errc::conflict, name + " exists already", "choose another name");

    std::vector<std::string> created;
    for (const auto& entry : fs::recursive_directory_iterator(*source)) {
        if (!entry.is_regular_file())
            continue;
        const std::string relative = with_name(fs::relative(entry.path(), *source).string(), name);
        if (auto copied = copy_file(entry.path(), fs::path(name) / relative, name); !copied)
            return copied.error();
        created.push_back(relative);
    }
    std::sort(created.begin(), created.end());
    if (context.mode == OutputMode::json) {
        boost::json::array files(created.begin(), created.end());
        print(boost::json::serialize(boost::json::object{{"folder", name}, {"files", files}}));
        return base::exit_code::ok;
    }
    if (context.mode == OutputMode::quiet) {
        print(name);
        return base::exit_code::ok;
    }
    print("created " + name + "/");
    for (const std::string& file : created)
        print("  " + file);
    print("next:  " + next_step(chosen->build, name));
    return base::exit_code::ok;
}

CommandResult version(const Context& context) {
    if (context.mode == OutputMode::json)
        print(boost::json::serialize(boost::json::object{
            {"version", base::version}, {"abi", abi_version()}, {"protocol", 1}}));
    else if (context.mode == OutputMode::quiet)
        print(base::version);
    else
        print(std::string("distributo ") + base::version + " · plugin ABI " + abi_version() +
              " · host protocol 1");
    return base::exit_code::ok;
}

}  // namespace distributo::coordinator::cli
