#include "coordinator/sessions/session.hpp"

#include "base/log.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::coordinator::sessions {

using base::Errc;
using base::Result;
using net::CloseCode;

namespace {

/// A close frame has room for 123 bytes; the cut does not leave half a character.
std::string_view close_reason(std::string_view text) {
    constexpr std::size_t room = 123;
    if (text.size() <= room)
        return text;
    auto end = room;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

std::string seconds(base::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) +
           " s";
}

}  // namespace

Session::Session(engine::Engine& engine,
                 const SessionOptions& options,
                 std::unique_ptr<net::Connection> connection,
                 std::function<void(Session&)> on_closed)
    : engine_(engine),
      options_(options),
      connection_(std::move(connection)),
      report_closed_(std::move(on_closed)),
      heard_(engine.now()) {}

Session::~Session() {
    leave(false);
}

void Session::start() {
    connection_->start(*this);
}

void Session::go_away() {
    if (state_ == State::closed)
        return;
    state_ = State::closed;
    leave(false);
    connection_->close(CloseCode::going_away, "the coordinator stops; keep working, come back");
}

void Session::check(base::TimePoint now) {
    if (state_ == State::closed)
        return;
    if (state_ == State::greeting && now - heard_ > options_.hello_time)
        return end(CloseCode::policy,
                   base::error(Errc::timeout,
                               "expected hello within " + seconds(options_.hello_time),
                               "is this a Distributo host?"));
    if (state_ == State::serving && now - heard_ > engine_.scheduler().lease())
        return end(CloseCode::policy,
                   base::error(Errc::timeout,
                               "nothing heard for " + seconds(now - heard_),
                               "a host sends a heartbeat when it has nothing else to say"));
    if (!backed_up_)
        return;
    const auto queued = connection_->queued_bytes();
    if (queued < last_queued_)
        moved_ = now;
    last_queued_ = queued;
    if (now - moved_ > options_.stall_time)
        end(CloseCode::try_again,
            base::error(Errc::timeout, "the host has not read for " + seconds(now - moved_)));
}

void Session::on_message(std::string_view text) {
    if (state_ == State::closed)
        return;
    const auto read = wire::decode(text, *this);
    if (!read)
        return end(CloseCode::protocol_error, read.error());
    if (state_ != State::serving)
        return;
    heard_ = engine_.now();
    engine_.host_heard(index_);
}

void Session::on_closed(std::string_view why) {
    if (state_ == State::serving)
        base::log::info("host.disconnected", {{"name", name_}, {"why", why}});
    state_ = State::closed;
    leave(false);
    report_closed_(*this);
}

void Session::end(CloseCode code, const base::Error& error) {
    if (state_ == State::closed)
        return;
    base::log::warn("host.connection_ended",
                    {{"peer", connection_->peer()}, {"name", name_}, {"error", error.message}});
    state_ = State::closed;
    connection_->send(wire::encode_error(error));
    connection_->close(code, close_reason(error.message));
    leave(false);
}

void Session::leave(bool clean) {
    if (const auto index = std::exchange(index_, core::no_host); index != core::no_host)
        engine_.host_gone(index, clean);
}

Result<void> Session::after_hello(std::string_view message) const {
    if (state_ == State::serving)
        return {};
    return base::error(Errc::invalid_argument,
                       "expected hello as the first message, got " + std::string(message),
                       "docs/protocol.md describes the order of messages");
}

Result<void> Session::on_hello(wire::Hello message) {
    if (state_ != State::greeting)
        return base::error(Errc::invalid_argument, "expected hello once per connection");
    if (message.protocol_min > wire::protocol_version ||
        message.protocol_max < wire::protocol_version)
        return base::error(
            Errc::invalid_argument,
            "this coordinator speaks version " + std::to_string(wire::protocol_version) +
                " of the host protocol, the host versions " + std::to_string(message.protocol_min) +
                " to " + std::to_string(message.protocol_max),
            message.protocol_min > wire::protocol_version ? "update the coordinator"
                                                          : "update the host");
    name_ = message.name;
    base::log::info("host.joined",
                    {{"name", name_},
                     {"id", message.host_id},
                     {"peer", connection_->peer()},
                     {"version", message.version},
                     {"slots", message.slots},
                     {"running", message.running.size()}});
    wire::Welcome welcome;
    welcome.protocol = wire::protocol_version;
    state_ = State::serving;
    index_ = engine_.host_joined({std::move(message), connection_->peer()}, *this, welcome);
    connection_->send(wire::encode(welcome));
    return {};
}

