#pragma once

#include "base/clock.hpp"
#include "net/http_parse.hpp"
#include "net/http_server.hpp"
#include "net/socket.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::net {

class HttpSession;
class HttpSessions;

/// One request, and the place of its response in the order of its connection.
struct HttpSlot {
    RequestHead head;
    std::unique_ptr<Exchange> exchange;
    Response response;
    std::shared_ptr<HttpSlot> next;
    HttpSession* session = nullptr;  ///< null when the connection is gone
    bool queued = false;             ///< its response has a place in the order
    bool complete = false;           ///< the request was received to its end
    bool answered = false;
    bool close = false;  ///< the connection ends after the response
    bool http10 = false;
    bool wants_continue = false;

    /// For the next request; strings keep their memory.
    void reset();
};

/// One connection of a server:
///
///     bytes → parser → gate → slots, each handed to its Exchange
///     answers, in any order → slots → responses, in the order of the slots → bytes
///
/// It holds no buffers of its own while idle: input is read into, and responses are built in,
/// buffers that all connections share; only what is left over is kept.
class HttpSession final : public std::enable_shared_from_this<HttpSession>, RequestSink {
public:
    HttpSession(std::shared_ptr<HttpSessions> sessions,
                Socket socket,
                const boost::asio::ip::tcp::endpoint& peer,
                boost::asio::ip::address local);

    void start();
    /// Answers arrived since the last call: sends what may be sent, reads on if it had to pause.
    void resume();
    /// Ends the connection after what it has begun; at once when that is nothing.
    void drain();
    /// Ends it now. Safe from inside a handler that this connection called.
    void drop();
    /// Compares the time since the current phase began with what the phase may take.
    void check_deadline(base::TimePoint now);
    /// To be called through Respond only.
    void answer(HttpSlot& slot, Response response);

    [[nodiscard]] const boost::asio::ip::address& address() const noexcept { return address_; }
    std::size_t index = 0;  ///< position among the sessions of the server
    bool resuming = false;  ///< a call of resume() is due

private:
    enum class Phase : std::uint8_t { fresh, idle, head, body, answer, write, upgrade, linger };

    RequestHead& on_begin() override;
    bool on_head(const Framing& framing) override;
    bool on_body(std::string_view piece) override;
    bool on_end() override;
    bool begin_upgrade();

    void wait_readable();
    void on_readable();
    void on_end_of_input();
    void process(std::string_view input);
    [[nodiscard]] std::size_t parse(std::string_view input);
    void keep(std::string_view rest);
    [[nodiscard]] bool may_parse() const noexcept;

    void refuse(const Refusal& refusal);
    void refuse_now(const Refusal& refusal);
    void append(std::shared_ptr<HttpSlot> slot);
    void flush();
    void write_ready(std::string& out);
    void write_first(std::string& out);
    [[nodiscard]] std::size_t transmit(std::string_view data);
    void wait_writable();
    void on_writable();
    void settle();
    void linger();
    void hand_over();
    void on_upgraded(base::Result<std::unique_ptr<Connection>> result);
    void clear_slots();
    void enter(Phase phase);
    [[nodiscard]] Phase current_phase() const noexcept;
    [[nodiscard]] base::Duration allowance() const noexcept;

    std::shared_ptr<HttpSessions> sessions_;
    Socket socket_;
    std::string peer_;
    boost::asio::ip::address address_;  // the peer's
    boost::asio::ip::address local_;
    RequestParser parser_;
    std::string in_;   // received, not yet parsed
    std::string out_;  // from sent_ on: to be written when the socket takes it
    std::size_t sent_ = 0;

    std::shared_ptr<HttpSlot> incoming_;  // the request that is being received
    std::shared_ptr<HttpSlot> first_;     // oldest whose response was not written
    HttpSlot* last_ = nullptr;
    std::size_t slots_ = 0;
    std::size_t ready_bytes_ = 0;      // of answers that wait for an earlier one
    std::size_t recent_response_ = 0;  // bytes, to foresee what the unanswered ones will take
    std::optional<Response> upgrade_;  // the 101 that on_upgrade returned
    std::shared_ptr<void> upgrading_;

    base::TimePoint since_{};  // when the phase began, or last made progress
    std::uint64_t body_size_ = 0;
    Phase phase_ = Phase::fresh;
    bool begun_ = false;        // a request began since the phase was last looked at
    bool used_ = false;         // a request began on this connection, ever
    bool reading_ = false;      // waits until the socket is readable
    bool writing_ = false;      // waits until the socket is writable
    bool busy_ = false;         // answers are written by the caller, soon
    bool handed_over_ = false;  // the handler saw something since on_read_complete
    bool starved_ = false;      // the parser needs more than in_
    bool input_done_ = false;   // nothing that still arrives is parsed
    bool peer_done_ = false;    // the peer has shut down its side
    bool closing_ = false;      // the last response was written, to out_ at least
    bool lingering_ = false;
    bool draining_ = false;
    bool closed_ = false;
};

}  // namespace distributo::net
