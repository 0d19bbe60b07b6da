#include "host/plugin.hpp"

#include "base/log.hpp"
#include "host/solo_run.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

}  // namespace

Plugin::Plugin(asio::io_context& io,
               const base::Clock& clock,
               PluginSource source,
               PluginOwner& owner)
    : io_(io),
      clock_(clock),
      source_(std::move(source)),
      owner_(owner),
      ability_(io, [this] { ask(); }),
      schedule_(source_.quarantine),
      probe_timer_(io),
      alive_(std::make_shared<bool>(true)) {
    source_.runner.library = source_.copy.library;
    if (source_.past)
        schedule_.resume(source_.past->pause);
    start();
}

Plugin::~Plugin() {
    *alive_ = false;
}

void Plugin::start() {
    runner_ = runtime::make_runner(io_, source_.isolation, source_.runner, *this);
}

// ---- calls -----------------------------------------------------------------------------------

void Plugin::refuse_call(runtime::CallId call) {
    asio::post(io_, [this, alive = alive_, call] {
        if (!*alive)
            return;
        std::vector<runtime::CallResult> results(1);
        results[0].call = call;
        results[0].status = runtime::CallResult::Status::aborted;
        results[0].message = "its plugin stopped before the call";
        owner_.on_call_results(std::move(results));
    });
}

void Plugin::execute(runtime::ExecuteCall&& call) {
    if (state_ != State::ready)
        return refuse_call(call.call);
    runner_->execute(std::move(call));
    unflushed_ = true;
}

void Plugin::install(runtime::InstallCall call) {
    if (state_ != State::ready)
        return refuse_call(call.call);
    health_.install_begun(call.call);
    runner_->install(std::move(call));
    unflushed_ = true;
}

void Plugin::execute_alone(runtime::ExecuteCall&& call) {
    if (state_ != State::ready)
        return refuse_call(call.call);
    log::info("task.alone", {{"task", call.task_id}, {"type", call.type}});
    if (source_.isolation != runtime::Isolation::inproc)
        return runner_->execute_alone(std::move(call));
    solos_.push_back(std::make_unique<SoloRun>(io_, source_.runner, std::move(call), *this));
}

void Plugin::cancel(runtime::CallId call) {
    for (const auto& solo : solos_)
        if (solo->call() == call)
            return solo->cancel();
    if (runner_)
        runner_->cancel(call);
    unflushed_ = true;
}

void Plugin::flush() {
    if (unflushed_ && runner_)
        runner_->flush();
    unflushed_ = false;
}

void Plugin::stop() {
    ability_.stop();
    probe_timer_.cancel();
    state_ = State::stopping;
    if (runner_)
        runner_->stop();
    else
        finish_stop();
}

// ---- what the runner reports -----------------------------------------------------------------

void Plugin::on_ready(const runtime::ModuleInfo& module) {
    if (state_ == State::stopping)
        return;
    module_ = module;
    if (module_.needs_isolation && source_.isolation == runtime::Isolation::inproc) {
        log::info("plugin.isolated", {{"plugin", module_.name}, {"why", "it asks for a process"}});
        asio::post(io_, [old = std::shared_ptr<runtime::Runner>(std::move(runner_))] {});
        source_.isolation = runtime::Isolation::process;
        return start();
    }
    if (const auto past = std::exchange(source_.past, {}); past && past->left > base::Duration()) {
        runner_->stop();  // it was only started to learn what it offers
        return leave_alone(past->why, clock_.now() + past->left);
    }
    state_ = State::ready;
    probing_ = false;
    schedule_.came_up(clock_.now());
    if (module_.probes)
        return ability_.ask();
    owner_.on_plugin_ready(*this);
}

// ---- health ----------------------------------------------------------------------------------

void Plugin::ask() {
    if (state_ != State::ready)
        return;
    runner_->probe(AbilityWatch::call);
    runner_->flush();
}

void Plugin::on_capabilities_changed() {
    if (state_ == State::ready && module_.probes)
        ability_.ask();
}

void Plugin::on_ability() {
    if (state_ != State::ready)
        return;
    if (ability_.ability().healthy)
        owner_.on_plugin_ready(*this);
    else
        owner_.on_plugin_unable(*this, ability_.ability().why);
}

void Plugin::on_started(runtime::CallId call) {
    owner_.on_call_started(call);
}

void Plugin::on_unstartable(runtime::CallId call, const std::string& why) {
    owner_.on_call_unstartable(call, why);
}

void Plugin::on_process(const runtime::ProcessNews& news) {
    health_.process(news);
    if (news.kind == runtime::ProcessNews::Kind::recycled)
        log::info("plugin.recycled",
                  {{"plugin", module_.name + '@' + module_.version}, {"why", news.why}});
}

void Plugin::on_results(std::vector<runtime::CallResult> results) {
    const auto probe = std::find_if(results.begin(), results.end(), [](const auto& result) {
        return result.call == AbilityWatch::call;
    });
    const bool probed = probe != results.end();
    const bool news = probed && ability_.take(*probe);
    if (probed)
        results.erase(probe);
    health_.ended(results);
    const auto alive = alive_;
    if (!results.empty())
        owner_.on_call_results(std::move(results));
    if (news && *alive)
        on_ability();
}

void Plugin::on_log(runtime::CallId call, std::string_view stream, std::string_view text) {
    owner_.on_call_log(call, stream, text);
}

void Plugin::on_progress(runtime::CallId call, double fraction, std::string_view text) {
    owner_.on_call_progress(call, fraction, text);
}

void Plugin::on_giving_up(const std::string& why) {
    if (state_ == State::ready)
        quarantine(why, true);
}

void Plugin::on_gone(bool, const std::string& why) {
    ability_.stop();
    // The runner is on the call stack: it is destroyed when this turn of the loop is over.
    asio::post(io_, [old = std::shared_ptr<runtime::Runner>(std::move(runner_))] {});
    health_.no_processes();
    switch (state_) {
        case State::stopping:
            return finish_stop();
        case State::starting:
            state_ = State::refused;
            return owner_.on_plugin_failed(*this, why);
        case State::refused:
            return;
        case State::quarantined:
            // It gave up before and its last call has ended now, or it did not come up again.
            if (!std::exchange(probing_, false))
                return probe_due_ ? probe() : void();
            return quarantine(why, false);
        case State::ready:
            return quarantine(why, true);
    }
}

// ---- quarantine ------------------------------------------------------------------------------

void Plugin::quarantine(const std::string& why, bool was_up) {
    leave_alone(why, schedule_.failed(clock_.now(), was_up));
}

void Plugin::leave_alone(const std::string& why, base::TimePoint until) {
    state_ = State::quarantined;
    quarantine_ = {.why = why, .until = until};
    probe_due_ = false;
    probe_timer_.expires_after(quarantine_.until - clock_.now());
    probe_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && state_ == State::quarantined)
            probe();
    });
    owner_.on_plugin_quarantined(*this, why);
}

void Plugin::probe() {
    probe_due_ = runner_ != nullptr;
    if (probe_due_)
        return;
    probing_ = true;
    start();
}

// ---- the end ---------------------------------------------------------------------------------

void Plugin::solo_ended(SoloRun& solo) {
    asio::post(io_, [this, alive = alive_, ended = &solo] {
        if (!*alive)
            return;
        std::erase_if(solos_, [&](const auto& one) { return one.get() == ended; });
        if (state_ == State::stopping && !runner_)
            finish_stop();
    });
}

void Plugin::finish_stop() {
    if (!solos_.empty())
        return;
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            owner_.on_plugin_stopped(*this);
    });
}

}  // namespace distributo::host
