#include "runtime/plugin_watch.hpp"

#include "base/log.hpp"
#include "runtime/plugin_cache.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace log = base::log;

/// A linker, a copy or a package manager makes several events per file; the report follows when
/// they have been quiet for this long, but never later than the second time after the first of
/// them.
constexpr auto quiet_time = std::chrono::milliseconds(60);
constexpr auto longest_wait = std::chrono::milliseconds(250);
/// Who sets nothing but the time of a file modifies it as well, as inotify sees it, and never
/// closes it.
constexpr auto writer_patience = std::chrono::seconds(5);
constexpr auto missing_folder_period = std::chrono::seconds(2);

constexpr std::uint32_t watched_events = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |
                                         IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
                                         IN_ONLYDIR | IN_EXCL_UNLINK;

/// A new name with content already in it: a symbolic or hard link. Nobody will close it.
bool is_link(const fs::path& file) {
    struct stat status {};
    return ::lstat(file.c_str(), &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

}  // namespace

PluginWatch::PluginWatch(asio::io_context& io,
                         std::vector<fs::path> folders,
                         std::function<void(const PluginChanges&)> on_change)
    : on_change_(std::move(on_change)),
      folders_(std::move(folders)),
      descriptor_(io),
      settle_timer_(io),
      missing_timer_(io) {}

base::Result<void> PluginWatch::start() {
    const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0)
        return base::error(base::Errc::io,
                           std::string("cannot watch the plugin folders: ") + std::strerror(errno),
                           "raise fs.inotify.max_user_instances");
    descriptor_.assign(descriptor);
    watch_folders();
    receive();
    rescan();
    return {};
}

void PluginWatch::watch_folders() {
    bool missing = false;
    for (const auto& folder : folders_) {
        const bool watched = std::ranges::any_of(folder_of_watch_,
                                                 [&](const auto& w) { return w.second == folder; });
        if (watched)
            continue;
        const int watch =
            ::inotify_add_watch(descriptor_.native_handle(), folder.c_str(), watched_events);
        if (watch < 0) {
            missing = true;
            continue;
        }
        folder_of_watch_[watch] = folder;
    }
    if (missing)
        look_for_missing_folders();
}

void PluginWatch::look_for_missing_folders() {
    missing_timer_.expires_after(missing_folder_period);
    missing_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;
        watch_folders();
        rescan();
    });
}

void PluginWatch::receive() {
    descriptor_.async_wait(
        asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
            if (error)
                return;
            alignas(inotify_event) std::array<char, 16 * 1024> buffer;
            for (;;) {
                const auto length =
                    ::read(descriptor_.native_handle(), buffer.data(), buffer.size());
                if (length <= 0)
                    break;
                for (const char* at = buffer.data(); at < buffer.data() + length;) {
                    const auto* event = reinterpret_cast<const inotify_event*>(at);
                    on_event(event->wd, event->mask, event->len > 0 ? event->name : "");
                    at += sizeof(inotify_event) + event->len;
                }
            }
            receive();
        });
}

void PluginWatch::on_event(int watch, std::uint32_t mask, const std::string& name) {
    if ((mask & IN_Q_OVERFLOW) != 0) {
        being_written_.clear();
        return settle();
    }
    const auto folder = folder_of_watch_.find(watch);
    if (folder == folder_of_watch_.end())
        return;
    if ((mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        if ((mask & IN_MOVE_SELF) != 0)
            ::inotify_rm_watch(descriptor_.native_handle(), watch);
        folder_of_watch_.erase(folder);
        look_for_missing_folders();
        return settle();
    }
    if (!is_plugin_file(name))
        return;
    const auto file = folder->second / name;
    if ((mask & IN_MODIFY) != 0 || ((mask & IN_CREATE) != 0 && !is_link(file)))
        being_written_[file] = std::chrono::steady_clock::now();
    else
        being_written_.erase(file);
    touched_.insert(file);
    settle();
}

void PluginWatch::settle() {
    const auto now = std::chrono::steady_clock::now();
    if (unsettled_since_ == base::TimePoint{})
        unsettled_since_ = now;
    settle_timer_.expires_at(std::min(now + quiet_time, unsettled_since_ + longest_wait));
    settle_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            rescan();
    });
}

void PluginWatch::scan_folder(const fs::path& folder, std::map<fs::path, Mark>& found) const {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto& file = entry->path();
        struct stat status {};
        if (!is_plugin_file(file) || ::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        found[file] = {.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 +
                                      status.st_mtim.tv_nsec,
                       .size = static_cast<std::uint64_t>(status.st_size),
                       .inode = status.st_ino};
    }
    if (error)
        log::debug("plugins.unreadable", {{"folder", folder.native()}, {"why", error.message()}});
}

void PluginWatch::forget_silent_writers() {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(being_written_,
                  [&](const auto& one) { return now - one.second >= writer_patience; });
    auto first = base::TimePoint::max();
    for (const auto& [file, last] : being_written_)
        first = std::min(first, last);
    if (being_written_.empty())
        return;
    settle_timer_.expires_at(first + writer_patience);
    settle_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            rescan();
    });
}

void PluginWatch::rescan() {
    unsettled_since_ = {};
    forget_silent_writers();
    std::map<fs::path, Mark> found;
    for (const auto& folder : folders_)
        scan_folder(folder, found);

    PluginChanges changes;
    for (const auto& [file, mark] : known_)
        if (!found.contains(file))
            changes.removed.push_back(file);
    for (const auto& file : changes.removed) {
        known_.erase(file);
        being_written_.erase(file);
        touched_.erase(file);
    }
    for (const auto& [file, mark] : found) {
        if (being_written_.contains(file))
            continue;
        const auto before = known_.find(file);
        const bool touched = touched_.erase(file) > 0;
        if (!touched && before != known_.end() && before->second == mark)
            continue;
        known_[file] = mark;
        changes.present.push_back(file);
    }
    if (!changes.removed.empty() || !changes.present.empty())
        on_change_(changes);
}

}  // namespace distributo::runtime
