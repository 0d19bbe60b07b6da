#include "net/websocket_client.hpp"

#include "net/socket.hpp"
#include "net/websocket.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace distributo::net {
namespace {

using base::Errc;
using boost::asio::ip::tcp;
using boost::system::error_code;
using Resolver = boost::asio::ip::basic_resolver<tcp, Executor>;
using OnConnected = std::function<void(base::Result<std::unique_ptr<Connection>>)>;

/// resolve → connect to one address after the other → upgrade, all under one deadline.
class Connecting final : public std::enable_shared_from_this<Connecting> {
public:
    Connecting(boost::asio::io_context& io, const WebSocketTarget& target, OnConnected done)
        : target_(target),
          done_(std::move(done)),
          resolver_(io.get_executor()),
          socket_(io.get_executor()),
          overall_(io.get_executor()),
          attempt_(io.get_executor()) {}

    void start();
    void cancel();

private:
    void resolve();
    void connect_next();
    void on_connected(const error_code& ec);
    void upgrade();
    void fail(base::Error error);
    void report(base::Result<std::unique_ptr<Connection>> result);
    void release();
    [[nodiscard]] std::string place() const {
        return target_.host + " port " + std::to_string(target_.port);
    }

    WebSocketTarget target_;
    OnConnected done_;
    Resolver resolver_;
    Socket socket_;
    Timer overall_;
    Timer attempt_;
    std::vector<tcp::endpoint> endpoints_;
    std::size_t next_ = 0;
    error_code last_error_;
    std::shared_ptr<void> upgrading_;
};

void Connecting::start() {
    if (!done_)
        return;
    overall_.expires_after(target_.timeout);
    overall_.async_wait([self = shared_from_this()](const error_code& cancelled) {
        if (!cancelled && self->done_)
            self->fail(base::error(
                Errc::timeout,
                "no answer from " + self->place() + " within " +
                    std::to_string(
                        std::chrono::duration_cast<std::chrono::milliseconds>(self->target_.timeout)
                            .count()) +
                    " ms",
                "is the address right, and does a firewall allow the port?"));
    });
    error_code is_name;
    const auto address = boost::asio::ip::make_address(target_.host, is_name);
    if (is_name)
        return resolve();
    endpoints_.emplace_back(address, target_.port);
    connect_next();
}

void Connecting::resolve() {
    resolver_.async_resolve(
        target_.host,
        std::to_string(target_.port),
        Resolver::numeric_service,
        [self = shared_from_this()](const error_code& ec, const Resolver::results_type& found) {
            if (!self->done_)
                return;
            if (ec)
                return self->fail(base::error(
                    Errc::unavailable,
                    "cannot find the address of " + self->target_.host + ": " + ec.message(),
                    "check the name, or use a numeric address"));
            for (const auto& entry : found)
                self->endpoints_.push_back(entry.endpoint());
            self->connect_next();
        });
}

void Connecting::connect_next() {
    if (next_ == endpoints_.size())
        return fail(base::error(Errc::unavailable,
                                "cannot connect to " + place() + ": " + last_error_.message(),
                                "is the coordinator running there?"));
    const auto endpoint = endpoints_[next_++];
    error_code failed;
    socket_.close(failed);
    socket_.open(endpoint.protocol(), failed);
    if (failed) {
        last_error_ = failed;
        return connect_next();
    }
    set_connection_options(socket_.native_handle());
    // An address that swallows everything must leave time for the others.
    const auto left = overall_.expiry() - std::chrono::steady_clock::now();
    attempt_.expires_after(left / static_cast<int>(endpoints_.size() - next_ + 1));
    attempt_.async_wait([self = shared_from_this()](const error_code& cancelled) {
        error_code closed;
        if (!cancelled && !self->upgrading_)
            self->socket_.close(closed);
    });
    socket_.async_connect(endpoint, [self = shared_from_this()](const error_code& ec) {
        if (self->done_)
            self->on_connected(ec);
    });
}

void Connecting::on_connected(const error_code& ec) {
    attempt_.cancel();
    if (!ec)
        return upgrade();
    last_error_ = ec == boost::asio::error::operation_aborted
                      ? error_code(boost::asio::error::timed_out)
                      : ec;
    connect_next();
}

void Connecting::upgrade() {
    WebSocketLimits limits;
    limits.handshake_time = std::chrono::ceil<std::chrono::milliseconds>(target_.timeout);
    upgrading_ = request_websocket(
        std::move(socket_),
        {authority(target_.host, target_.port), target_.path, target_.subprotocol},
        limits,
        [self = shared_from_this()](auto result) {
            if (self->done_)
                self->report(std::move(result));
        });
}

void Connecting::fail(base::Error error) {
    report(std::move(error));
}

void Connecting::report(base::Result<std::unique_ptr<Connection>> result) {
    const auto done = std::exchange(done_, nullptr);
    release();
    done(std::move(result));
}

void Connecting::cancel() {
    done_ = nullptr;
    release();
}

void Connecting::release() {
    overall_.cancel();
    attempt_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    upgrading_.reset();
}

/// Cancels when the caller loses interest.
struct Interest {
    explicit Interest(std::shared_ptr<Connecting> begun) : connecting(std::move(begun)) {}
    Interest(const Interest&) = delete;
    Interest& operator=(const Interest&) = delete;
    ~Interest() { connecting->cancel(); }
    std::shared_ptr<Connecting> connecting;
};

}  // namespace

std::shared_ptr<void> connect_websocket(boost::asio::io_context& io,
                                        const WebSocketTarget& target,
                                        OnConnected done) {
    const auto connecting = std::make_shared<Connecting>(io, target, std::move(done));
    boost::asio::post(io, [connecting] { connecting->start(); });
    return std::make_shared<Interest>(connecting);
}

}  // namespace distributo::net
