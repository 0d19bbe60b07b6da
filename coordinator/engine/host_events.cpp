#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::coordinator::engine {
namespace {

// A restarted coordinator is not to be greeted by all its hosts in the same instant.
constexpr std::int64_t reconnects_per_millisecond = 1;
constexpr std::int64_t shortest_reconnect_window_ms = 1000;

std::int64_t milliseconds(base::Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// What the host has of another coordinator is none of this one's tasks, whatever its tokens look
/// like.
void disown_foreign_claims(wire::Hello& hello,
                           const std::string& own,
                           std::vector<wire::TokenVerdict>& verdicts) {
    if (hello.coordinator_id.empty() || hello.coordinator_id == own)
        return;
    for (const auto& claim : hello.running)
        verdicts.push_back({claim.token, wire::Verdict::cancel});
    hello.running.clear();
    hello.finished.clear();
}

}  // namespace

HostIndex Engine::host_joined(core::HostJoin join, HostPort& port, wire::Welcome& welcome) {
    auto& scheduler = *impl_->scheduler;
    const auto at = impl_->event();
    disown_foreign_claims(join.hello, impl_->coordinator_id, welcome.verdicts);
    const auto index = scheduler.host_joined(std::move(join), at.now, at.wall, welcome.verdicts);
    auto& hosts = impl_->hosts;
    if (index >= hosts.size())
        hosts.resize(index + 1);
    hosts[index].health = {};
    if (HostPort* old = std::exchange(hosts[index].port, &port))
        old->replaced();
    else
        ++impl_->connected;
    welcome.term = scheduler.term();
    welcome.coordinator_id = impl_->coordinator_id;
    welcome.durable = impl_->is_durable;
    welcome.lease_ms = milliseconds(scheduler.lease());
    welcome.heartbeat_ms = milliseconds(scheduler.heartbeat());
    welcome.reconnect_window_ms =
        std::max(shortest_reconnect_window_ms,
                 static_cast<std::int64_t>(impl_->connected) / reconnects_per_millisecond);
    return index;
}

void Engine::host_capabilities(HostIndex host, wire::Capabilities offer) {
    impl_->scheduler->host_capabilities(host, std::move(offer), impl_->event().now);
}

void Engine::host_health(HostIndex host, wire::Health health) {
    auto& kept = impl_->hosts[host];
    kept.health = std::move(health);
    kept.health_at = impl_->clock.now();
}

std::span<const wire::PluginHealth> Engine::plugin_health(HostIndex host) const {
    if (host >= impl_->hosts.size())
        return {};
    return impl_->hosts[host].health.plugins;
}

std::string_view Engine::host_trouble(HostIndex host) const {
    if (host >= impl_->hosts.size())
        return {};
    return impl_->hosts[host].health.trouble;
}

base::Duration Engine::plugin_health_age(HostIndex host) const {
    return host < impl_->hosts.size() ? impl_->clock.now() - impl_->hosts[host].health_at
                                      : base::Duration{};
}

void Engine::host_credit(HostIndex host, const wire::Credit& credit) {
    impl_->scheduler->host_credit(host, credit, impl_->event().now);
}

void Engine::host_phase(HostIndex host, const wire::PhaseItem& item) {
    impl_->scheduler->host_phase(host, item, impl_->event().now);
}

void Engine::host_progress(HostIndex host, const wire::ProgressItem& item) {
    impl_->scheduler->host_progress(host, item, impl_->event().now);
}

void Engine::host_log(HostIndex host, const wire::LogItem& item) {
    TaskId id = 0;
    core::TaskView view;
    const auto now = impl_->clock.now();
    if (impl_->scheduler->holds(host, item.token, id) && impl_->scheduler->find(id, now, view))
        impl_->log_book.append(id, view.attempts, item.stream, item.text, now, impl_->clock.wall());
}

void Engine::host_result(HostIndex host, const wire::ResultItem& item) {
    const auto at = impl_->event();
    const auto& outcomes = impl_->scheduler->actions().outcomes;
    const auto before = outcomes.size();
    impl_->scheduler->host_result(host, item, at.now, at.wall);
    // Only the result that is recorded brings them.
    if (item.emitted.empty() || outcomes.size() == before ||
        outcomes.back().state != wire::TaskState::completed)
        return;
    const TaskId parent = outcomes.back().id;
    impl_->add_follow_ups(parent, outcomes.back().attempt.number, item.emitted);
}

void Engine::host_draining(HostIndex host) {
    impl_->scheduler->host_draining(host, impl_->event().now);
}

void Engine::host_backed_up(HostIndex host, bool backed_up) {
    impl_->scheduler->host_backed_up(host, backed_up, impl_->event().now);
}

void Engine::host_heard(HostIndex host) {
    // Every message ends with this, so it must not cost a turn of its own.
    impl_->scheduler->host_heard(host, impl_->turn_wanted ? impl_->moment.now : impl_->clock.now());
}

void Engine::host_gone(HostIndex host, bool clean) {
    if (host < impl_->hosts.size()) {
        impl_->hosts[host].health = {};  // it says it again when it comes back
        if (std::exchange(impl_->hosts[host].port, nullptr))
            --impl_->connected;
    }
    const auto now = impl_->event().now;
    if (clean)
        impl_->scheduler->host_left(host, now);
    else
        impl_->scheduler->host_disconnected(host, now);
}

}  // namespace distributo::coordinator::engine
