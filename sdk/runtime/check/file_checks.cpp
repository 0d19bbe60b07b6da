#include "runtime/check/file_checks.hpp"

#include "runtime/elf_file.hpp"
#include "wire/json.hpp"

#include <distributo/abi.h>

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <gnu/libc-version.h>
#include <iterator>
#include <sstream>
#include <sys/auxv.h>
#include <sys/stat.h>

namespace distributo::runtime::check {
namespace {

namespace fs = std::filesystem;

constexpr const char* use_the_function =
    "distributo_add_plugin() and 'pkg-config --variable=plugin_ldflags distributo' link it right";

/// More thread-locals than this in static TLS, and the next library may find no room (glibc keeps
/// 1 664 bytes for all that are loaded later).
constexpr std::uint64_t most_static_tls = 64;

Verdict regular(const PluginFile& file) {
    struct stat about {};
    if (stat(file.path.c_str(), &about) != 0)
        return Verdict::failed(std::string("cannot be read: ") + std::strerror(errno));
    if (!S_ISREG(about.st_mode))
        return Verdict::failed("is not a regular file");
    if (about.st_size == 0)
        return Verdict::failed("is empty");
    return Verdict::ok(std::to_string(about.st_size) + " bytes");
}

Verdict permissions(const PluginFile& file) {
    struct stat about {};
    if (stat(file.path.c_str(), &about) != 0 || (about.st_mode & S_IWOTH) == 0)
        return Verdict::ok();
    return Verdict::failed("everybody on this machine may write it: what it runs is up to them",
                           "chmod o-w " + file.path.string());
}

Verdict elf(const PluginFile& file) {
    constexpr std::size_t head = 64;
    const std::string_view content = file.content;
    if (auto checked = check_elf(content.substr(0, head), content.size()); !checked)
        return Verdict::failed(checked.error().message, checked.error().hint);
    return Verdict::ok();
}

Verdict manifest(const PluginFile& file) {
    const fs::path place = manifest_of(file.path);
    std::ifstream in(place, std::ios::binary);
    if (!in)
        return Verdict::skipped("there is no " + place.filename().string());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    wire::json::Reader reader(text);
    std::string digest;
    if (reader.begin_object())
        for (std::string_view key; reader.next_member(key);) {
            wire::json::Value value;
            if (!reader.value(value))
                break;
            if (key == "sha256")
                digest = value.string().value_or("");
        }
    const std::string again = "write it anew with --manifest " + place.string();
    if (reader.failed() || digest.empty())
        return Verdict::failed(place.filename().string() + " is no manifest", again);
    if (digest != file.digest)
        return Verdict::failed(place.filename().string() + " is of another build", again);
    return Verdict::ok();
}

/// distributo_module_v1 and its successors: a library may be a plugin for several majors.
bool is_entry(std::string_view name) {
    constexpr std::string_view prefix = "distributo_module_v";
    return name.starts_with(prefix) &&
           name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

Verdict exports(const ElfImage& image) {
    std::string others;
    std::size_t count = 0;
    bool entry = false;
    for (const auto& symbol : image.exports) {
        entry |= symbol.name == DTO_ENTRY_SYMBOL;
        if (symbol.unique || is_entry(symbol.name))  // unique ones have their own check
            continue;
        constexpr std::size_t shown = 3;
        if (count++ < shown)
            others += (others.empty() ? "" : ", ") + symbol.name;
    }
    if (!entry)
        return Verdict::failed(
            "does not export " DTO_ENTRY_SYMBOL,
            count == 0 ? "define it with DTO_EXPORT and extern \"C\"" : "it exports " + others);
    if (count == 0)
        return Verdict::ok();
    return Verdict::failed("exports " + std::to_string(count) + " symbol(s) more: " + others,
                           use_the_function);
}

Verdict unique(const ElfImage& image) {
    const auto at = std::find_if(image.exports.begin(),
                                 image.exports.end(),
                                 [](const auto& symbol) { return symbol.unique; });
    if (at == image.exports.end())
        return Verdict::ok();
    return Verdict::failed(
        at->name + " is unique in the whole process: two versions of the plugin would share it",
        use_the_function);
}

Verdict run_path(const ElfImage& image) {
    if (image.run_paths.empty())
        return Verdict::ok();
    for (const std::string& path : image.run_paths)
        if (path.starts_with("/usr/") || path.starts_with("/lib") || path.starts_with("/opt/"))
            continue;
        else if (path.starts_with("$ORIGIN"))
            return Verdict::failed(
                "looks for libraries in " + path,
                "hosts load a private copy from another folder; link such a library statically");
        else
            return Verdict::failed(
                "looks for libraries in \"" + path + "\", which only this machine has",
                "link without -rpath (CMake: SKIP_BUILD_RPATH ON)");
    return Verdict::ok();
}

/// "2.34" as a number that compares.
std::vector<int> parts(std::string_view version) {
    std::vector<int> numbers;
    std::istringstream in{std::string(version)};
    for (std::string part; std::getline(in, part, '.');)
        numbers.push_back(std::atoi(part.c_str()));
    return numbers;
}

Verdict versions(const ElfImage& image) {
    const std::string here = gnu_get_libc_version();
    if (parts(image.glibc) > parts(here))
        return Verdict::failed("needs glibc " + image.glibc + ", here is " + here,
                               "build it on the oldest system that it is meant for");
    std::string seen = image.glibc.empty() ? "" : "glibc " + image.glibc;
    if (!image.libstdcxx.empty())
        seen += (seen.empty() ? "libstdc++ " : ", libstdc++ ") + image.libstdcxx;
    return Verdict::ok(seen);
}

Verdict static_tls(const ElfImage& image) {
    if (!image.static_tls || image.tls_size <= most_static_tls)
        return Verdict::ok();
    return Verdict::failed(
        "its " + std::to_string(image.tls_size) +
            " bytes of thread-locals need static TLS, of which a process has little",
        "compile without -ftls-model=initial-exec");
}

Verdict simple(bool holds, const char* why, const char* hint) {
    return holds ? Verdict::ok() : Verdict::failed(why, hint);
}

Verdict check_image(std::string_view id, const ElfImage& image) {
    if (id == "elf.exports")
        return exports(image);
    if (id == "elf.unique")
        return unique(image);
    if (id == "elf.text_relocations")
        return simple(!image.text_relocations,
                      "its code has to be changed when it is loaded",
                      "compile everything with -fPIC, and link with -z text");
    if (id == "elf.stack")
        return simple(!image.executable_stack,
                      "makes the stack of its process executable",
                      "link with -z noexecstack; assembler files need .section .note.GNU-stack");
    if (id == "elf.bind_now")
        return simple(image.bind_now,
                      "a missing symbol would end a task, not the loading",
                      "link with -Wl,-z,now");
    if (id == "elf.relro")
        return simple(image.relro,
                      "the addresses of the functions that it calls stay writable",
                      "link with -Wl,-z,relro");
    if (id == "elf.run_path")
        return run_path(image);
    if (id == "elf.versions")
        return versions(image);
    if (id == "elf.static_tls")
        return static_tls(image);
    return Verdict::ok(std::to_string(image.needed.size()) + " libraries needed");
}

}  // namespace

Verdict check_file(std::string_view id, const PluginFile& file) {
    if (id == "file.regular")
        return regular(file);
    if (id == "file.permissions")
        return permissions(file);
    if (id == "file.elf")
        return elf(file);
    if (id == "file.manifest")
        return manifest(file);
    if (!file.image)
        return Verdict::failed(file.image.error().message, file.image.error().hint);
    return check_image(id, *file.image);
}

Verdict judge_listing(std::string_view output, bool clean, std::string_view how) {
    std::string missing;
    std::istringstream lines{std::string(output)};
    for (std::string line; std::getline(lines, line);)
        if (const auto at = line.find(" => not found"); at != std::string::npos) {
            const auto from = line.find_first_not_of(" \t");
            missing += (missing.empty() ? "" : ", ") + line.substr(from, at - from);
        }
    if (!missing.empty())
        return Verdict::failed("needs " + missing + ", which is not installed here",
                               "install it on every host, or link it statically");
    if (!clean)
        return Verdict::failed("the loader " + std::string(how) + ": " +
                               std::string(output.substr(0, output.find('\n'))));
    return Verdict::ok();
}

fs::path loader_program() {
    Dl_info about{};
    const auto base = getauxval(AT_BASE);
    return base != 0 && dladdr(reinterpret_cast<const void*>(base), &about) != 0
               ? fs::path(about.dli_fname)
               : fs::path();
}

fs::path manifest_of(const fs::path& plugin) {
    fs::path place = plugin;
    return place.replace_extension(".manifest.json");
}

}  // namespace distributo::runtime::check
