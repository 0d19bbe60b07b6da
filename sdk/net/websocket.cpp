#include "net/websocket.hpp"

#include "wire/json.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace distributo::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using base::Errc;
using boost::system::error_code;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t write_buffer = 128 * 1024;
constexpr std::size_t small_buffer = 16 * 1024;
/// After so many small messages a buffer that a large one left behind is given back.
constexpr unsigned small_messages = 16;
constexpr std::uint16_t unsupported_data = 1003;

/// The socket under Beast's stream, a type of our own for the sake of async_teardown.
class Transport : public Socket {
public:
    explicit Transport(Socket&& socket) : Socket(std::move(socket)) {}
};

/// Found by Beast in place of its own, which waits without a limit until the peer closes too: the
/// read or close that ended the WebSocket completes at once, and WebSocket::linger does the rest.
template <typename Handler>
void async_teardown(beast::role_type, Transport& socket, Handler&& handler) {
    boost::asio::post(socket.get_executor(),
                      beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
}

/// "403 Forbidden: expected …" of a response that refused the upgrade.
base::Error refused(const websocket::response_type& response) {
    std::string detail;
    std::string hint;
    wire::json::Reader reader(response.body());
    std::string_view key;
    wire::json::Value value;
    if (reader.begin_object())
        while (reader.next_member(key) && reader.value(value)) {
            if (key == "detail")
                detail = value.string().value_or("");
            else if (key == "hint")
                hint = value.string().value_or("");
        }
    std::string message =
        "the server refused the WebSocket with status " + std::to_string(response.result_int());
    if (!detail.empty())
        message += ": " + detail;
    return base::error(Errc::unavailable, std::move(message), std::move(hint));
}

/// One WebSocket of either side, from the upgrade on. Kept alive by its pending operations.
class WebSocket final : public std::enable_shared_from_this<WebSocket> {
public:
    WebSocket(Socket socket, std::string peer, const WebSocketLimits& limits)
        : timer_(socket.get_executor()),
          stream_(Transport(std::move(socket))),
          peer_(std::move(peer)),
          limits_(limits) {
        stream_.auto_fragment(false);
        stream_.write_buffer_bytes(write_buffer);
        stream_.read_message_max(limits.message_bytes);
        // Liveness is the business of the protocol above: Beast's pings are not counted by peers.
        stream_.set_option(websocket::stream_base::timeout{
            limits.handshake_time, websocket::stream_base::none(), false});
    }

    void accept(const RequestHead& head, const Response& accepted, OnWebSocket done);
    void request(const WebSocketRequest& request, OnWebSocket done);

    void start(ConnectionEvents& events) {
        events_ = &events;
        read();
    }
    void send(std::string message);
    void close(std::uint16_t code, std::string_view reason);
    /// The owner is gone: nothing is reported any more.
    void drop();

    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_bytes_; }
    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

private:
    using Stream = websocket::stream<Transport, false>;

    void report(base::Result<std::unique_ptr<Connection>> result);
    void opened();
    void read();
    void on_read(const error_code& ec);
    void tidy(std::size_t message_size);
    void write();
    void on_written(const error_code& ec);
    void begin_close();
    void arm(std::chrono::milliseconds delay);
    void on_timer();
    enum class End { at_once, lingering };
    void finish(End end, std::string why);
    void linger();
    void shut();
    [[nodiscard]] bool ended() const noexcept { return ended_; }

    Timer timer_;
    Stream stream_;
    beast::flat_buffer in_;
    std::string peer_;
    WebSocketLimits limits_;
    OnWebSocket done_;
    ConnectionEvents* events_ = nullptr;

    std::string current_;             // being written: must not move
    std::vector<std::string> queue_;  // from next_ on: to be written
    std::size_t next_ = 0;
    std::size_t queued_bytes_ = 0;
    std::optional<websocket::close_reason> close_;
    std::unique_ptr<websocket::response_type> answer_;  // to our upgrade
    SteadyTime close_deadline_{};
    SteadyTime progress_{};  // when bytes were last seen to be acknowledged
    std::uint64_t acknowledged_ = 0;
    unsigned small_in_a_row_ = 0;
    bool writing_ = false;
    bool armed_ = false;
    bool ended_ = false;
};

