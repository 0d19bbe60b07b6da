#include "net/http_server.hpp"

#include "base/log.hpp"
#include "net/http_sessions.hpp"
#include "net/http_writer.hpp"
#include "net/refusal.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, Executor>;

constexpr int accepted_per_turn = 64;  // then other connections have their turn
constexpr auto shed_pause = std::chrono::milliseconds(100);
constexpr auto shed_report_every = std::chrono::seconds(10);

/// A file descriptor in reserve: closed to accept, and turn away, a connection when there is no
/// other left. Without it the listening socket would stay readable and nothing could be done.
class Reserve {
public:
    Reserve() { open(); }
    ~Reserve() { close(); }
    Reserve(const Reserve&) = delete;
    Reserve& operator=(const Reserve&) = delete;

    /// Turns one waiting connection away; false when even that was not possible.
    bool shed(int listener) {
        close();
        const int doomed = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (doomed >= 0)
            ::close(doomed);
        open();
        return doomed >= 0;
    }

private:
    void open() { descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
    void close() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
        descriptor_ = -1;
    }
    int descriptor_ = -1;
};

/// Best effort: the peer may not have sent its request yet.
void turn_away(int descriptor, const Refusal& refusal, std::string_view date) {
    std::string out;
    append_response(out, to_response(refusal), {.close = true, .date = date});
    static_cast<void>(::send(descriptor, out.data(), out.size(), MSG_NOSIGNAL));
    ::shutdown(descriptor, SHUT_WR);
    ::close(descriptor);
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
    explicit Impl(boost::asio::io_context& context)
        : io(context), acceptor(context.get_executor()), pause(context.get_executor()) {}

    base::Result<void> open(const ListenerOptions& options);
    void wait();
    void accept();
    bool accept_one();
    void take(int descriptor, const tcp::endpoint& peer);
    void shed();

    boost::asio::io_context& io;
    Acceptor acceptor;
    Timer pause;
    Reserve reserve;
    std::shared_ptr<HttpSessions> sessions;
    boost::asio::ip::address address;
    std::uint16_t port = 0;
    std::chrono::steady_clock::time_point last_report{};
    std::size_t shed_since = 0;
};

base::Result<void> HttpServer::Impl::open(const ListenerOptions& options) {
    error_code ec;
    address = boost::asio::ip::make_address(options.address, ec);
    if (ec)
        return base::error(base::Errc::invalid_argument,
                           "expected a numeric address to listen on, got '" + options.address + "'",
                           "use 127.0.0.1 for this machine only, 0.0.0.0 for the network");
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec)
        acceptor.set_option(Acceptor::reuse_address(true), ec);
    if (!ec)
        acceptor.bind(endpoint, ec);
    if (!ec)
        acceptor.listen(Acceptor::max_listen_connections, ec);
    if (!ec)
        acceptor.native_non_blocking(true, ec);
    if (ec)
        return base::error(base::Errc::unavailable,
                           "cannot listen on " + to_text(endpoint) + ": " + ec.message(),
                           ec == boost::asio::error::address_in_use
                               ? "is another server running there? choose another port"
                               : "choose an address of this machine, and a port above 1023");
    set_connection_options(acceptor.native_handle());
    port = acceptor.local_endpoint(ec).port();
    return {};
}

void HttpServer::Impl::wait() {
    if (!acceptor.is_open())
        return;
    acceptor.async_wait(Acceptor::wait_read, [self = shared_from_this()](const error_code& ec) {
        if (!ec && self->acceptor.is_open())
            self->accept();
    });
}

void HttpServer::Impl::accept() {
    for (int i = 0; i < accepted_per_turn; ++i)
        if (!accept_one())
            break;
    if (pause.expiry() <= std::chrono::steady_clock::now())
        return wait();
    pause.async_wait([self = shared_from_this()](const error_code& cancelled) {
        if (!cancelled)
            self->wait();
    });
}

/// False when no connection waits, or none can be taken for the moment.
bool HttpServer::Impl::accept_one() {
    tcp::endpoint peer;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int descriptor = ::accept4(acceptor.native_handle(),
                                     reinterpret_cast<sockaddr*>(&from),
                                     &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
        peer.resize(size);
        std::memcpy(peer.data(), &from, size);
        take(descriptor, peer);
        return acceptor.is_open();
    }
    switch (errno) {
        case EINTR:
        case ECONNABORTED:
            return true;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            shed();
            return pause.expiry() <= std::chrono::steady_clock::now();
        default:
            return false;
    }
}

void HttpServer::Impl::take(int descriptor, const tcp::endpoint& peer) {
    if (const auto full = sessions->full(peer.address()); !full.empty())
        return turn_away(descriptor,
                         {sessions->count() < sessions->limits().connections ? 429U : 503U,
                          "too_many_connections",
                          std::string(full),
                          "close connections that you do not use, or try again later"},
                         sessions->date());
    Socket socket(io.get_executor());
    error_code ec;
    socket.assign(peer.protocol(), descriptor, ec);
    if (ec) {
        ::close(descriptor);
        return;
    }
    auto local = address;
    if (address.is_unspecified())
        local = socket.local_endpoint(ec).address();
    sessions->add(std::move(socket), peer, std::move(local));
}

void HttpServer::Impl::shed() {
    const auto now = std::chrono::steady_clock::now();
    if (reserve.shed(acceptor.native_handle()))
        ++shed_since;
    else
        pause.expires_after(shed_pause);
    if (now - last_report < shed_report_every)
        return;
    last_report = now;
    base::log::warn("http.out_of_descriptors",
                    {{"port", port}, {"turned_away", std::exchange(shed_since, 0)}});
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<HttpServer>> HttpServer::listen(boost::asio::io_context& io,
                                                             const ListenerOptions& options,
                                                             HttpHandler& handler) {
    auto impl = std::make_shared<Impl>(io);
    if (auto opened = impl->open(options); !opened)
        return opened.error();
    auto names = options.host_names;
    names.push_back(options.address);
    impl->sessions = std::make_shared<HttpSessions>(
        io, handler, options.limits, Gate(names, impl->port, options.limits.body_bytes));
    impl->wait();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
    stop_accepting();
    impl_->sessions->shut_down();
}

std::uint16_t HttpServer::port() const noexcept {
    return impl_->port;
}

void HttpServer::stop_accepting() {
    error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    impl_->sessions->drain();
}

std::size_t HttpServer::connection_count() const noexcept {
    return impl_->sessions->count();
}

}  // namespace distributo::net
