#include "coordinator/cli/source_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace distributo::coordinator::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t changes =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE;
constexpr int quiet_ms = 50;  // an editor that saves makes several changes

}  // namespace

bool is_source(const fs::path& file) {
    static constexpr std::string_view extensions[] = {".c",
                                                      ".cc",
                                                      ".cpp",
                                                      ".cxx",
                                                      ".h",
                                                      ".hh",
                                                      ".hpp",
                                                      ".rs",
                                                      ".json",
                                                      ".txt",
                                                      ".map",
                                                      ".toml",
                                                      ".in",
                                                      ".cmake",
                                                      ".inc"};
    const std::string name = file.filename().string();
    if (name.empty() || name.front() == '.' || name.front() == '#')
        return false;
    const std::string extension = file.extension().string();
    return name == "Makefile" ||
           std::find(std::begin(extensions), std::end(extensions), extension) !=
               std::end(extensions);
}

bool holds_sources(const std::string& folder_name) {
    return !folder_name.starts_with('.') && !folder_name.starts_with("build") &&
           folder_name != "target" && folder_name != "CMakeFiles";
}

base::Result<SourceWatch> SourceWatch::start(const fs::path& folder) {
    runtime::Descriptor notify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!notify.ok())
        return base::error(base::Errc::io,
                           std::string("cannot watch files: ") + std::strerror(errno),
                           "sysctl fs.inotify.max_user_instances");
    SourceWatch watch(std::move(notify));
    watch.add(folder);
    if (watch.folders_.empty())
        return base::error(base::Errc::io,
                           "cannot watch " + folder.string() + ": " + std::strerror(errno));
    return watch;
}

void SourceWatch::add(const fs::path& folder) {
    const int number = inotify_add_watch(notify_.get(), folder.c_str(), changes | IN_ONLYDIR);
    if (number < 0)
        return;
    folders_[number] = folder;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.is_directory(ignored) && holds_sources(entry.path().filename().string()))
            add(entry.path());
}

int SourceWatch::ready(int milliseconds) const {
    pollfd one{.fd = notify_.get(), .events = POLLIN, .revents = 0};
    return poll(&one, 1, milliseconds);
}

void SourceWatch::read_events(std::vector<std::string>& changed) {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer;
    const ssize_t got = read(notify_.get(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at < got;) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const std::string name =
            event.len == 0 ? std::string() : std::string(buffer.data() + at + sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
        const fs::path file = folders_[event.wd] / name;
        if ((event.mask & IN_ISDIR) != 0) {
            if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 && holds_sources(name))
                add(file);
            continue;
        }
        // A file that was only created has no content yet.
        if ((event.mask & IN_CREATE) == 0 && is_source(name) &&
            std::find(changed.begin(), changed.end(), name) == changed.end())
            changed.push_back(name);
    }
}

std::vector<std::string> SourceWatch::wait() {
    std::vector<std::string> changed;
    while (changed.empty()) {
        if (ready(-1) < 0)
            return {};
        read_events(changed);
    }
    while (ready(quiet_ms) > 0)
        read_events(changed);
    return changed;
}

}  // namespace distributo::coordinator::cli