/// What the users of a connection own.
class Handle final : public Connection {
public:
    explicit Handle(std::shared_ptr<WebSocket> socket) : socket_(std::move(socket)) {}
    ~Handle() override { socket_->drop(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    void start(ConnectionEvents& events) override { socket_->start(events); }
    void send(std::string message) override { socket_->send(std::move(message)); }
    [[nodiscard]] std::size_t queued_bytes() const override { return socket_->queued_bytes(); }
    void close(CloseCode code, std::string_view reason) override {
        socket_->close(static_cast<std::uint16_t>(code), reason);
    }
    [[nodiscard]] std::string peer() const override { return socket_->peer(); }

private:
    std::shared_ptr<WebSocket> socket_;
};

// ---- upgrade ---------------------------------------------------------------------------------

void WebSocket::accept(const RequestHead& head, const Response& accepted, OnWebSocket done) {
    done_ = std::move(done);
    http::request<http::empty_body> request;
    request.method(http::verb::get);
    request.target(head.target);
    request.version(11);
    for (const auto& [name, value] : head.headers)
        request.insert(name, value);
    stream_.set_option(websocket::stream_base::decorator(
        [headers = accepted.headers](websocket::response_type& response) {
            response.set("X-Content-Type-Options", "nosniff");
            for (const auto& [name, value] : headers)
                response.set(name, value);
        }));
    stream_.async_accept(request, [self = shared_from_this()](const error_code& ec) {
        if (ec)
            self->report(base::error(Errc::io, "the upgrade failed: " + ec.message()));
        else
            self->opened();
    });
}

void WebSocket::request(const WebSocketRequest& request, OnWebSocket done) {
    done_ = std::move(done);
    answer_ = std::make_unique<websocket::response_type>();
    if (!request.subprotocol.empty())
        stream_.set_option(websocket::stream_base::decorator(
            [name = request.subprotocol](websocket::request_type& upgrade) {
                upgrade.set(http::field::sec_websocket_protocol, name);
            }));
    stream_.async_handshake(
        *answer_,
        request.authority,
        request.path,
        [self = shared_from_this(), asked = request.subprotocol](const error_code& ec) {
            const auto answer = std::move(self->answer_);
            if (ec == websocket::error::upgrade_declined)
                return self->report(refused(*answer));
            if (ec)
                return self->report(
                    base::error(Errc::unavailable,
                                "no WebSocket at " + self->peer_ + ": " + ec.message(),
                                "is this the port for hosts?"));
            if ((*answer)[http::field::sec_websocket_protocol] != asked)
                return self->report(
                    base::error(Errc::unavailable,
                                "the server does not speak the WebSocket subprotocol " + asked,
                                "is this a Distributo coordinator of the same major version?"));
            self->opened();
        });
}

void WebSocket::report(base::Result<std::unique_ptr<Connection>> result) {
    const auto done = std::exchange(done_, nullptr);
    if (!result)
        shut();
    if (done)
        done(std::move(result));
}

void WebSocket::opened() {
    stream_.set_option(
        websocket::stream_base::timeout{limits_.close_time, websocket::stream_base::none(), false});
    if (done_)
        report(std::make_unique<Handle>(shared_from_this()));
}

// ---- reading ---------------------------------------------------------------------------------

void WebSocket::read() {
    stream_.async_read(
        in_, [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_read(ec); });
}

std::string describe(const error_code& ec, const websocket::close_reason& reason) {
    if (ec == websocket::error::closed && reason.code != websocket::close_code::none) {
        std::string text = "closed by the peer with code " + std::to_string(reason.code);
        if (!reason.reason.empty())
            text.append(": ").append(reason.reason.data(), reason.reason.size());
        return text;
    }
    if (ec == websocket::error::closed)
        return "closed by the peer";
    return ec.message();
}

/// Is there nobody left to whom a close frame could be of use?
bool is_transport_error(const error_code& ec) {
    return ec.category() == boost::asio::error::get_system_category() ||
           ec.category() == boost::asio::error::get_misc_category();
}

void WebSocket::on_read(const error_code& ec) {
    if (ended())
        return;
    if (ec == boost::asio::error::operation_aborted && close_)
        return;  // the close goes on alone, and reports
    if (ec)
        return finish(is_transport_error(ec) ? End::at_once : End::lingering,
                      describe(ec, stream_.reason()));
    if (stream_.got_text()) {
        const auto data = in_.data();
        events_->on_message({static_cast<const char*>(data.data()), data.size()});
        if (ended())
            return;
    } else {
        close(unsupported_data, "expected text messages");
    }
    tidy(in_.size());
    read();
}

void WebSocket::tidy(std::size_t message_size) {
    in_.consume(message_size);
    if (in_.capacity() <= small_buffer)
        return;
    small_in_a_row_ = message_size <= small_buffer ? small_in_a_row_ + 1 : 0;
    if (small_in_a_row_ < small_messages)
        return;
    small_in_a_row_ = 0;
    in_.shrink_to_fit();
}

// ---- writing ---------------------------------------------------------------------------------

void WebSocket::send(std::string message) {
    if (ended() || close_)
        return;
    queued_bytes_ += message.size();
    queue_.push_back(std::move(message));
    if (!writing_)
        write();
}

void WebSocket::write() {
    current_ = std::move(queue_[next_++]);
    if (next_ == queue_.size()) {
        queue_.clear();
        next_ = 0;
    }
    writing_ = true;
    progress_ = std::chrono::steady_clock::now();
    if (!armed_)
        arm(limits_.stall_time / 3);
    stream_.async_write(
        boost::asio::const_buffer(current_.data(), current_.size()),
        [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_written(ec); });
}

void WebSocket::on_written(const error_code& ec) {
    writing_ = false;
    if (ended())
        return;
    if (ec)
        return finish(End::at_once, "cannot write: " + ec.message());
    queued_bytes_ -= current_.size();
    current_ = {};
    if (!queue_.empty())
        return write();
    if (queue_.capacity() > 0)
        queue_ = {};
    if (close_)
        return begin_close();
    if (events_)
        events_->on_drained();
}

// ---- closing ---------------------------------------------------------------------------------

void WebSocket::close(std::uint16_t code, std::string_view reason) {
    if (ended() || close_)
        return;
    std::size_t length = std::min<std::size_t>(reason.size(), 123);
    while (length < reason.size() && length > 0 && (reason[length] & '\xC0') == '\x80')
        --length;  // not into the middle of a character
    close_.emplace(code);
    close_->reason.assign(reason.data(), length);
    close_deadline_ = std::chrono::steady_clock::now() + limits_.close_time;
    arm(limits_.close_time);
    if (!writing_)
        begin_close();
}

void WebSocket::begin_close() {
    stream_.async_close(*close_, [self = shared_from_this()](const error_code& ec) {
        if (self->ended())
            return;
        const auto& reason = self->close_->reason;
        self->finish(
            ec ? End::at_once : End::lingering,
            "closed here: " + (ec ? ec.message() : std::string(reason.data(), reason.size())));
    });
}

void WebSocket::arm(std::chrono::milliseconds delay) {
    armed_ = true;
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](const error_code& ec) {
        if (!ec && !self->ended())
            self->on_timer();
    });
}

