#include "host/link.hpp"

#include "base/log.hpp"
#include "host/options.hpp"
#include "net/websocket_client.hpp"
#include "wire/codec.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

constexpr base::Duration greeting_time = std::chrono::seconds(10);
/// A connection that ends sooner counts as a failed try: two hosts that share one identity would
/// otherwise throw each other out as fast as they can.
constexpr base::Duration steady_time = std::chrono::seconds(5);
/// A host looks for the coordinator whose tasks it has for this long before it goes to another one:
/// the time for which that one keeps them for it.
constexpr base::Duration loyal_time = std::chrono::seconds(30);
/// After this the socket is dropped, whatever the peer does.
constexpr base::Duration closing_time = std::chrono::seconds(6);

}  // namespace

Link::Link(asio::io_context& io,
           const base::Clock& clock,
           LinkOptions options,
           std::function<double()> random,
           LinkEvents& events)
    : io_(io),
      clock_(clock),
      options_(std::move(options)),
      events_(events),
      schedule_(std::move(random)),
      timer_(io),
      alive_(std::make_shared<bool>(true)) {}

Link::~Link() {
    *alive_ = false;
}

base::Result<void> Link::start() {
    if (options_.coordinator.empty()) {
        search();
        return state_ == State::searching
                   ? base::Result<void>()
                   : base::error(base::Errc::unavailable,
                                 "cannot look for a coordinator on the network",
                                 "name one: --coordinator http://HOST:4000");
    }
    auto url = net::parse_url(options_.coordinator, default_port);
    if (!url)
        return url.error();
    target_ = std::move(*url);
    connect();
    return {};
}

// ---- finding ---------------------------------------------------------------------------------

void Link::search() {
    discovery::BrowserEvents events;
    events.on_found = [this](const discovery::Service& service) {
        found_[service.instance] = service;
        if (state_ == State::searching && choose_target())
            connect();
    };
    events.on_lost = [this](const std::string& instance) { found_.erase(instance); };
    auto browser = discovery::browse(io_, options_.service_type, std::move(events));
    if (!browser) {
        log::error("discovery.failed",
                   {{"why", browser.error().message}, {"hint", browser.error().hint}});
        return;
    }
    browser_ = std::move(*browser);
    state_ = State::searching;
    log::info("coordinator.searching", {{"service", options_.service_type}});
    timer_.expires_after(options_.discovery_timeout);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive || state_ != State::searching)
            return;
        state_ = State::closed;
        const auto waited =
            std::chrono::duration_cast<std::chrono::milliseconds>(options_.discovery_timeout);
        events_.on_hopeless(base::error(
            base::Errc::unavailable,
            "no coordinator found: nobody answered for " + options_.service_type + " within " +
                std::to_string(waited.count()) + " ms (--discovery-timeout)",
            "name one: distributo-host --coordinator http://HOST:4000"));
    });
}

bool Link::choose_target() {
    if (found_.empty())
        return false;
    // Its own coordinator, if that is announced; another one only when it stays away.
    const auto own = std::ranges::find_if(found_, [&](const auto& entry) {
        const auto id = entry.second.txt.find("id");
        return id != entry.second.txt.end() && id->second == coordinator_id_;
    });
    if (own == found_.end() && !coordinator_id_.empty() && clock_.now() - lost_since_ < loyal_time)
        return false;
    const auto& service = (own == found_.end() ? found_.begin() : own)->second;
    target_ = {.host = service.address, .port = service.port};
    return true;
}

// ---- connecting ------------------------------------------------------------------------------

void Link::connect() {
    timer_.cancel();
    // When it is not announced at the moment, it is tried where it was before.
    if (browser_)
        static_cast<void>(choose_target());
    state_ = State::connecting;
    net::WebSocketTarget target;
    target.host = target_.host;
    target.port = target_.port;
    target.path = wire::host_path;
    target.subprotocol = wire::subprotocol;
    connecting_ = net::connect_websocket(io_, target, [this, alive = alive_](auto result) {
        if (*alive)
            connected(std::move(result));
    });
}

void Link::connected(base::Result<std::unique_ptr<net::Connection>> result) {
    // The handle is on the call stack.
    asio::post(io_, [handle = std::move(connecting_)] {});
    if (state_ != State::connecting)
        return;
    if (!result)
        return lost(result.error().message, result.error().hint);
    connection_ = std::move(*result);
    connection_->start(*this);
    state_ = State::greeting;
    connection_->send(events_.hello());
    last_sent_ = clock_.now();
    limit_greeting();
}

