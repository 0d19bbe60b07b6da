#pragma once

#include "base/clock.hpp"
#include "host/data_dir.hpp"
#include "host/link.hpp"
#include "host/options.hpp"
#include "host/plugin_set.hpp"
#include "host/task_desk.hpp"
#include "runtime/plugin_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>

namespace distributo::host {

/// A host from start to exit. After run-out of work (stop, --exit-when-idle, no coordinator) it
/// lets the io_context run dry.
///
///   running ──(signal, idle)──► draining ──(finished, 30 s + grace, second signal)──► leaving ──►
///   done
///
/// Not thread-safe: lives on the io_context.
class Agent final : LinkEvents {
public:
    Agent(boost::asio::io_context& io,
          const base::Clock& clock,
          Options options,
          DataDir directory);
    ~Agent() override;

    [[nodiscard]] base::Result<void> start();
    /// Takes no more tasks, lets the running ones end, leaves. A second call leaves at once.
    void stop();
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

private:
    enum class State : std::uint8_t { running, draining, leaving, done };

    std::string hello() override;
    void on_message(std::string_view text) override;
    void on_writable() override;
    void on_disconnected() override;
    void on_hopeless(const base::Error& error) override;
    void on_closed() override;

    void wait_for_signal();
    void on_settled();
    void leave(std::string_view reason);
    void stop_plugins();
    void finish();
    void limit_drain();

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    Options options_;
    DataDir directory_;
    State state_ = State::running;
    int exit_code_ = 0;
    TaskDesk desk_;
    std::optional<PluginSet> plugins_;
    std::optional<Link> link_;
    std::optional<runtime::PluginWatch> watch_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;             // of draining, or of idleness
    std::optional<std::uint64_t> idle_at_count_;  // tasks assigned when the host became idle
};

}  // namespace distributo::host