void WebSocket::on_timer() {
    armed_ = false;
    const auto now = std::chrono::steady_clock::now();
    if (close_ && now >= close_deadline_)
        return finish(End::at_once, "the peer did not answer the close");
    if (close_)
        return arm(std::chrono::ceil<std::chrono::milliseconds>(close_deadline_ - now));
    if (!writing_)
        return;
    const auto bytes = acknowledged_bytes(stream_.next_layer().native_handle());
    if (bytes != std::exchange(acknowledged_, bytes))
        progress_ = now;
    if (now - progress_ >= limits_.stall_time)
        return finish(End::at_once,
                      "the peer has read nothing for " +
                          std::to_string(limits_.stall_time.count() / 1000) + " s");
    arm(limits_.stall_time / 3);
}

void WebSocket::finish(End end, std::string why) {
    if (end == End::at_once) {
        shut();
    } else {
        ended_ = true;
        error_code ignored;
        stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
        timer_.expires_after(limits_.close_time);
        timer_.async_wait([self = shared_from_this()](const error_code& ec) {
            if (!ec)
                self->shut();
        });
        linger();
    }
    if (auto* events = std::exchange(events_, nullptr))
        events->on_closed(why);
}

/// Closing while input is unread would reset the connection, and the peer might lose our close
/// frame: what it still sends is thrown away until it closes, or time is up.
void WebSocket::linger() {
    stream_.next_layer().async_wait(
        Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
            std::array<char, 4096> discarded;
            if (ec)
                return;
            const auto size = ::recv(self->stream_.next_layer().native_handle(),
                                     discarded.data(),
                                     discarded.size(),
                                     MSG_DONTWAIT);
            if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)))
                self->linger();
            else
                self->shut();
        });
}

