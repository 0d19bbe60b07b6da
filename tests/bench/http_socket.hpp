#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::bench {

/// A blocking HTTP/1.1 client connection to 127.0.0.1 that can pipeline, as cheap as a load
/// generator must be. Ends the program on any failure: a benchmark has nothing to recover.
class HttpSocket {
public:
    explicit HttpSocket(std::uint16_t port);
    ~HttpSocket();
    HttpSocket(HttpSocket&& other) noexcept;
    HttpSocket& operator=(HttpSocket&&) = delete;

    void send(std::string_view bytes);
    /// Reads one response; returns its status. The body is valid until the next call.
    int receive(std::string_view& body);
    /// Gives up what was read ahead and its memory: for connections that only stay open.
    void forget_buffer();
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    void fill();

    int fd_ = -1;
    std::vector<char> buffer_;  // bytes [begin_, end_) have been read and not handed out
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// A request's bytes.
[[nodiscard]] std::string request(std::string_view method,
                                  std::string_view target,
                                  std::uint16_t port,
                                  std::string_view body = {},
                                  std::string_view content_type = "application/json");

/// The p-th percentile (0…100) of the values, which get sorted.
[[nodiscard]] double percentile(std::vector<double>& values, double p);

}  // namespace distributo::bench
