#include "base/log.hpp"
#include "coordinator/sessions/host_port.hpp"
#include "coordinator/sessions/session.hpp"
#include "wire/json.hpp"
#include "wire/messages.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>
#include <unordered_map>
#include <utility>

namespace distributo::coordinator::sessions {
namespace {

constexpr auto check_every = std::chrono::seconds(1);

net::Response problem(unsigned status,
                      std::string_view title,
                      std::string_view detail,
                      std::string_view hint) {
    net::Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    wire::json::Writer json(response.body);
    json.begin_object();
    json.member("title", title);
    json.member("status", status);
    json.member("detail", detail);
    json.member("hint", hint);
    json.end_object();
    return response;
}

/// Takes no interest in the rest of a request that has been answered.
class Answered final : public net::Exchange {
    void on_body(std::string_view) override {}
    void on_end() override {}
};

/// Does the comma-separated header offer this protocol?
bool offers(std::string_view header, std::string_view protocol) {
    while (!header.empty()) {
        const auto comma = std::min(header.find(','), header.size());
        auto one = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        while (!one.empty() && one.front() == ' ')
            one.remove_prefix(1);
        while (!one.empty() && one.back() == ' ')
            one.remove_suffix(1);
        if (one == protocol)
            return true;
    }
    return false;
}

class Listener final : public HostListener {
public:
    Listener(engine::Engine& engine, SessionOptions options)
        : engine_(engine), options_(options), timer_(engine.io()) {}

    std::unique_ptr<net::Exchange> on_request(const net::RequestHead& head,
                                              net::Respond respond) override {
        respond(problem(421,
                        "this is the port for hosts",
                        "expected a host's WebSocket here, got an HTTP request",
                        http_address(head)));
        return std::make_unique<Answered>();
    }

    net::Response on_upgrade(const net::RequestHead& head) override {
        if (head.path != wire::host_path)
            return problem(404,
                           "no such path on the port for hosts",
                           "expected " + std::string(wire::host_path) + ", got " + head.path,
                           http_address(head));
        if (!offers(head.header("sec-websocket-protocol"), wire::subprotocol))
            return problem(400,
                           "another protocol",
                           "expected the WebSocket subprotocol " + std::string(wire::subprotocol),
                           "update the host, or read docs/protocol.md when you write one");
        net::Response accepted;
        accepted.status = 101;
        accepted.headers.emplace_back("Sec-WebSocket-Protocol", wire::subprotocol);
        return accepted;
    }

    void on_websocket(const net::RequestHead&,
                      std::unique_ptr<net::Connection> connection) override {
        auto session = std::make_unique<Session>(
            engine_, options_, std::move(connection), [this](Session& closed) { forget(closed); });
        Session& started = *session;
        sessions_.emplace(&started, std::move(session));
        if (sessions_.size() == 1)
            arm();
        started.start();
    }

    void set_http_port(std::uint16_t port) override { options_.http_port = port; }

    void go_away() override {
        for (const auto& [session, owned] : sessions_)
            session->go_away();
    }

    [[nodiscard]] std::size_t connections() const noexcept override { return sessions_.size(); }

    void run_due() override {
        const auto now = engine_.now();
        for (const auto& [session, owned] : sessions_)
            session->check(now);
    }

private:
    [[nodiscard]] std::string http_address(const net::RequestHead& head) const {
        if (options_.http_port == 0)
            return "the HTTP API and the dashboard have a port of their own";
        std::string_view host = head.header("host");
        const auto bracket = host.rfind(']');
        const auto colon = host.rfind(':');
        if (colon != std::string_view::npos &&
            (bracket == std::string_view::npos || colon > bracket))
            host = host.substr(0, colon);
        return "the HTTP API and the dashboard are at http://" + std::string(host) + ":" +
               std::to_string(options_.http_port) + "/";
    }

    /// Later: the call comes from inside the session and its connection.
    void forget(Session& closed) {
        boost::asio::post(engine_.io(), [this, here = std::weak_ptr(alive_), gone = &closed] {
            if (!here.expired())
                sessions_.erase(gone);
        });
    }

    void arm() {
        timer_.expires_after(check_every);
        timer_.async_wait([this](const boost::system::error_code& failed) {
            if (failed)
                return;
            run_due();
            if (!sessions_.empty())
                arm();
        });
    }

    engine::Engine& engine_;
    SessionOptions options_;
    boost::asio::steady_timer timer_;
    std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<HostListener> make_host_listener(engine::Engine& engine, SessionOptions options) {
    return std::make_unique<Listener>(engine, options);
}

}  // namespace distributo::coordinator::sessions
