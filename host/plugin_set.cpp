#include "host/plugin_set.hpp"

#include "base/log.hpp"
#include "host/offer.hpp"

#include <boost/asio/post.hpp>

#include <set>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace log = base::log;

}  // namespace

PluginSet::PluginSet(asio::io_context& io,
                     const base::Clock& clock,
                     PluginSetOptions options,
                     PluginSetEvents& events)
    : io_(io),
      clock_(clock),
      options_(std::move(options)),
      events_(events),
      alive_(std::make_shared<bool>(true)),
      hashing_(1) {}

PluginSet::~PluginSet() {
    *alive_ = false;
    hashing_.join();
}

void PluginSet::apply(const PluginChanges& changes) {
    for (const auto& path : changes.removed)
        remove(path);
    for (const auto& path : changes.present)
        load(path);
    if (!changes.removed.empty()) {
        retry_conflicts();
        events_.on_offer_changed();
    }
}

void PluginSet::stop(std::function<void()> done) {
    stopped_ = std::move(done);
    for (auto& [path, file] : files_) {
        discard(std::move(file.incoming));
        if (file.current)
            retire(std::move(file.current), false, {});
    }
    files_.clear();
    if (retired_.empty())
        stopped_();
}

void PluginSet::flush() {
    for (auto& [path, file] : files_)
        if (file.current)
            file.current->flush();
    for (const auto& plugin : retired_)
        plugin->flush();
}

std::vector<const Plugin*> PluginSet::offered() const {
    std::vector<const Plugin*> plugins;
    for (const auto& [path, file] : files_)
        if (file.current && file.offered)
            plugins.push_back(file.current.get());
    return plugins;
}

std::vector<wire::RefusedPlugin> PluginSet::refused() const {
    std::vector<wire::RefusedPlugin> refused;
    for (const auto& [path, file] : files_)
        if (!file.refusal.empty())
            refused.push_back({path.filename().string(), file.refusal});
    return refused;
}

bool PluginSet::loading() const noexcept {
    for (const auto& [path, file] : files_)
        if (file.copying || file.incoming)
            return true;
    return false;
}

// ---- files come and go -----------------------------------------------------------------------

void PluginSet::remove(const fs::path& path) {
    const auto place = files_.find(path);
    if (place == files_.end())
        return;
    log::info("plugin.removed", {{"file", path.filename().native()}});
    auto& file = place->second;
    discard(std::move(file.incoming));
    if (file.current)
        retire(std::move(file.current), file.offered, "the plugin was removed from this host");
    files_.erase(place);
}

void PluginSet::load(const fs::path& path) {
    auto& file = files_[path];
    file.copying = true;
    const auto version = ++file.version;
    asio::post(hashing_, [this, alive = alive_, path, version, cache = options_.cache] {
        auto copy = runtime::cache_plugin(path, cache);
        asio::post(io_, [this, alive, path, version, copy = std::move(copy)]() mutable {
            if (*alive)
                copied(path, version, std::move(copy));
        });
    });
}

void PluginSet::copied(const fs::path& path,
                       std::uint64_t version,
                       base::Result<runtime::CachedPlugin> copy) {
    const auto place = files_.find(path);
    if (place == files_.end() || place->second.version != version)
        return;  // removed or changed again meanwhile
    auto& file = place->second;
    file.copying = false;
    if (!copy)
        return refuse(path, file, copy.error().message, false);
    const bool unchanged = file.current && file.current->digest() == copy->digest && file.offered;
    if (unchanged) {
        discard(std::move(file.incoming));
        file.refusal.clear();
        return;
    }
    if (file.incoming && file.incoming->digest() == copy->digest)
        return;
    start(path, file, std::move(*copy));
}

void PluginSet::start(const fs::path& path, File& file, runtime::CachedPlugin copy) {
    log::info("plugin.found",
              {{"file", path.filename().native()}, {"sha256", copy.digest.substr(0, 12)}});
    PluginSource source;
    source.id = static_cast<PluginId>(by_id_.size());
    source.file = path;
    source.copy = std::move(copy);
    const auto& settings = options_.plugins.of(path.stem());
    const auto choice = choose_isolation(settings, options_.isolation, options_.min_isolation);
    if (!choice.why.empty())
        log::info("plugin.isolated",
                  {{"file", path.filename().native()},
                   {"isolation", to_string(choice.isolation)},
                   {"why", choice.why}});
    source.isolation = choice.isolation;
    source.runner = options_.runner;
    source.runner.config = settings.config;
    source.runner.sandbox = settings.sandbox;
    source.runner.data_dir = options_.data / path.stem();
    std::error_code error;
    fs::create_directories(source.runner.data_dir, error);
    if (error)
        return refuse(path,
                      file,
                      "cannot create " + source.runner.data_dir.string() + ": " + error.message(),
                      false);
    discard(std::move(file.incoming));
    file.incoming =
        std::make_unique<Plugin>(io_, clock_, std::move(source), static_cast<PluginOwner&>(*this));
    by_id_.push_back(file.incoming.get());
}

