#include "tests/bench/http_socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::bench {
namespace {

constexpr std::size_t read_size = 64 * 1024;

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

}  // namespace

HttpSocket::HttpSocket(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

HttpSocket::HttpSocket(HttpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      end_(other.end_) {}

HttpSocket::~HttpSocket() {
    if (fd_ >= 0)
        close(fd_);
}

void HttpSocket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void HttpSocket::forget_buffer() {
    buffer_ = {};
    begin_ = end_ = 0;
}

void HttpSocket::fill() {
    if (begin_ != 0) {
        std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
                  buffer_.begin());
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() - end_ < read_size / 2)
        buffer_.resize(buffer_.size() + read_size);
    const ssize_t got = recv(fd_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got <= 0)
        fail("the server closed the connection");
    end_ += static_cast<std::size_t>(got);
}

int HttpSocket::receive(std::string_view& body) {
    for (;;) {
        const std::string_view text(buffer_.data() + begin_, end_ - begin_);
        const std::size_t head = text.find("\r\n\r\n");
        if (head != std::string_view::npos) {
            const std::size_t field = text.find("Content-Length: ");
            const std::size_t size =
                field < head ? std::strtoul(text.data() + field + 16, nullptr, 10) : 0;
            if (text.size() >= head + 4 + size) {
                body = text.substr(head + 4, size);
                begin_ += head + 4 + size;
                return std::atoi(text.data() + 9);
            }
        }
        fill();
    }
}

std::string request(std::string_view method,
                    std::string_view target,
                    std::uint16_t port,
                    std::string_view body,
                    std::string_view content_type) {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1:");
    text.append(std::to_string(port)).append("\r\n");
    if (!body.empty()) {
        text.append("Content-Type: ").append(content_type).append("\r\nContent-Length: ");
        text.append(std::to_string(body.size())).append("\r\n");
    }
    return text.append("\r\n").append(body);
}

double percentile(std::vector<double>& values, double p) {
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    const auto index = static_cast<std::size_t>(p / 100 * static_cast<double>(values.size() - 1));
    return values[index];
}

}  // namespace distributo::bench