void WebSocket::drop() {
    if (ended())
        return;
    events_ = nullptr;
    done_ = nullptr;
    shut();
}

void WebSocket::shut() {
    ended_ = true;
    timer_.cancel();
    queue_ = {};
    next_ = 0;
    queued_bytes_ = 0;
    error_code ignored;
    stream_.next_layer().close(ignored);
}

std::string peer_of(const Socket& socket) {
    error_code gone;
    const auto endpoint = socket.remote_endpoint(gone);
    return gone ? "a closed socket" : to_text(endpoint);
}

/// Drops an upgrade that is still under way; has no effect on a connection that was handed over.
class Upgrade {
public:
    explicit Upgrade(std::weak_ptr<WebSocket> socket) : socket_(std::move(socket)) {}
    Upgrade(const Upgrade&) = delete;
    Upgrade& operator=(const Upgrade&) = delete;
    ~Upgrade() {
        if (const auto socket = socket_.lock(); socket && *pending)
            socket->drop();
    }
    const std::shared_ptr<bool> pending = std::make_shared<bool>(true);

private:
    std::weak_ptr<WebSocket> socket_;
};

OnWebSocket once(const Upgrade& upgrade, OnWebSocket done) {
    return [pending = upgrade.pending, done = std::move(done)](auto result) {
        *pending = false;
        done(std::move(result));
    };
}

}  // namespace

std::shared_ptr<void> accept_websocket(Socket socket,
                                       const RequestHead& head,
                                       const Response& accepted,
                                       const WebSocketLimits& limits,
                                       OnWebSocket done) {
    const auto opening = std::make_shared<WebSocket>(std::move(socket), head.peer, limits);
    auto upgrade = std::make_shared<Upgrade>(opening);
    opening->accept(head, accepted, once(*upgrade, std::move(done)));
    return upgrade;
}

std::shared_ptr<void> request_websocket(Socket socket,
                                        const WebSocketRequest& request,
                                        const WebSocketLimits& limits,
                                        OnWebSocket done) {
    auto peer = peer_of(socket);
    const auto opening = std::make_shared<WebSocket>(std::move(socket), std::move(peer), limits);
    auto upgrade = std::make_shared<Upgrade>(opening);
    opening->request(request, once(*upgrade, std::move(done)));
    return upgrade;
}

}  // namespace distributo::net
