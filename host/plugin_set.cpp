#include "host/plugin_set.hpp"

#include "base/log.hpp"
#include "host/offer.hpp"
#include "runtime/module_check.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <map>
#include <utility>

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
      drain_timer_(io),
      copies_(io, options_.cache, options_.folders),
      history_(copies_.load_history()),
      quarantines_(copies_.load_quarantines(clock.wall())) {}

PluginSet::~PluginSet() = default;

void PluginSet::apply(const runtime::PluginChanges& changes) {
    const bool first = !std::exchange(scanned_, true);
    if (first)
        history_.forget_all_but({changes.present.begin(), changes.present.end()});
    for (const auto& path : changes.removed)
        remove(path);
    bool runs_scripts = false;
    for (const auto& path : changes.present) {
        if (path.filename() == runtime::script_library) {
            runs_scripts = true;
            continue;
        }
        files_[path].since_start = first;
        load(path);
    }
    if (runs_scripts && !first)
        load_scripts();
    if (!changes.removed.empty()) {
        retry_conflicts();
        events_.on_offer_changed();
    }
}

void PluginSet::stop(std::function<void()> done) {
    stopped_ = std::move(done);
    drain_timer_.cancel();
    for (auto& [path, file] : files_) {
        discard(std::move(file.incoming));
        if (file.current)
            end(std::move(file.current));
    }
    files_.clear();
    for (auto& draining : std::exchange(draining_, {}))
        end(std::move(draining.plugin));
    if (retired_.empty())
        stopped_();
}

void PluginSet::flush() {
    for (auto& [path, file] : files_)
        if (file.current)
            file.current->flush();
    for (const auto& draining : draining_)
        draining.plugin->flush();
    for (const auto& plugin : retired_)
        plugin->flush();
    check_trials();
    if (!draining_.empty())
        check_draining();
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
    for (const auto& [path, file] : files_) {
        if (file.refusal.empty())
            continue;
        auto& one = refused.emplace_back();
        one.file = path.filename().string();
        one.reason = file.refusal;
        if (file.offered)
            one.reason += "; version " + file.current->module().version + " runs instead";
        else if (file.current && file.current->quarantine() && !file.fallback)
            describe_quarantine(*file.current, clock_.now(), one);
        else if (file.fallback)
            one.reason += "; the version before it is being started";
    }
    return refused;
}

std::vector<wire::PluginHealth> PluginSet::health() const {
    std::vector<wire::PluginHealth> all;
    const auto now = clock_.now();
    for (const auto& [path, file] : files_) {
        if (file.current)
            all.push_back(health_of(*file.current, now));
        if (!file.refusal.empty() && !(file.current && file.current->quarantine()))
            all.push_back(health_of_refused(path, file.refusal));
    }
    for (const auto& draining : draining_)
        all.emplace_back(health_of(*draining.plugin, now)).state = wire::PluginState::draining;
    for (const auto& plugin : retired_)
        all.push_back(health_of(*plugin, now));
    return all;
}

std::uint64_t PluginSet::health_revision() const {
    std::uint64_t sum = 0;
    for (const auto& [path, file] : files_)
        sum += file.current ? file.current->health().revision() : 0;
    for (const auto& draining : draining_)
        sum += 1 + draining.plugin->health().revision();
    for (const auto& plugin : retired_)
        sum += 2 + plugin->health().revision();
    return sum;
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
    auto file = std::move(place->second);
    files_.erase(place);
    discard(std::move(file.incoming));
    if (file.offered)
        return retire(std::move(file.current), "the plugin was removed from this host");
    history_.forget(path);
    if (file.current)
        end(std::move(file.current));
}

void PluginSet::load_scripts() {
    for (const auto& [path, file] : files_)
        if (runtime::is_script(path))
            load(path);
}

void PluginSet::load(const fs::path& path) {
    auto& file = files_[path];
    copies_.make(path, when_copied(path, file, Copy::of_file));
}

/// What comes of it counts unless the file is removed or changed again meanwhile.
PluginCopies::Done PluginSet::when_copied(const fs::path& path, File& file, Copy kind) {
    file.copying = true;
    file.version = ++last_change_;
    return [this, path, kind, version = file.version](base::Result<runtime::CachedPlugin> copy) {
        const auto place = files_.find(path);
        if (place == files_.end() || place->second.version != version)
            return;
        place->second.copying = false;
        copied(path, place->second, kind, std::move(copy));
        prune();
    };
}

