#pragma once

#include "base/result.hpp"
#include "runtime/plugin_cache.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace distributo::runtime {

/// The private copies of plugins on disk: made, found again and removed on a thread of its own,
/// one after the other, since all of that blocks. Answers come on the io_context; none after the
/// destructor, which waits for the thread. Not thread-safe: lives on the io_context.
class PluginCopies {
public:
    using Done = std::function<void(base::Result<CachedPlugin>)>;

    /// `folders`: where the library that runs scripts may lie, see cache_plugin().
    PluginCopies(boost::asio::io_context& io,
                 std::filesystem::path cache,
                 std::vector<std::filesystem::path> folders = {});
    PluginCopies(const PluginCopies&) = delete;
    PluginCopies& operator=(const PluginCopies&) = delete;
    ~PluginCopies();

    void make(std::filesystem::path file, Done done);
    /// A copy that was made before, also by an earlier process.
    void find(std::string digest, Done done);
    /// Removes all others, after everything that was asked for before.
    void keep_only(std::set<std::string> digests);
    /// Does something else that blocks, after everything that was asked for before.
    void run(std::function<void()> work);
    [[nodiscard]] const std::filesystem::path& cache() const noexcept { return cache_; }

private:
    void run(std::function<base::Result<CachedPlugin>()> work, Done done);

    boost::asio::io_context& io_;
    std::filesystem::path cache_;
    std::vector<std::filesystem::path> folders_;
    std::shared_ptr<bool> alive_;
    boost::asio::thread_pool thread_;
};

}  // namespace distributo::runtime
