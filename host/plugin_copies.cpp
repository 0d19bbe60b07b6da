#include "host/plugin_copies.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>

#include <fstream>
#include <iterator>
#include <system_error>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr const char* history_name = "history";
constexpr const char* quarantines_name = "quarantines";

}  // namespace

PluginCopies::PluginCopies(asio::io_context& io, fs::path cache, std::vector<fs::path> folders)
    : io_(io),
      cache_(std::move(cache)),
      folders_(std::move(folders)),
      alive_(std::make_shared<bool>(true)),
      thread_(1) {}

PluginCopies::~PluginCopies() {
    *alive_ = false;
    thread_.join();
}

void PluginCopies::run(std::function<base::Result<runtime::CachedPlugin>()> work, Done done) {
    asio::post(thread_, [this, work = std::move(work), done = std::move(done)] {
        asio::post(io_, [alive = alive_, done, copy = work()]() mutable {
            if (*alive)
                done(std::move(copy));
        });
    });
}

void PluginCopies::make(fs::path file, Done done) {
    run(
        [file = std::move(file), cache = cache_, folders = folders_] {
            return runtime::cache_plugin(file, cache, folders);
        },
        std::move(done));
}

void PluginCopies::find(std::string digest, Done done) {
    run([digest = std::move(digest),
         cache = cache_] { return runtime::find_cached_plugin(digest, cache); },
        std::move(done));
}

void PluginCopies::keep_only(std::set<std::string> digests) {
    asio::post(thread_, [digests = std::move(digests), cache = cache_] {
        runtime::prune_plugin_cache(cache, digests);
    });
}

PluginHistory PluginCopies::load_history() const {
    return PluginHistory::parse(load(history_name));
}

void PluginCopies::save(const PluginHistory& history) {
    save(history_name, history.text());
}

QuarantineBook PluginCopies::load_quarantines(base::WallTime now) const {
    return QuarantineBook::parse(load(quarantines_name), now);
}

void PluginCopies::save(const QuarantineBook& quarantines) {
    save(quarantines_name, quarantines.text());
}

std::string PluginCopies::load(const char* name) const {
    std::ifstream in(cache_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void PluginCopies::save(const char* name, std::string text) {
    asio::post(thread_, [name, text = std::move(text), cache = cache_] {
        const auto fresh = cache / (std::string(name) + ".new");
        std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
        out << text;
        out.close();
        std::error_code error;
        if (out)
            fs::rename(fresh, cache / name, error);
        if (!out || error)
            base::log::warn("plugins.not_saved",
                            {{"file", fresh.native()}, {"why", "cannot be written"}});
    });
}

}  // namespace distributo::host
