#pragma once

#include <distributo/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crawl {

constexpr std::string_view folder_type = "crawl.folder";

/// Payload of crawl.folder. What is absent has the default of the README.
struct FolderRequest {
    std::string path;
    std::optional<std::string> crawl;  ///< name of the whole crawl
    std::optional<std::uint32_t> max_depth;
    std::optional<std::uint32_t> depth;  ///< set in follow-ups
    std::optional<std::string> after;    ///< set in follow-ups: only emit the folders behind this
};
BOOST_DESCRIBE_STRUCT(FolderRequest, (), (path, crawl, max_depth, depth, after))

/// Result of crawl.folder: what stands directly in the folder. All 0 when `after` was given, for
/// the first task of a folder has counted it.
struct FolderReport {
    std::string path;
    std::uint32_t depth = 0;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;  ///< of the files, as their sizes say
    std::uint64_t folders = 0;
    std::uint64_t others = 0;    ///< symbolic links, which are not followed, devices and the like
    std::uint64_t followed = 0;  ///< how many folders became follow-up tasks
};
BOOST_DESCRIBE_STRUCT(FolderReport, (), (path, depth, files, bytes, folders, others, followed))

/// Lists one folder and emits a follow-up for each folder in it, and one for the rest when there
/// are too many. Throws Failure and Cancelled.
[[nodiscard]] FolderReport visit_folder(const FolderRequest& request, distributo::Task& task);

}  // namespace crawl
