#pragma once

#include "base/clock.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/sessions/host_port.hpp"
#include "net/connection.hpp"
#include "wire/codec.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::sessions {

/// One host's connection:
///
///     greeting ──hello──> serving ──bye, error, silence, close──> closed
///
/// What is malformed, out of order or too much ends this connection and nothing else: the host is
/// told why, then the engine treats it as disconnected. Tokens are not judged here; a report that
/// the host has no right to is the scheduler's to refuse.
///
/// Not thread-safe: lives on the io_context.
class Session final : net::ConnectionEvents, wire::FromHost, engine::HostPort {
public:
    /// `on_closed` is called last; it must not destroy the session before control returns to the
    /// io_context.
    Session(engine::Engine& engine,
            const SessionOptions& options,
            std::unique_ptr<net::Connection> connection,
            std::function<void(Session&)> on_closed);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void start();
    void go_away();
    void check(base::TimePoint now);

private:
    enum class State { greeting, serving, closed };

    void on_message(std::string_view text) override;
    void on_drained() override;
    void on_closed(std::string_view why) override;

    base::Result<void> on_hello(wire::Hello message) override;
    base::Result<void> on_capabilities(wire::Capabilities message) override;
    base::Result<void> on_health(wire::Health message) override;
    base::Result<void> on_credit(const wire::Credit& item) override;
    base::Result<void> on_phase(const wire::PhaseItem& item) override;
    base::Result<void> on_progress(const wire::ProgressItem& item) override;
    base::Result<void> on_log(const wire::LogItem& item) override;
    base::Result<void> on_result(const wire::ResultItem& item) override;
    base::Result<void> on_heartbeat() override;
    base::Result<void> on_draining() override;
    base::Result<void> on_bye(std::string_view reason) override;
    base::Result<void> on_unknown(std::string_view op) override;
    base::Result<void> on_unsupported(std::string_view op) override;

    void assign(const wire::AssignItem& item) override;
    void cancel(const wire::CancelItem& item) override;
    void ack(const wire::AckItem& item) override;
    void flush() override;
    void replaced() override;

    [[nodiscard]] base::Result<void> after_hello(std::string_view message) const;
    /// Tells the host why and closes.
    void end(net::CloseCode code, const base::Error& error);
    void leave(bool clean);
    void watch_queue();

    engine::Engine& engine_;
    SessionOptions options_;
    std::unique_ptr<net::Connection> connection_;
    std::function<void(Session&)> report_closed_;
    State state_ = State::greeting;
    engine::HostIndex index_ = core::no_host;
    std::string name_;
    base::TimePoint heard_;

    wire::AssignBatch assigns_;
    std::vector<wire::AckItem> acks_;
    std::vector<wire::CancelItem> cancels_;

    bool backed_up_ = false;
    std::size_t hard_limit_ = 0;   // while backed up
    std::size_t last_queued_ = 0;  // when the queue last got shorter, for `stall_time`
    base::TimePoint moved_;
};

}  // namespace distributo::coordinator::sessions