void PluginSet::copied(const fs::path& path,
                       File& file,
                       Copy kind,
                       base::Result<runtime::CachedPlugin> copy) {
    if (!copy && copy.error().code == base::Errc::unavailable)
        return;  // somebody writes to it: it is reported again when that has ended
    if (kind == Copy::of_file)
        file.fallback = false;
    if (!copy)
        return refuse(path, file, copy.error().message, false);
    const bool unchanged = file.current && file.current->digest() == copy->digest && file.offered;
    if (unchanged) {
        discard(std::move(file.incoming));
        if (!std::exchange(file.refusal, {}).empty())
            events_.on_offer_changed();
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
    source.quarantine = options_.quarantine;
    // Who puts it there again while the host runs has mended what was wrong.
    if (file.since_start)
        source.past = quarantines_.find(source.copy.digest, clock_.wall());
    else if (quarantines_.forget(source.copy.digest))
        copies_.save(quarantines_);
    source.runner = options_.runner;
    source.runner.config = settings.config;
    source.runner.sandbox = sandbox_of(settings, options_.runner.sandbox, path);
    source.runner.processes = settings.processes;
    source.runner.recycle = settings.recycle;
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
    const std::string bad = file.incoming ? file.incoming->digest() : std::string();
    const bool went_back = std::exchange(file.fallback, false);
    // Of a version that cannot be gone back to either, the first reason is the one to mend.
    file.refusal =
        went_back ? file.refusal + "; nor does the version before it run: " + why : std::move(why);
    file.conflict = conflict;
    discard(std::move(file.incoming));
    if (!conflict && !went_back && !file.current)
        go_back(path, file, bad);
    if (went_back)
        history_.forget(path);
    if (went_back && std::exchange(file.given_up, false)) {
        file.offered = true;
        events_.on_offered(*file.current);
    }
    events_.on_offer_changed();
}

bool PluginSet::go_back(const fs::path& path, File& file, std::string_view bad) {
    const auto* before = history_.before(path, bad);
    if (!before)
        return false;
    log::warn("plugin.going_back",
              {{"file", path.filename().native()}, {"version", before->version}});
    file.fallback = true;
    copies_.find(before->digest, when_copied(path, file, Copy::of_earlier));
    return true;
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

/// Of one plugin another version is welcome.
std::string PluginSet::conflict_of(const Plugin& plugin) const {
    std::map<std::string_view, std::string_view> own;
    for (const auto& type : plugin.module().types)
        own.emplace(type.name, type.version);
    for (const auto& [path, file] : files_) {
        if (path == plugin.file() || !file.current)
            continue;
        const auto& other = file.current->module();
        for (const auto& type : other.types) {
            const auto same = own.find(type.name);
            if (same == own.end())
                continue;
            if (other.name != plugin.module().name)
                return "offers the type " + type.name + ", which " + path.filename().string() +
                       " offers already";
            if (type.version == same->second)
                return "offers the type " + type.name + " in version " + type.version + ", which " +
                       path.filename().string() + " offers already";
        }
    }
    return {};
}

void PluginSet::tell_missing(const runtime::SandboxReport& sandbox) {
    for (const auto& missing : sandbox.missing) {
        if (told_missing_.has(missing.layer))
            continue;
        told_missing_.add(missing.layer);
        log::info("sandbox.degraded",
                  {{"layer", wire::to_string(missing.layer)}, {"why", missing.why}});
    }
}

void PluginSet::on_plugin_ready(Plugin& plugin) {
    tell_missing(plugin.module().sandbox);
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
        file.offered_since = clock_.now();
        file.given_up = false;
    }
    if (!file.fallback)
        file.refusal.clear();
    file.conflict = false;
    file.offered = true;
    remember(plugin.file(), plugin);
    const auto& module = plugin.module();
    for (const auto& type : module.types)
        log::info("capability.available",
                  {{"type", type.name}, {"plugin", module.name + '@' + module.version}});
    events_.on_offered(plugin);
    if (before && was_offered)
        retire(std::move(before), "another version of the plugin replaced it");
    else if (before)
        end(std::move(before));
    retry_conflicts();  // the new version may have given up a type
    events_.on_offer_changed();
}

void PluginSet::on_plugin_failed(Plugin& plugin, const std::string& why) {
    const auto place = file_of(plugin);
    if (place == files_.end())
        return;
    auto& [path, file] = *place;
    if (why != runtime::only_for_coordinators || file.current)
        return refuse(plugin.file(), file, why, false);
    // One folder may serve a coordinator, too: that is nothing to complain about.
    log::debug("plugin.not_for_hosts", {{"file", path.native()}});
    discard(std::move(file.incoming));
    files_.erase(place);
    events_.on_offer_changed();
}

/// A version that is not able does not replace one that is. Where there is none it is kept, since
/// it may become able.
void PluginSet::on_plugin_unable(Plugin& plugin, const std::string& why) {
    const auto place = file_of(plugin);
    if (place == files_.end())
        return;
    auto& [path, file] = *place;
    if (file.incoming.get() == &plugin) {
        if (file.current)
            return refuse(path, file, why, false);
        file.current = std::move(file.incoming);
    }
    log::warn("plugin.unable", {{"file", path.filename().native()}, {"why", why}});
    events_.on_withdrawn(plugin.id(), why);
    file.offered = false;
    file.refusal = why;
    events_.on_offer_changed();
}

void PluginSet::on_plugin_quarantined(Plugin& plugin, const std::string& why) {
    log::warn("plugin.quarantined",
              {{"file", plugin.file().native()},
               {"why", why},
               {"again_in_s", seconds_until(plugin.quarantine()->until, clock_.now())}});
    events_.on_withdrawn(plugin.id(), why);
    const auto place = file_of(plugin);
    if (place == files_.end())
        return;
    auto& [path, file] = *place;
    if (file.incoming.get() != &plugin)
        note_quarantine(plugin);
    else if (file.current)
        return refuse(path, file, why, false);
    else
        resume_quarantine(file);
    file.offered = false;
    file.given_up = false;
    if (give_up(path, file, why))
        return;
    if (!file.fallback)
        file.refusal = why;
    else if (file.refusal.find(why) == std::string::npos)  // it comes each time it does not come up
        file.refusal += "; the version before it as well: " + why;
    events_.on_offer_changed();
}

void PluginSet::note_quarantine(const Plugin& plugin) {
    const auto& quarantine = *plugin.quarantine();
    quarantines_.add(
        plugin.digest(), quarantine.why, clock_.wall(), quarantine.until - clock_.now());
    copies_.save(quarantines_);
}

/// The host was restarted. A version that had been given up is given up again.
void PluginSet::resume_quarantine(File& file) {
    file.current = std::move(file.incoming);
    if (!history_.digests().contains(file.current->digest()))
        file.offered_since = clock_.now();
}

bool PluginSet::give_up(const fs::path& path, File& file, const std::string& why) {
    const bool on_trial = clock_.now() - file.offered_since < options_.trial;
    const bool newest = !file.fallback && !file.incoming && !file.copying;
    const auto& bad = file.current->digest();
    if (!on_trial || !newest || !go_back(path, file, bad))
        return false;
    history_.reject(path, bad);
    file.refusal = "version " + file.current->module().version + " was given up: " + why;
    events_.on_offer_changed();
    return true;
}

void PluginSet::check_trials() {
    constexpr std::uint64_t most_crashes = 1;
    for (auto& [path, file] : files_) {
        if (!file.offered)
            continue;
        const auto calls = events_.calls_of(file.current->id());
        if (calls.answered > 0 || calls.crashed <= most_crashes ||
            !give_up(path, file, "its first calls crashed and none ended otherwise"))
            continue;
        file.offered = false;
        file.given_up = true;
        events_.on_withdrawn(file.current->id(), "its plugin crashed too often");
    }
}

// ---- draining --------------------------------------------------------------------------------

void PluginSet::retire(std::unique_ptr<Plugin> plugin, std::string why) {
    auto& draining = draining_.emplace_back();
    draining.plugin = std::move(plugin);
    draining.why = std::move(why);
    draining.since = clock_.now();
    events_.on_draining(draining.plugin->id());
    check_draining();
}

void PluginSet::check_draining() {
    const auto now = clock_.now();
    auto next = base::TimePoint::max();
    std::vector<Draining> done;
    for (auto& draining : draining_) {
        const auto id = draining.plugin->id();
        const auto linger_end = draining.since + options_.linger;
        const auto limit = draining.since + options_.drain_limit;
        if (now >= linger_end && !events_.needs(id)) {
            done.push_back(std::move(draining));
            continue;
        }
        if (now >= limit && !std::exchange(draining.limited, true)) {
            log::warn("plugin.drain_limit", {{"file", draining.plugin->file().native()}});
            events_.on_drain_limit(id, draining.why + "; its tasks took too long to end");
        }
        if (now < linger_end)
            next = std::min(next, linger_end);
        if (now < limit)
            next = std::min(next, limit);
    }
    std::erase_if(draining_, [](const Draining& one) { return !one.plugin; });
    for (auto& [plugin, why, since, limited] : done) {
        log::info("plugin.drained", {{"file", plugin->file().filename().native()}});
        events_.on_withdrawn(plugin->id(), why);
        if (!files_.contains(plugin->file()))
            history_.forget(plugin->file());  // it was not removed only to be replaced
        end(std::move(plugin));
    }
    if (next == base::TimePoint::max())
        return;
    drain_timer_.expires_after(next - now);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            check_draining();
    });
}

void PluginSet::end(std::unique_ptr<Plugin> plugin) {
    auto& kept = *retired_.emplace_back(std::move(plugin));
    kept.flush();
    kept.stop();
}

// ---- earlier versions ------------------------------------------------------------------------

void PluginSet::remember(const fs::path& path, const Plugin& plugin) {
    history_.add(path, {plugin.digest(), plugin.module().version});
    copies_.save(history_);
    prune();
}

void PluginSet::prune() {
    auto digests = history_.digests();
    for (const auto& [path, file] : files_) {
        if (file.copying)
            return;  // when that is done, all that is needed is known
        for (const auto* plugin : {file.current.get(), file.incoming.get()})
            if (plugin)
                digests.insert(plugin->digest());
    }
    for (const auto& draining : draining_)
        digests.insert(draining.plugin->digest());
    for (const auto& plugin : retired_)
        digests.insert(plugin->digest());
    copies_.keep_only(std::move(digests));
}

void PluginSet::on_plugin_stopped(Plugin& plugin) {
    by_id_[plugin.id()] = nullptr;
    std::erase_if(retired_, [&](const auto& one) { return one.get() == &plugin; });
    if (stopped_ && retired_.empty())
        stopped_();
    prune();
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
