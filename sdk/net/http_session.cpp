#include "net/http_session.hpp"

#include "net/gate.hpp"
#include "net/http_sessions.hpp"
#include "net/http_writer.hpp"
#include "net/websocket.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace distributo::net {
namespace {

using boost::system::error_code;

/// Responses that may wait for the peer or for an earlier answer before no request is read.
constexpr std::size_t most_output = 1024 * 1024;
constexpr std::uint64_t slowest_body = 64 * 1024;  // bytes per second
constexpr auto write_time = std::chrono::seconds(30);
constexpr auto linger_time = std::chrono::seconds(2);

}  // namespace

void HttpSlot::reset() {
    response = {};
    next.reset();
    session = nullptr;
    queued = complete = answered = close = http10 = wants_continue = false;
}

HttpSession::HttpSession(std::shared_ptr<HttpSessions> sessions,
                         Socket socket,
                         const boost::asio::ip::tcp::endpoint& peer,
                         boost::asio::ip::address local)
    : sessions_(std::move(sessions)),
      socket_(std::move(socket)),
      peer_(to_text(peer)),
      address_(peer.address()),
      local_(std::move(local)),
      parser_(*this, sessions_->limits().header_bytes, sessions_->limits().body_bytes) {}

void HttpSession::start() {
    since_ = std::chrono::steady_clock::now();
    wait_readable();
}

// ---- reading ---------------------------------------------------------------------------------

void HttpSession::wait_readable() {
    if (std::exchange(reading_, true))
        return;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
        self->reading_ = false;
        if (!ec && !self->closed_)
            self->on_readable();
    });
}

void HttpSession::on_readable() {
    const auto space = sessions_->input();
    const auto size = ::recv(socket_.native_handle(), space.data(), space.size(), 0);
    if (size < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
            return wait_readable();
        return drop();
    }
    if (size == 0)
        return on_end_of_input();
    if (input_done_)
        return settle();  // what a refused client still sends is thrown away
    const std::string_view input(space.data(), static_cast<std::size_t>(size));
    if (in_.empty())
        return process(input);
    in_ += input;
    process(in_);
}

void HttpSession::on_end_of_input() {
    peer_done_ = true;
    if (lingering_ || (!first_ && !incoming_ && out_.empty()))
        return drop();
    if (!input_done_ && parser_.in_request())
        return refuse_now({400,
                           "malformed_request",
                           "the connection ended in the middle of the request",
                           "check Content-Length"});
    input_done_ = true;
    settle();
}

/// `input` is either in_ or in the buffer that all connections share.
void HttpSession::process(std::string_view input) {
    busy_ = true;
    for (;;) {
        input.remove_prefix(parse(input));
        if (!closed_ && std::exchange(handed_over_, false))
            sessions_->handler().on_read_complete();
        flush();
        if (closed_ || input.empty() || starved_ || !may_parse())
            break;
    }
    busy_ = false;
    if (closed_)
        return clear_slots();
    keep(input);
    if (!upgrade_)
        return settle();
    if (in_.empty())
        return hand_over();
    upgrade_.reset();
    refuse_now({400,
                "malformed_request",
                "expected nothing after a WebSocket upgrade until it is answered",
                "wait for status 101 before you send"});
}

std::size_t HttpSession::parse(std::string_view input) {
    std::size_t used = 0;
    starved_ = false;
    while (used < input.size() && may_parse()) {
        const auto [consumed, outcome] = parser_.feed(input.substr(used));
        used += consumed;
        if (outcome == RequestParser::Outcome::complete)
            continue;
        starved_ = outcome == RequestParser::Outcome::need_more;
        if (outcome == RequestParser::Outcome::refused)
            refuse(parser_.refusal());
        break;
    }
    return used;
}

void HttpSession::keep(std::string_view rest) {
    if (input_done_ || rest.empty())
        std::string().swap(in_);
    else if (in_.empty())
        in_.assign(rest);
    else
        in_.erase(0, in_.size() - rest.size());
}

bool HttpSession::may_parse() const noexcept {
    return !closed_ && !input_done_ && !upgrade_ &&
           slots_ < sessions_->limits().pipelined_requests &&
           out_.size() - sent_ + ready_bytes_ + slots_ * recent_response_ < most_output;
}

// ---- requests --------------------------------------------------------------------------------

RequestHead& HttpSession::on_begin() {
    begun_ = used_ = true;
    incoming_ = sessions_->take_slot();
    incoming_->session = this;
    incoming_->head.peer = peer_;
    return incoming_->head;
}

