#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

/// A web server on loopback, on a thread of its own; one request per connection.
class HttpServer {
public:
    struct Request {
        std::string line;                            ///< "GET /path HTTP/1.1"
        std::map<std::string, std::string> headers;  ///< names in small letters
        std::string body;
    };
    /// Makes the whole answer, see answer(). On the server's thread, one call at a time.
    using Handler = std::function<std::string(const Request&)>;

    explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            listen(listener_, 16) != 0 || pipe(stop_.data()) != 0 ||
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("cannot listen on loopback");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer() {
        close(stop_[1]);
        thread_.join();
        close(stop_[0]);
        close(listener_);
    }

    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }

    /// What has been asked so far.
    [[nodiscard]] std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

    /// A complete answer; `headers` are lines that end in \r\n.
    [[nodiscard]] static std::string answer(int status,
                                            const std::string& body = "",
                                            const std::string& headers = "") {
        return "HTTP/1.1 " + std::to_string(status) + " Status\r\n" + headers +
               "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
               body;
    }

private:
    /// False: it is time to end.
    bool readable(int descriptor) const {
        std::array<pollfd, 2> waiting{{{descriptor, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
        poll(waiting.data(), waiting.size(), -1);
        return waiting[1].revents == 0;
    }

    void run() {
        while (readable(listener_)) {
            const int peer = accept(listener_, nullptr, nullptr);
            Request request;
            if (peer >= 0 && read_request(peer, request)) {
                {
                    const std::lock_guard lock(mutex_);
                    requests_.push_back(request);
                }
                const std::string text = handler_(request);
                send(peer, text.data(), text.size(), MSG_NOSIGNAL);
            }
            close(peer);
        }
    }

    bool read_request(int peer, Request& request) const {
        std::string text;
        std::size_t head = std::string::npos;
        std::size_t wanted = 0;
        while (head == std::string::npos || text.size() < head + wanted) {
            std::array<char, 65536> chunk{};
            const ssize_t got =
                readable(peer) ? recv(peer, chunk.data(), chunk.size(), 0) : ssize_t{0};
            if (got <= 0) {
                return false;
            }
            text.append(chunk.data(), static_cast<std::size_t>(got));
            if (head == std::string::npos && text.find("\r\n\r\n") != std::string::npos) {
                head = text.find("\r\n\r\n") + 4;
                read_head(text.substr(0, head), request);
                const auto length = request.headers.find("content-length");
                wanted = length == request.headers.end() ? 0 : std::stoul(length->second);
            }
        }
        request.body = text.substr(head);
        return true;
    }

    static void read_head(const std::string& head, Request& request) {
        std::size_t at = head.find("\r\n");
        request.line = head.substr(0, at);
        for (at += 2; at + 2 < head.size();) {
            const std::size_t end = head.find("\r\n", at);
            const std::size_t colon = head.find(": ", at);
            if (colon < end) {
                std::string name = head.substr(at, colon - at);
                for (char& c : name) {
                    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                }
                request.headers[name] = head.substr(colon + 2, end - colon - 2);
            }
            at = end + 2;
        }
    }

    Handler handler_;
    int listener_ = -1;
    std::array<int, 2> stop_{-1, -1};
    int port_ = 0;
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::thread thread_;
};