void PluginSet::refuse(const fs::path& path, File& file, std::string why, bool conflict) {
    log::warn("plugin.refused",
              {{"file", path.native()},
               {"why", why},
               {"hint",
                conflict ? "remove one of the two files"
                         : "run: distributo plugin check " + path.native()}});
    if (file.offered)
        why += " (the version before it goes on)";
    file.refusal = std::move(why);
    file.conflict = conflict;
    discard(std::move(file.incoming));
    events_.on_offer_changed();
}

void PluginSet::retry_conflicts() {
    for (auto& [path, file] : files_)
        if (file.conflict && !file.copying && !file.incoming)
            load(path);
}

// ---- plugins come and go ---------------------------------------------------------------------

PluginSet::Files::iterator PluginSet::file_of(const Plugin& plugin) {
    auto place = files_.find(plugin.file());
    if (place != files_.end() && place->second.current.get() != &plugin &&
        place->second.incoming.get() != &plugin)
        return files_.end();  // a retired version
    return place;
}

std::string PluginSet::conflict_of(const Plugin& plugin) const {
    std::set<std::string_view> own;
    for (const auto& type : plugin.module().types)
        own.insert(type.name);
    for (const auto& [path, file] : files_) {
        if (path == plugin.file() || !file.current)
            continue;
        for (const auto& type : file.current->module().types)
            if (own.contains(type.name))
                return "offers the type " + type.name + ", which " + path.filename().string() +
                       " offers already";
    }
    return {};
}

void PluginSet::on_plugin_ready(Plugin& plugin) {
    const auto place = file_of(plugin);
    if (place == files_.end())
        return;
    auto& file = place->second;
    if (auto why = fault_of(plugin.module()); !why.empty())
        return refuse(plugin.file(), file, std::move(why), false);
    if (auto why = conflict_of(plugin); !why.empty())
        return refuse(plugin.file(), file, std::move(why), true);

    std::unique_ptr<Plugin> before;
    const bool was_offered = file.offered;
    if (file.incoming.get() == &plugin) {
        before = std::move(file.current);
        file.current = std::move(file.incoming);
    }
    file.refusal.clear();
    file.conflict = false;
    file.offered = true;
    const auto& module = plugin.module();
    for (const auto& type : module.types)
        log::info("capability.available",
                  {{"type", type.name}, {"plugin", module.name + '@' + module.version}});
    events_.on_offered(plugin);
    if (before)
        retire(std::move(before), was_offered, "a newer version of the plugin replaced it");
    retry_conflicts();  // the new version may have given up a type
    events_.on_offer_changed();
}

void PluginSet::on_plugin_failed(Plugin& plugin, const std::string& why) {
    if (const auto place = file_of(plugin); place != files_.end())
        refuse(plugin.file(), place->second, why, false);
}

void PluginSet::on_plugin_quarantined(Plugin& plugin, const std::string& why) {
    events_.on_withdrawn(plugin.id(), why);
    if (const auto place = file_of(plugin); place != files_.end()) {
        auto& file = place->second;
        file.offered = false;
        refuse(plugin.file(), file, why, false);
    }
}

void PluginSet::retire(std::unique_ptr<Plugin> plugin, bool offered, std::string_view why) {
    if (offered)
        events_.on_withdrawn(plugin->id(), why);
    auto& kept = *retired_.emplace_back(std::move(plugin));
    kept.flush();
    kept.stop();
}

void PluginSet::on_plugin_stopped(Plugin& plugin) {
    by_id_[plugin.id()] = nullptr;
    std::erase_if(retired_, [&](const auto& one) { return one.get() == &plugin; });
    if (stopped_ && retired_.empty())
        stopped_();
}

void PluginSet::discard(std::unique_ptr<Plugin> plugin) {
    if (!plugin)
        return;
    by_id_[plugin->id()] = nullptr;
    // It may be on the call stack.
    asio::post(io_, [old = std::shared_ptr<Plugin>(std::move(plugin))] {});
}

// ---- calls -----------------------------------------------------------------------------------

void PluginSet::on_call_started(runtime::CallId call) {
    events_.on_call_started(call);
}

void PluginSet::on_call_results(std::vector<runtime::CallResult> results) {
    events_.on_call_results(std::move(results));
}

void PluginSet::on_call_unstartable(runtime::CallId call, const std::string& why) {
    events_.on_call_unstartable(call, why);
}

void PluginSet::on_call_log(runtime::CallId call, std::string_view stream, std::string_view text) {
    events_.on_call_log(call, stream, text);
}

void PluginSet::on_call_progress(runtime::CallId call, double fraction, std::string_view text) {
    events_.on_call_progress(call, fraction, text);
}

}  // namespace distributo::host