Result<void> Session::on_capabilities(wire::Capabilities message) {
    if (auto fine = after_hello("capabilities"); !fine)
        return fine;
    for (const auto& plugin : message.refused)
        base::log::warn("host.plugin_refused",
                        {{"name", name_}, {"file", plugin.file}, {"reason", plugin.reason}});
    engine_.host_capabilities(index_, std::move(message));
    return {};
}

Result<void> Session::on_health(wire::Health message) {
    if (auto fine = after_hello("health"); !fine)
        return fine;
    engine_.host_health(index_, std::move(message));
    return {};
}

Result<void> Session::on_credit(const wire::Credit& item) {
    if (auto fine = after_hello("credit"); !fine)
        return fine;
    engine_.host_credit(index_, item);
    return {};
}

Result<void> Session::on_phase(const wire::PhaseItem& item) {
    if (auto fine = after_hello("phase"); !fine)
        return fine;
    engine_.host_phase(index_, item);
    return {};
}

Result<void> Session::on_progress(const wire::ProgressItem& item) {
    if (auto fine = after_hello("progress"); !fine)
        return fine;
    engine_.host_progress(index_, item);
    return {};
}

Result<void> Session::on_log(const wire::LogItem& item) {
    if (auto fine = after_hello("log"); !fine)
        return fine;
    engine_.host_log(index_, item);
    return {};
}

Result<void> Session::on_result(const wire::ResultItem& item) {
    if (auto fine = after_hello("result"); !fine)
        return fine;
    engine_.host_result(index_, item);
    return {};
}

Result<void> Session::on_heartbeat() {
    return after_hello("heartbeat");
}

Result<void> Session::on_draining() {
    if (auto fine = after_hello("draining"); !fine)
        return fine;
    base::log::info("host.draining", {{"name", name_}});
    engine_.host_draining(index_);
    return {};
}

Result<void> Session::on_bye(std::string_view reason) {
    if (auto fine = after_hello("bye"); !fine)
        return fine;
    base::log::info("host.left", {{"name", name_}, {"reason", reason}});
    state_ = State::closed;
    leave(true);
    connection_->close(CloseCode::normal, "bye");
    return {};
}

Result<void> Session::on_unknown(std::string_view op) {
    if (auto fine = after_hello(op); !fine)
        return fine;
    connection_->send(wire::encode_unsupported(op));
    watch_queue();
    return {};
}

Result<void> Session::on_unsupported(std::string_view op) {
    base::log::debug("host.unsupported", {{"name", name_}, {"op", op}});
    return {};
}

void Session::assign(const wire::AssignItem& item) {
    if (assigns_.full())
        connection_->send(assigns_.take());
    assigns_.add(item);
}

void Session::cancel(const wire::CancelItem& item) {
    cancels_.push_back(item);
}

void Session::ack(const wire::AckItem& item) {
    acks_.push_back(item);
}

void Session::flush() {
    if (state_ != State::serving)
        return;
    if (!acks_.empty())
        connection_->send(wire::encode_ack(acks_));
    if (!assigns_.empty())
        connection_->send(assigns_.take());
    // Behind the assignments: a task may be given out and cancelled in one turn.
    if (!cancels_.empty())
        connection_->send(wire::encode_cancel(cancels_));
    acks_.clear();
    cancels_.clear();
    watch_queue();
}

void Session::watch_queue() {
    const auto queued = connection_->queued_bytes();
    if (!backed_up_) {
        if (queued <= wire::limits::send_queue_soft || state_ != State::serving)
            return;
        // One turn may legitimately queue more than the hard limit at once; what counts is how
        // much is added although nothing more is assigned.
        backed_up_ = true;
        hard_limit_ = queued + wire::limits::send_queue_hard - wire::limits::send_queue_soft;
        last_queued_ = queued;
        moved_ = engine_.now();
        engine_.host_backed_up(index_, true);
    } else if (queued > hard_limit_) {
        end(CloseCode::try_again,
            base::error(Errc::limit,
                        std::to_string(queued) + " bytes wait for a host that does not read them"));
    }
}

void Session::on_drained() {
    if (!std::exchange(backed_up_, false) || state_ != State::serving)
        return;
    engine_.host_backed_up(index_, false);
}

void Session::replaced() {
    index_ = core::no_host;
    end(CloseCode::policy,
        base::error(Errc::conflict,
                    "a newer connection of the same host took over",
                    "two hosts that share one data directory share one identity"));
}

}  // namespace distributo::coordinator::sessions
