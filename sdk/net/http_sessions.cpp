#include "net/http_sessions.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace distributo::net {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t kept_output = 1024 * 1024;
constexpr std::size_t spare_slots = 1024;

base::Duration tick_for(const HttpLimits& limits) {
    const auto shortest = std::min({limits.header_time, limits.body_time, limits.idle_time});
    return std::clamp<base::Duration>(
        shortest / 4, std::chrono::milliseconds(10), std::chrono::seconds(1));
}

}  // namespace

HttpSessions::HttpSessions(boost::asio::io_context& io,
                           HttpHandler& handler,
                           const HttpLimits& limits,
                           Gate gate)
    : io_(io),
      handler_(handler),
      limits_(limits),
      gate_(std::move(gate)),
      timer_(io.get_executor()),
      tick_(tick_for(limits)),
      input_(read_size) {}

std::string_view HttpSessions::full(const boost::asio::ip::address& address) const {
    if (sessions_.size() >= limits_.connections)
        return "the server has as many connections as it takes";
    if (address.is_loopback())
        return {};
    const auto found = per_address_.find(address.to_string());
    if (found != per_address_.end() && found->second >= limits_.connections_per_address)
        return "your address has as many connections as one may have";
    return {};
}

void HttpSessions::add(Socket socket,
                       const boost::asio::ip::tcp::endpoint& peer,
                       boost::asio::ip::address local) {
    const auto session = std::make_shared<HttpSession>(
        shared_from_this(), std::move(socket), peer, std::move(local));
    session->index = sessions_.size();
    sessions_.push_back(session);
    if (!peer.address().is_loopback())
        ++per_address_[peer.address().to_string()];
    session->start();
    if (!armed_)
        arm();
}

void HttpSessions::remove(const HttpSession& session) {
    if (session.index >= sessions_.size() || sessions_[session.index].get() != &session)
        return;
    const auto removed = std::move(sessions_[session.index]);
    if (removed->index + 1 != sessions_.size()) {
        sessions_[removed->index] = std::move(sessions_.back());
        sessions_[removed->index]->index = removed->index;
    }
    sessions_.pop_back();
    if (removed->address().is_loopback())
        return;
    const auto found = per_address_.find(removed->address().to_string());
    if (found != per_address_.end() && --found->second == 0)
        per_address_.erase(found);
}

void HttpSessions::drain() {
    const auto all = sessions_;
    for (const auto& session : all)
        session->drain();
}

void HttpSessions::shut_down() {
    shut_down_ = true;
    timer_.cancel();
    answered_.clear();
    const auto all = std::exchange(sessions_, {});
    for (const auto& session : all)
        session->drop();
    spare_.clear();
}

void HttpSessions::resume_later(HttpSession& session) {
    if (std::exchange(session.resuming, true))
        return;
    answered_.push_back(session.shared_from_this());
    if (answered_.size() == 1)
        boost::asio::post(io_, [self = shared_from_this()] { self->resume_all(); });
}

void HttpSessions::resume_all() {
    const auto ready = std::exchange(answered_, {});
    for (const auto& session : ready) {
        session->resuming = false;
        session->resume();
    }
}

std::shared_ptr<HttpSlot> HttpSessions::take_slot() {
    if (spare_.empty())
        return std::make_shared<HttpSlot>();
    auto slot = std::move(spare_.back());
    spare_.pop_back();
    return slot;
}

void HttpSessions::give_back(std::shared_ptr<HttpSlot> slot) {
    slot->session = nullptr;
    slot->exchange.reset();
    // A Respond that is still held somewhere must not answer the slot's next request.
    if (slot.use_count() != 1 || spare_.size() == spare_slots || shut_down_)
        return;
    slot->reset();
    spare_.push_back(std::move(slot));
}

std::string& HttpSessions::output() {
    if (output_.capacity() > kept_output)
        output_ = {};
    output_.clear();
    return output_;
}

std::string_view HttpSessions::date() {
    const std::time_t now = std::time(nullptr);
    if (now != std::exchange(date_second_, now)) {
        std::tm utc{};
        gmtime_r(&now, &utc);
        std::array<char, 64> text;
        date_.assign(text.data(),
                     std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
    }
    return date_;
}

void HttpSessions::arm() {
    armed_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
        if (cancelled || self->shut_down_)
            return;
        self->armed_ = false;
        self->check_deadlines();
        if (!self->sessions_.empty() && !self->shut_down_)
            self->arm();
    });
}

void HttpSessions::check_deadlines() {
    const base::TimePoint now = std::chrono::steady_clock::now();
    // From the end: a session that ends is replaced by the last one, which was checked before.
    for (std::size_t i = sessions_.size(); i-- > 0;) {
        if (i >= sessions_.size())
            continue;
        const auto session = sessions_[i];
        session->check_deadline(now);
    }
}

}  // namespace distributo::net
