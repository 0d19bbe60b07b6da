#pragma once

#include "base/result.hpp"
#include "net/http_message.hpp"
#include "net/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace distributo::net {

/// How the bytes of a request are delimited, and what happens after it.
struct Framing {
    bool http10 = false;
    bool keep_alive = true;
    bool upgrade_requested = false;  ///< Connection: upgrade
    bool expects_continue = false;
    std::optional<std::uint64_t> content_length;  ///< nothing: no body, or chunked
};

/// Who takes what the parser finds. Each returns false to stop the parser for good.
class RequestSink {
public:
    virtual ~RequestSink() = default;
    /// A request begins: where its head goes.
    virtual RequestHead& on_begin() = 0;
    virtual bool on_head(const Framing& framing) = 0;
    virtual bool on_body(std::string_view piece) = 0;
    virtual bool on_end() = 0;
};

/// Takes HTTP/1.1 requests apart; refuses every framing on which two parsers might disagree.
class RequestParser {
public:
    RequestParser(RequestSink& sink, std::size_t header_bytes, std::size_t body_bytes);
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    enum class Outcome {
        need_more,  ///< feed again what was not consumed, and more
        complete,   ///< one request ends where `consumed` ends
        refused,    ///< see refusal()
        stopped,    ///< by the sink
    };
    struct Fed {
        std::size_t consumed = 0;
        Outcome outcome = Outcome::need_more;
    };
    /// Parses at most one request.
    [[nodiscard]] Fed feed(std::string_view input);
    [[nodiscard]] const Refusal& refusal() const noexcept;

    /// A request has begun and is not complete.
    [[nodiscard]] bool in_request() const noexcept;
    [[nodiscard]] bool in_body() const noexcept;
    [[nodiscard]] std::uint64_t body_received() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Takes one HTTP/1.x response apart.
class ResponseParser {
public:
    enum class To { head, other };  ///< the method of the request
    explicit ResponseParser(To request);
    ~ResponseParser();

    /// Returns how much was consumed: the rest has to be fed again with more.
    [[nodiscard]] base::Result<std::size_t> feed(std::string_view input);
    /// The connection ended. Fails when that cuts the response off.
    [[nodiscard]] base::Result<void> end_of_input();

    [[nodiscard]] bool done() const noexcept;
    [[nodiscard]] bool keep_alive() const noexcept;
    [[nodiscard]] Response& response() noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace distributo::net
