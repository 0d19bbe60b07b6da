#include "runtime/plugin_copies.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace distributo::runtime {

namespace asio = boost::asio;

PluginCopies::PluginCopies(asio::io_context& io,
                           std::filesystem::path cache,
                           std::vector<std::filesystem::path> folders)
    : io_(io),
      cache_(std::move(cache)),
      folders_(std::move(folders)),
      alive_(std::make_shared<bool>(true)),
      thread_(1) {}

PluginCopies::~PluginCopies() {
    *alive_ = false;
    thread_.join();
}

void PluginCopies::run(std::function<void()> work) {
    asio::post(thread_, std::move(work));
}

void PluginCopies::run(std::function<base::Result<CachedPlugin>()> work, Done done) {
    asio::post(thread_, [this, work = std::move(work), done = std::move(done)] {
        asio::post(io_, [alive = alive_, done, copy = work()]() mutable {
            if (*alive)
                done(std::move(copy));
        });
    });
}

void PluginCopies::make(std::filesystem::path file, Done done) {
    run(
        [file = std::move(file), cache = cache_, folders = folders_] {
            return cache_plugin(file, cache, folders);
        },
        std::move(done));
}

void PluginCopies::find(std::string digest, Done done) {
    run([digest = std::move(digest), cache = cache_] { return find_cached_plugin(digest, cache); },
        std::move(done));
}

void PluginCopies::keep_only(std::set<std::string> digests) {
    run([digests = std::move(digests), cache = cache_] { prune_plugin_cache(cache, digests); });
}

}  // namespace distributo::runtime
