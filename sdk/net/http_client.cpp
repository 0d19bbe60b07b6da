#include "net/http_client.hpp"

#include "net/http_parse.hpp"
#include "net/socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::net {
namespace {

using base::Errc;
using base::Result;
using Deadline = std::chrono::steady_clock::time_point;

/// Owns a file descriptor.
class Descriptor {
public:
    explicit Descriptor(int number = -1) noexcept : number_(number) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        reset();
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    void reset() noexcept {
        if (number_ >= 0)
            ::close(std::exchange(number_, -1));
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

private:
    int number_;
};

/// Waits for the event; 0 when it came, else an error number, ETIMEDOUT at the deadline.
int wait_for(int descriptor, short event, Deadline deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return ETIMEDOUT;
        pollfd entry{descriptor, event, 0};
        const auto wait = std::min<std::chrono::milliseconds::rep>(left.count(), 1'000'000);
        const int ready = ::poll(&entry, 1, static_cast<int>(wait));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return errno;
    }
}

int connect_to(const addrinfo& address, Deadline deadline, Descriptor& out) {
    Descriptor socket(::socket(address.ai_family,
                               address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                               address.ai_protocol));
    if (!socket.is_open())
        return errno;
    set_connection_options(socket.get());
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return errno;
        if (const int failed = wait_for(socket.get(), POLLOUT, deadline))
            return failed;
        int failed = 0;
        socklen_t size = sizeof failed;
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
        if (failed != 0)
            return failed;
    }
    out = std::move(socket);
    return 0;
}

std::string encode(Method method,
                   const Url& server,
                   std::string_view target,
                   std::string_view body,
                   std::string_view content_type) {
    std::string out(to_string(method));
    out.append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
    out.append(authority(server.host, server.port)).append("\r\n");
    const bool may_have_body = method != Method::get && method != Method::head;
    if (!body.empty())
        out.append("Content-Type: ").append(content_type).append("\r\n");
    if (!body.empty() || may_have_body)
        out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    return out.append("\r\n").append(body);
}

/// May the request be sent again when nobody can tell whether it was carried out?
bool is_repeatable(Method method) noexcept {
    return method == Method::get || method == Method::head || method == Method::put ||
           method == Method::delete_ || method == Method::options;
}

}  // namespace

struct HttpClient::Impl {
    enum class Fate { answered, stale, failed };  // stale: closed before the first byte came back

    Url server;
    Descriptor socket;
    std::string received;  // beyond the last response

    [[nodiscard]] std::string place() const { return authority(server.host, server.port); }
    Result<void> connect(Deadline deadline);
    bool was_closed();
    base::Error lost(int failed) const;
    Fate send(std::string_view bytes, Deadline deadline, base::Error& error);
    Fate receive(Method method, Deadline deadline, Response& response, base::Error& error);
};

Result<void> HttpClient::Impl::connect(Deadline deadline) {
    received.clear();
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int failed =
            ::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found))
        return base::error(
            Errc::unavailable,
            "cannot find the address of " + server.host + ": " + ::gai_strerror(failed),
            "check the name, or use a numeric address");
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    int failed = ECONNREFUSED;
    for (const addrinfo* one = all.get(); one; one = one->ai_next) {
        failed = connect_to(*one, deadline, socket);
        if (failed == 0)
            return {};
    }
    return base::error(failed == ETIMEDOUT ? Errc::timeout : Errc::unavailable,
                       "cannot connect to " + place() + ": " + std::strerror(failed),
                       "is the coordinator running there?");
}

/// Has the server closed the idle connection, or said something that nobody asked for?
bool HttpClient::Impl::was_closed() {
    char byte = 0;
    const auto size = ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !received.empty() || size >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

base::Error HttpClient::Impl::lost(int failed) const {
    if (failed == ETIMEDOUT)
        return base::error(Errc::timeout,
                           "no complete response from " + place() + " in time",
                           "the server may be busy: try again");
    return base::error(Errc::io,
                       "the connection to " + place() + " broke: " + std::strerror(failed),
                       "is the coordinator still running?");
}

HttpClient::Impl::Fate HttpClient::Impl::send(std::string_view bytes,
                                              Deadline deadline,
                                              base::Error& error) {
    while (!bytes.empty()) {
        const auto size = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(size));
            continue;
        }
        int failed = errno;
        if (failed == EAGAIN || failed == EWOULDBLOCK)
            failed = wait_for(socket.get(), POLLOUT, deadline);
        // A server that refuses a body half way has answered before it closed.
        if (failed == EPIPE || failed == ECONNRESET)
            return Fate::answered;
        if (failed != 0 && failed != EINTR) {
            error = lost(failed);
            return Fate::failed;
        }
    }
    return Fate::answered;
}

HttpClient::Impl::Fate HttpClient::Impl::receive(Method method,
                                                 Deadline deadline,
                                                 Response& response,
                                                 base::Error& error) {
    const auto to = method == Method::head ? ResponseParser::To::head : ResponseParser::To::other;
    auto parser = std::make_unique<ResponseParser>(to);
    bool any = false;
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto used = parser->feed(received);
        if (!used) {
            error = used.error();
            return Fate::failed;
        }
        received.erase(0, *used);
        if (parser->done() && parser->response().status < 200) {
            parser = std::make_unique<ResponseParser>(to);  // 100 Continue and the like
            continue;
        }
        if (parser->done())
            break;
        const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (size > 0) {
            any = true;
            received.append(buffer.data(), static_cast<std::size_t>(size));
            continue;
        }
        int failed = size == 0 ? 0 : errno;
        if (size < 0 && (failed == EAGAIN || failed == EWOULDBLOCK)) {
            failed = wait_for(socket.get(), POLLIN, deadline);
            if (failed == 0)
                continue;
        }
        if (failed == EINTR)
            continue;
        if (!any && (failed == 0 || failed == ECONNRESET)) {
            error = lost(ECONNRESET);
            return Fate::stale;
        }
        const auto ended = failed == 0 ? parser->end_of_input() : Result<void>(lost(failed));
        if (!ended) {
            error = ended.error();
            return Fate::failed;
        }
        break;
    }
    if (!parser->keep_alive())
        socket.reset();
    response = std::move(parser->response());
    return Fate::answered;
}

HttpClient::HttpClient(Url server) : impl_(new Impl{std::move(server), Descriptor(), {}}) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<Response> HttpClient::request(Method method,
                                     std::string_view target,
                                     std::string_view body,
                                     std::string_view content_type,
                                     base::Duration timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto bytes = encode(method, impl_->server, target, body, content_type);
    bool reused = impl_->socket.is_open() && !impl_->was_closed();
    for (;;) {
        if (!reused)
            if (const auto connected = impl_->connect(deadline); !connected)
                return connected.error();
        Response response;
        base::Error error;
        auto fate = impl_->send(bytes, deadline, error);
        if (fate == Impl::Fate::answered)
            fate = impl_->receive(method, deadline, response, error);
        if (fate == Impl::Fate::answered)
            return response;
        impl_->socket.reset();
        if (fate == Impl::Fate::failed || !reused || !is_repeatable(method))
            return error;
        reused = false;
    }
}

}  // namespace distributo::net
