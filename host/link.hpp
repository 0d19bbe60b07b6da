#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "discovery/discovery.hpp"
#include "host/reconnect.hpp"
#include "net/connection.hpp"
#include "net/http_client.hpp"
#include "wire/messages.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace distributo::host {

class LinkEvents {
public:
    virtual ~LinkEvents() = default;
    /// The encoded hello for a new connection.
    virtual std::string hello() = 0;
    virtual void on_message(std::string_view text) = 0;
    /// The send queue has become empty.
    virtual void on_writable() = 0;
    virtual void on_disconnected() = 0;
    /// No coordinator was found in time; nothing more will be tried.
    virtual void on_hopeless(const base::Error& error) = 0;
    /// close() has completed.
    virtual void on_closed() = 0;
};

struct LinkOptions {
    std::string coordinator;   ///< URL; tried for ever
    std::string service_type;  ///< used when there is no URL
    base::Duration discovery_timeout = std::chrono::seconds(10);
};

/// The one connection to the coordinator: finds it, connects, keeps it alive, connects again.
///
///   searching ─► connecting ─► greeting ─(welcome)─► up ─(lost)─► waiting ─► connecting …
///
/// Not thread-safe: lives on the io_context.
class Link final : net::ConnectionEvents {
public:
    Link(boost::asio::io_context& io,
         const base::Clock& clock,
         LinkOptions options,
         std::function<double()> random,
         LinkEvents& events);
    ~Link() override;

    [[nodiscard]] base::Result<void> start();

    /// The welcome has been read: the link is up, and beats as the coordinator asked.
    void welcomed(const wire::Welcome& welcome);
    [[nodiscard]] bool up() const noexcept { return state_ == State::up; }

    /// Only while up.
    void send(std::string message);
    [[nodiscard]] std::size_t queued_bytes() const;
    /// Says hello anew on another connection, at once.
    void greet_again();
    /// The peer broke the protocol: drops this connection, and tries again later.
    void fail(const base::Error& error);
    /// Sends what is queued and ends; on_closed follows.
    void close(std::string_view reason);

private:
    enum class State : std::uint8_t { idle, searching, connecting, greeting, up, waiting, closed };

    void on_message(std::string_view text) override;
    void on_drained() override;
    void on_closed(std::string_view why) override;

    void search();
    void connect();
    void connected(base::Result<std::unique_ptr<net::Connection>> result);
    void lost(const std::string& why, const std::string& hint);
    void drop_connection();
    void finish_close();
    void beat();
    void limit_greeting();
    void note_welcome(const wire::Welcome& welcome);
    [[nodiscard]] bool choose_target();

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    LinkOptions options_;
    LinkEvents& events_;
    ReconnectSchedule schedule_;
    State state_ = State::idle;
    net::Url target_;
    std::unique_ptr<discovery::Browser> browser_;
    std::map<std::string, discovery::Service> found_;  // by instance name
    std::shared_ptr<void> connecting_;
    std::unique_ptr<net::Connection> connection_;
    boost::asio::steady_timer timer_;  // of the present state
    base::Duration heartbeat_ = std::chrono::seconds(5);
    base::Duration reconnect_window_{};
    base::TimePoint up_since_{};
    base::TimePoint lost_since_{};
    base::TimePoint last_sent_{};
    std::string coordinator_id_;  // and the term: of the last welcome
    std::uint32_t term_ = 0;
    std::shared_ptr<bool> alive_;
};

}  // namespace distributo::host