bool HttpSession::on_head(const Framing& framing) {
    HttpSlot& slot = *incoming_;
    slot.close = !framing.keep_alive;
    slot.http10 = framing.http10;
    slot.wants_continue = framing.expects_continue;
    body_size_ = framing.content_length.value_or(0);
    if (const auto refusal = sessions_->gate().check(slot.head, framing, local_)) {
        refuse(*refusal);
        return false;
    }
    if (is_websocket_upgrade(slot.head, framing))
        return begin_upgrade();

    append(incoming_);
    handed_over_ = true;
    slot.exchange =
        sessions_->handler().on_request(slot.head, [kept = incoming_](Response response) {
            if (kept->session && !kept->answered)
                kept->session->answer(*kept, std::move(response));
        });
    return !closed_;
}

bool HttpSession::on_body(std::string_view piece) {
    HttpSlot& slot = *incoming_;
    handed_over_ = true;
    if (!slot.answered && slot.exchange)
        slot.exchange->on_body(piece);
    return !closed_;
}

bool HttpSession::on_end() {
    incoming_->complete = true;
    if (upgrade_)
        return true;
    const auto slot = std::move(incoming_);
    handed_over_ = true;
    if (!slot->answered && slot->exchange)
        slot->exchange->on_end();
    input_done_ = input_done_ || slot->close;
    return !closed_;
}

bool HttpSession::begin_upgrade() {
    HttpSlot& slot = *incoming_;
    auto refusal = check_upgrade(slot.head);
    if (!refusal && (first_ || !out_.empty()))
        refusal = Refusal{400,
                          "malformed_request",
                          "expected a WebSocket upgrade only after earlier requests are answered",
                          "do not pipeline an upgrade"};
    if (refusal) {
        refuse(*refusal);
        return false;
    }
    auto response = sessions_->handler().on_upgrade(slot.head);
    if (closed_)
        return false;
    if (response.status == 101) {
        upgrade_ = std::move(response);
    } else {
        append(incoming_);
        answer(slot, std::move(response));
    }
    return true;
}

void HttpSession::append(std::shared_ptr<HttpSlot> slot) {
    slot->queued = true;
    ++slots_;
    HttpSlot* const added = slot.get();
    (last_ ? last_->next : first_) = std::move(slot);
    last_ = added;
}

void HttpSession::answer(HttpSlot& slot, Response response) {
    slot.response = std::move(response);
    slot.answered = true;
    ready_bytes_ += slot.response.body.size();
    if (!busy_)
        sessions_->resume_later(*this);
}

/// Answers the incoming request, or what was to become one, and reads no other.
void HttpSession::refuse(const Refusal& refusal) {
    input_done_ = true;
    auto slot = std::move(incoming_);
    if (!slot) {
        slot = sessions_->take_slot();
        slot->session = this;
        slot->head.method = Method::get;
    }
    slot->close = true;
    if (!slot->queued)
        append(slot);
    if (!slot->answered)
        answer(*slot, to_response(refusal));
}

void HttpSession::refuse_now(const Refusal& refusal) {
    busy_ = true;
    refuse(refusal);
    flush();
    busy_ = false;
    if (closed_)
        return clear_slots();
    settle();
}

// ---- writing ---------------------------------------------------------------------------------

void HttpSession::flush() {
    if (closed_)
        return;
    if (!out_.empty())
        return write_ready(out_);
    std::string& out = sessions_->output();
    write_ready(out);
    if (closed_ || out.empty())
        return;
    const std::size_t sent = transmit(out);
    if (!closed_ && sent < out.size())
        out_.assign(out, sent);
}

void HttpSession::write_ready(std::string& out) {
    while (first_ && first_->answered && !closing_ && !closed_)
        write_first(out);
    if (closed_ || !first_)
        return;
    if (closing_)
        clear_slots();
    else if (!first_->complete && std::exchange(first_->wants_continue, false))
        out += "HTTP/1.1 100 Continue\r\n\r\n";
}

void HttpSession::write_first(std::string& out) {
    auto slot = std::exchange(first_, first_->next);
    slot->next.reset();
    if (!first_)
        last_ = nullptr;
    --slots_;
    ready_bytes_ -= slot->response.body.size();

    closing_ = slot->close || !slot->complete || (draining_ && !first_ && !parser_.in_request());
    input_done_ = input_done_ || closing_;
    const std::size_t before = out.size();
    append_response(out,
                    slot->response,
                    {.head_only = slot->head.method == Method::head,
                     .close = closing_,
                     .keep_alive = slot->http10,
                     .date = sessions_->date()});
    recent_response_ = out.size() - before;
    if (slot == incoming_)
        incoming_.reset();
    sessions_->give_back(std::move(slot));
}