void Link::limit_greeting() {
    timer_.expires_after(greeting_time);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && state_ == State::greeting) {
            drop_connection();
            lost("no welcome within 10 s", "is that the port for hosts?");
        }
    });
}

void Link::welcomed(const wire::Welcome& welcome) {
    if (state_ != State::greeting)
        return;
    log::info("coordinator.joined",
              {{"address", target_.host + ':' + std::to_string(target_.port)},
               {"coordinator", welcome.coordinator_id},
               {"term", welcome.term}});
    state_ = State::up;
    note_welcome(welcome);
    reconnect_window_ = std::chrono::milliseconds(welcome.reconnect_window_ms);
    up_since_ = clock_.now();
    heartbeat_ = std::chrono::milliseconds(std::max<std::int64_t>(welcome.heartbeat_ms, 100));
    beat();
}

/// A coordinator that was started anew is reason enough for a connection to have ended, however
/// short it was.
void Link::note_welcome(const wire::Welcome& welcome) {
    schedule_.welcomed();
    if (welcome.coordinator_id == coordinator_id_ && welcome.term == term_)
        return;
    coordinator_id_ = welcome.coordinator_id;
    term_ = welcome.term;
    schedule_.connected(std::chrono::milliseconds(welcome.reconnect_window_ms));
}

void Link::beat() {
    timer_.expires_at(last_sent_ + heartbeat_);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive || state_ != State::up)
            return;
        // Everything that is sent says that this host lives; a heartbeat fills the silences.
        if (clock_.now() - last_sent_ >= heartbeat_)
            send(wire::encode_heartbeat());
        beat();
    });
}

// ---- talking ---------------------------------------------------------------------------------

void Link::send(std::string message) {
    if (state_ != State::up)
        return;
    last_sent_ = clock_.now();
    connection_->send(std::move(message));
}

std::size_t Link::queued_bytes() const {
    return connection_ ? connection_->queued_bytes() : 0;
}

void Link::on_message(std::string_view text) {
    if (state_ == State::greeting || state_ == State::up)
        events_.on_message(text);
}

void Link::on_drained() {
    if (state_ == State::up)
        events_.on_writable();
}

// ---- losing ----------------------------------------------------------------------------------

void Link::on_closed(std::string_view why) {
    drop_connection();
    if (state_ == State::closed)
        return finish_close();
    lost(why.empty() ? "the connection was closed" : std::string(why), {});
}

void Link::fail(const base::Error& error) {
    if (!connection_ || state_ == State::closed)
        return;
    if (state_ == State::up)
        connection_->send(wire::encode_error(error));
    drop_connection();
    lost(error.message, error.hint);
}

void Link::greet_again() {
    if (state_ != State::greeting)
        return;
    drop_connection();
    connect();
}

void Link::lost(const std::string& why, const std::string& hint) {
    const bool was_up = state_ == State::up;
    if (was_up)
        lost_since_ = clock_.now();
    if (was_up && clock_.now() - up_since_ >= steady_time)
        schedule_.connected(reconnect_window_);
    state_ = State::waiting;
    const auto delay = schedule_.next();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
    if (was_up || schedule_.worth_logging())
        log::warn(was_up ? "coordinator.lost" : "coordinator.unreachable",
                  {{"address", target_.host + ':' + std::to_string(target_.port)},
                   {"why", why},
                   {"hint", hint},
                   {"tries", schedule_.tries()},
                   {"again_in_ms", milliseconds}});
    timer_.expires_after(delay);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && state_ == State::waiting)
            connect();
    });
    if (was_up)
        events_.on_disconnected();
}

void Link::drop_connection() {
    if (connection_)
        asio::post(io_, [old = std::shared_ptr<net::Connection>(std::move(connection_))] {});
}

// ---- leaving ---------------------------------------------------------------------------------

void Link::close(std::string_view reason) {
    const bool connected = connection_ != nullptr;
    if (state_ == State::closed && connected)
        return;
    const bool was_up = state_ == State::up;
    state_ = State::closed;
    browser_.reset();
    connecting_.reset();
    if (!was_up) {
        drop_connection();
        return finish_close();
    }
    connection_->send(wire::encode_bye(reason));
    connection_->close(net::CloseCode::normal, reason);
    timer_.expires_after(closing_time);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive || !connection_)
            return;
        drop_connection();
        finish_close();
    });
}

void Link::finish_close() {
    timer_.cancel();
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            events_.on_closed();
    });
}

}  // namespace distributo::host
