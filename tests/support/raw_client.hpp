#pragma once

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::tests {

/// One response as it came over the wire.
struct RawResponse {
    int status = 0;  ///< 0: the connection ended, or nothing came for a long time
    std::string head;
    std::string body;

    [[nodiscard]] bool has(std::string_view text) const {
        return head.find(text) != std::string::npos;
    }
};

/// A blocking TCP client that sends exactly the bytes it is told to, whatever they are worth.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (socket_ < 0 ||
            ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect to the server under test");
    }
    ~RawClient() { close(); }
    RawClient(RawClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}
    RawClient& operator=(RawClient&&) = delete;

    /// False when the peer has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
        return true;
    }

    void finish_sending() { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0)
            ::close(std::exchange(socket_, -1));
    }
    /// Closes with a reset instead of a farewell.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }
    void limit_receive_buffer(int bytes) {
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    [[nodiscard]] int descriptor() const { return socket_; }

    /// Would receive() return at once?
    [[nodiscard]] bool readable() const {
        pollfd entry{socket_, POLLIN, 0};
        return ::poll(&entry, 1, 0) == 1;
    }
    /// At least one more byte; false at the end of the connection.
    bool receive() {
        constexpr int patience_ms = 20'000;
        pollfd entry{socket_, POLLIN, 0};
        if (::poll(&entry, 1, patience_ms) != 1)
            return false;
        std::array<char, 65536> buffer;
        const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (size <= 0)
            return false;
        received_.append(buffer.data(), static_cast<std::size_t>(size));
        return true;
    }
    /// Exactly `size` bytes, fewer only at the end of the connection.
    std::string take(std::size_t size) {
        while (received_.size() < size && receive()) {
        }
        std::string taken = received_.substr(0, size);
        received_.erase(0, taken.size());
        return taken;
    }
    /// Everything until the peer closes.
    std::string take_rest() {
        while (receive()) {
        }
        return std::exchange(received_, {});
    }
    /// True when the peer closes without another byte.
    bool ends() { return received_.empty() && !receive(); }

    /// Reads one response, by Content-Length.
    RawResponse response(bool without_body = false) {
        RawResponse out;
        auto end = received_.find("\r\n\r\n");
        while (end == std::string::npos && receive())
            end = received_.find("\r\n\r\n");
        if (end == std::string::npos)
            return out;
        out.head = received_.substr(0, end + 2);
        received_.erase(0, end + 4);
        out.status = std::atoi(out.head.c_str() + out.head.find(' '));
        const auto length = out.head.find("\r\nContent-Length: ");
        if (length != std::string::npos && !without_body)
            out.body = take(static_cast<std::size_t>(std::atoll(out.head.c_str() + length + 18)));
        return out;
    }

private:
    int socket_;
    std::string received_;
};

}  // namespace distributo::tests