std::size_t HttpSession::transmit(std::string_view data) {
    std::size_t sent = 0;
    while (sent < data.size()) {
        const auto size =
            ::send(socket_.native_handle(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
        if (size >= 0) {
            sent += static_cast<std::size_t>(size);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            drop();
            break;
        }
    }
    return sent;
}

void HttpSession::wait_writable() {
    if (std::exchange(writing_, true))
        return;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& ec) {
        self->writing_ = false;
        if (!ec && !self->closed_)
            self->on_writable();
    });
}

void HttpSession::on_writable() {
    const std::size_t sent = transmit(std::string_view(out_).substr(sent_));
    if (closed_)
        return;
    if (sent > 0)
        since_ = std::chrono::steady_clock::now();
    sent_ += sent;
    if (sent_ < out_.size())
        return wait_writable();
    std::string().swap(out_);
    sent_ = 0;
    resume();
}

void HttpSession::resume() {
    if (closed_ || upgrading_)
        return;
    busy_ = true;
    flush();
    busy_ = false;
    if (closed_)
        return clear_slots();
    if (!in_.empty() && !starved_ && may_parse())
        return process(in_);
    settle();
}

// ---- ending ----------------------------------------------------------------------------------

/// Waits for what comes next.
void HttpSession::settle() {
    if (out_.empty() && (closing_ || (input_done_ && !first_)) && !lingering_)
        return linger();
    if (!out_.empty())
        wait_writable();
    if (lingering_ || may_parse())
        wait_readable();
    enter(current_phase());
}

/// Closing while input is unread would reset the connection, and the peer might lose the response.
void HttpSession::linger() {
    if (peer_done_)
        return drop();
    lingering_ = true;
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    wait_readable();
    enter(Phase::linger);
}

void HttpSession::drain() {
    draining_ = true;
    if (!first_ && !incoming_ && out_.empty() && !lingering_)
        drop();
}

void HttpSession::drop() {
    if (std::exchange(closed_, true))
        return;
    const auto self = shared_from_this();
    sessions_->remove(*this);
    upgrading_.reset();
    error_code ignored;
    socket_.close(ignored);
    if (!busy_)
        clear_slots();
}

void HttpSession::clear_slots() {
    slots_ = ready_bytes_ = 0;
    last_ = nullptr;
    if (const auto incoming = std::move(incoming_))
        incoming->session = nullptr;
    while (first_) {
        const auto slot = std::exchange(first_, first_->next);
        slot->session = nullptr;
        slot->exchange.reset();
    }
}

void HttpSession::hand_over() {
    enter(Phase::upgrade);
    WebSocketLimits limits;
    limits.handshake_time =
        std::chrono::duration_cast<std::chrono::milliseconds>(sessions_->limits().header_time);
    upgrading_ = accept_websocket(std::move(socket_),
                                  incoming_->head,
                                  *upgrade_,
                                  limits,
                                  [weak = weak_from_this()](auto made) {
                                      if (const auto self = weak.lock(); self && !self->closed_)
                                          self->on_upgraded(std::move(made));
                                  });
}

void HttpSession::on_upgraded(base::Result<std::unique_ptr<Connection>> result) {
    const auto slot = std::move(incoming_);
    slot->session = nullptr;
    drop();
    if (result)
        sessions_->handler().on_websocket(slot->head, std::move(*result));
}

// ---- deadlines -------------------------------------------------------------------------------

HttpSession::Phase HttpSession::current_phase() const noexcept {
    if (!out_.empty())
        return Phase::write;
    if (parser_.in_request() && may_parse())
        return parser_.in_body() ? Phase::body : Phase::head;
    if (first_)
        return Phase::answer;
    return used_ ? Phase::idle : Phase::fresh;
}

void HttpSession::enter(Phase phase) {
    if (phase == phase_ && (!begun_ || phase == Phase::write))
        return;
    phase_ = phase;
    begun_ = false;
    since_ = std::chrono::steady_clock::now();
}

base::Duration HttpSession::allowance() const noexcept {
    const HttpLimits& limits = sessions_->limits();
    switch (phase_) {
        case Phase::fresh:
        case Phase::head:
        case Phase::upgrade:
            return limits.header_time;
        case Phase::idle:
            return limits.idle_time;
        case Phase::body: {
            const auto size = std::max(body_size_, parser_.body_received());
            return limits.body_time + std::chrono::seconds(size / slowest_body);
        }
        case Phase::write:
            return write_time;
        case Phase::linger:
            return linger_time;
        case Phase::answer:
            break;
    }
    return base::Duration::max();
}

void HttpSession::check_deadline(base::TimePoint now) {
    if (now - since_ < allowance())
        return;
    if (phase_ != Phase::head && phase_ != Phase::body)
        return drop();
    refuse_now({408,
                "timeout",
                phase_ == Phase::head ? "the head of the request did not arrive in time"
                                      : "the body of the request did not arrive in time",
                "send faster, or in smaller requests"});
}

}  // namespace distributo::net
