#include "folder.hpp"

#include "marks.hpp"
#include "support/files.hpp"
#include "support/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

namespace crawl {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t default_folder_depth = 100;

std::string folder_path(const std::string& text) {
    const fs::path path = fs::path(text).lexically_normal();
    if (!path.is_absolute() || text.find('\0') != text.npos) {
        throw distributo::permanent("payload.path: expected an absolute path, got \"" +
                                    text.substr(0, 200) + "\"");
    }
    return path.has_filename() || path == path.root_path() ? path.string()
                                                           : path.parent_path().string();
}

[[noreturn]] void fail(const std::string& path, const std::error_code& error) {
    throw support::file_failure("cannot list " + path, error.value());
}

/// Counts what stands in a folder; returns the names of the folders in it, sorted.
std::vector<std::string> list(FolderReport& report, const distributo::Task& task) {
    std::error_code error;
    fs::directory_iterator entries(report.path, error);
    std::vector<std::string> folders;
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        task.check();
        std::error_code vanished;  // between the listing and the question
        const fs::file_status status = entries->symlink_status(vanished);
        if (vanished || status.type() == fs::file_type::not_found) {
            continue;
        }
        if (status.type() == fs::file_type::directory) {
            ++report.folders;
            folders.push_back(entries->path().filename().string());
        } else if (status.type() == fs::file_type::regular) {
            const std::uintmax_t size = entries->file_size(vanished);
            ++report.files;
            report.bytes += vanished ? 0 : size;
        } else {
            ++report.others;
        }
    }
    if (error) {
        fail(report.path, error);
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

void follow(const FolderRequest& next,
            std::string_view address,
            std::string_view crawl,
            distributo::Task& task) {
    const std::string mark = mark_of(folder_type, crawl, address);
    task.emit(folder_type,
              next,
              {.dedupe_key = mark, .group = crawl, .priority = priority_of(*next.depth)});
}

}  // namespace

FolderReport visit_folder(const FolderRequest& request, distributo::Task& task) {
    FolderReport report;
    const std::string crawl = request.crawl.value_or("crawl");
    const std::uint32_t max_depth = request.max_depth.value_or(default_folder_depth);
    report.path = folder_path(request.path);
    report.depth = request.depth.value_or(0);
    require_limits(crawl, std::max(max_depth, report.depth));

    const std::vector<std::string> folders = list(report, task);
    if (request.after) {
        report.files = report.bytes = report.folders = report.others = 0;
    }
    if (report.depth >= max_depth) {
        return report;
    }
    FolderRequest next = request;
    next.crawl = crawl;
    Room room;
    std::string last = request.after.value_or("");
    for (const std::string& name : folders) {
        if (request.after && name <= *request.after) {
            continue;
        }
        const std::string path = (fs::path(report.path) / name).string();
        if (!support::is_utf8(path)) {
            task.warn("a folder is left out, since its name is not UTF-8");
            continue;
        }
        // One of them may be needed for the rest.
        if (report.followed + 1 == max_follow_ups || !room.take(2 * path.size() + 2 * max_name)) {
            next.path = report.path;
            next.after = last;
            next.depth = report.depth;
            follow(next, report.path + "/ after " + last, crawl, task);
            break;
        }
        next.path = path;
        next.after.reset();
        next.depth = report.depth + 1;
        follow(next, path, crawl, task);
        last = name;
        ++report.followed;
    }
    return report;
}

}  // namespace crawl
