#pragma once

#include "runtime/check/elf_image.hpp"
#include "runtime/check/verdict.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace distributo::runtime::check {

/// A plugin's file and what is known about it without running it.
struct PluginFile {
    std::filesystem::path path;
    std::string content;
    std::string digest;  ///< SHA-256 of the content
    base::Result<ElfImage> image = base::error(base::Errc::internal, "was not read");
};

/// Runs one of the checks of the catalog that need no process, by its id.
[[nodiscard]] Verdict check_file(std::string_view id, const PluginFile& file);

/// Whether the loader finds what the library needs; `output` and `how` of `ld.so --list`.
[[nodiscard]] Verdict judge_listing(std::string_view output, bool clean, std::string_view how);

/// The program that loads shared libraries here, as ld-linux-x86-64.so.2.
[[nodiscard]] std::filesystem::path loader_program();

/// Path of the manifest beside a plugin: NAME.manifest.json.
[[nodiscard]] std::filesystem::path manifest_of(const std::filesystem::path& plugin);

}  // namespace distributo::runtime::check
