#pragma once

#include "net/gate.hpp"
#include "net/http_session.hpp"

#include <array>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace distributo::net {

/// The connections of one server and what they share: buffers, spare slots, one timer for every
/// deadline, one posted call for all answers that arrive outside of reading.
class HttpSessions final : public std::enable_shared_from_this<HttpSessions> {
public:
    HttpSessions(boost::asio::io_context& io,
                 HttpHandler& handler,
                 const HttpLimits& limits,
                 Gate gate);

    /// Why no further connection of this address is taken; empty when it is.
    [[nodiscard]] std::string_view full(const boost::asio::ip::address& address) const;
    void add(Socket socket,
             const boost::asio::ip::tcp::endpoint& peer,
             boost::asio::ip::address local);
    void remove(const HttpSession& session);
    /// Ends idle connections now and the others after what they have begun.
    void drain();
    /// Ends all; nothing reaches the handler any more.
    void shut_down();
    [[nodiscard]] std::size_t count() const noexcept { return sessions_.size(); }

    void resume_later(HttpSession& session);
    [[nodiscard]] std::shared_ptr<HttpSlot> take_slot();
    void give_back(std::shared_ptr<HttpSlot> slot);

    [[nodiscard]] HttpHandler& handler() noexcept { return handler_; }
    [[nodiscard]] const HttpLimits& limits() const noexcept { return limits_; }
    [[nodiscard]] const Gate& gate() const noexcept { return gate_; }
    /// Shared by all connections; valid until the next call into any of them.
    [[nodiscard]] std::span<char> input() noexcept { return input_; }
    /// An empty string with capacity.
    [[nodiscard]] std::string& output();
    [[nodiscard]] std::string_view date();

private:
    void resume_all();
    void arm();
    void check_deadlines();

    boost::asio::io_context& io_;
    HttpHandler& handler_;
    HttpLimits limits_;
    Gate gate_;
    Timer timer_;
    base::Duration tick_;
    std::vector<std::shared_ptr<HttpSession>> sessions_;
    std::unordered_map<std::string, std::size_t> per_address_;
    std::vector<std::shared_ptr<HttpSession>> answered_;
    std::vector<std::shared_ptr<HttpSlot>> spare_;
    std::vector<char> input_;
    std::string output_;
    std::string date_;
    std::time_t date_second_ = 0;
    bool armed_ = false;
    bool shut_down_ = false;
};

}  // namespace distributo::net
