#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace distributo::runtime {

/// What changed in the plugin folders since the last report.
struct PluginChanges {
    std::vector<std::filesystem::path> removed;
    std::vector<std::filesystem::path> present;  ///< new, or with other content
};

/// Sees plugins come, change and go: inotify on the folders, then a comparison with what was there,
/// so that no event can be missed or misread. A file that is still being written is left alone
/// until its writer closes it, or has done nothing for 5 s. Plugins are libraries, *.so, and
/// scripts, *.py, whose names do not begin with a dot, nor those of scripts with _. A folder that
/// vanishes takes its plugins with it, and is watched again when it comes back. Not thread-safe:
/// lives on the io_context.
class PluginWatch {
public:
    PluginWatch(boost::asio::io_context& io,
                std::vector<std::filesystem::path> folders,
                std::function<void(const PluginChanges&)> on_change);

    /// Begins to watch and reports what is there already, from inside the call.
    [[nodiscard]] base::Result<void> start();

    /// Compares now instead of when the events have settled.
    void rescan();

private:
    struct Mark {
        std::int64_t modified_ns = 0;
        std::uint64_t size = 0;
        std::uint64_t inode = 0;
        friend bool operator==(const Mark&, const Mark&) = default;
    };

    void watch_folders();
    void receive();
    void on_event(int watch, std::uint32_t mask, const std::string& name);
    void settle();
    /// Gives up waiting for writers that have done nothing for long; looks again for the others.
    void forget_silent_writers();
    void look_for_missing_folders();
    void scan_folder(const std::filesystem::path& folder,
                     std::map<std::filesystem::path, Mark>& found) const;

    std::function<void(const PluginChanges&)> on_change_;
    std::vector<std::filesystem::path> folders_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer settle_timer_;
    boost::asio::steady_timer missing_timer_;
    base::TimePoint unsettled_since_{};  // zero: nothing is waiting
    std::map<int, std::filesystem::path> folder_of_watch_;
    std::map<std::filesystem::path, base::TimePoint> being_written_;  // and since the last event
    /// Written or replaced since they were reported. Their marks may be the same: clocks of file
    /// systems tick slowly.
    std::set<std::filesystem::path> touched_;
    std::map<std::filesystem::path, Mark> known_;
};

}  // namespace distributo::runtime
