#pragma once

#include "net/http_server.hpp"
#include "wire/codec.hpp"

#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::tests {

/// The other end of a host: accepts it, hands it what a test says and writes down what it answers.
class FakeCoordinator final : public net::HttpHandler,
                              net::ConnectionEvents,
                              public wire::FromHost {
public:
    struct Result {
        wire::AttemptStatus status{};
        std::string result, message;
        wire::PhaseTimes times;
        std::string log;  ///< output that had arrived before it
    };

    explicit FakeCoordinator(boost::asio::io_context& io);

    [[nodiscard]] std::string url() const;
    /// Cuts the connection without a word.
    void drop();
    /// Queues a task; send() sends all that are queued.
    wire::Token add(std::string_view type, std::string_view payload = "{}");
    wire::Token add(wire::AssignItem item);
    void send();
    wire::Token assign(std::string_view type, std::string_view payload = "{}");
    void cancel(const wire::Token& token);
    /// How a host lists the task in hello.
    static wire::Claim claim(const wire::Token& token);
    void send_drain();

    [[nodiscard]] bool connected() const noexcept { return connection_ != nullptr; }
    [[nodiscard]] const Result* result(const wire::Token& token) const;
    [[nodiscard]] bool offers(std::string_view type) const;
    [[nodiscard]] const wire::Capability* capability(std::string_view type) const;
    [[nodiscard]] std::string refusal(std::string_view file) const;

    bool acknowledge = true;
    bool greet = true;     ///< answer hello
    bool durable = false;  ///< say so in welcome
    std::string identity = "fake";
    wire::Verdict verdict = wire::Verdict::keep;
    std::vector<wire::Hello> hellos;
    std::vector<wire::Capabilities> offers_seen;
    std::map<std::string, std::uint32_t> credits;
    std::vector<wire::PhaseItem> phases;
    std::vector<double> fractions;
    std::map<std::uint64_t, Result> results;  ///< by counter of the token
    std::size_t result_count = 0;             ///< repeated ones included
    std::vector<wire::PluginHealth> health;
    std::string trouble;
    std::size_t heartbeats = 0;
    bool draining = false;
    std::string bye;
    std::string closed;

private:
    std::unique_ptr<net::Exchange> on_request(const net::RequestHead& head,
                                              net::Respond respond) override;
    net::Response on_upgrade(const net::RequestHead& head) override;
    void on_websocket(const net::RequestHead& head,
                      std::unique_ptr<net::Connection> connection) override;

    void on_message(std::string_view text) override;
    void on_closed(std::string_view why) override;

    base::Result<void> on_hello(wire::Hello message) override;
    base::Result<void> on_capabilities(wire::Capabilities message) override;
    base::Result<void> on_health(wire::Health message) override;
    base::Result<void> on_credit(const wire::Credit& item) override;
    base::Result<void> on_phase(const wire::PhaseItem& item) override;
    base::Result<void> on_progress(const wire::ProgressItem& item) override;
    base::Result<void> on_log(const wire::LogItem& item) override;
    base::Result<void> on_result(const wire::ResultItem& item) override;
    base::Result<void> on_heartbeat() override;
    base::Result<void> on_draining() override;
    base::Result<void> on_bye(std::string_view reason) override;
    base::Result<void> on_unknown(std::string_view op) override;
    base::Result<void> on_unsupported(std::string_view op) override;

    std::unique_ptr<net::HttpServer> server_;
    std::unique_ptr<net::Connection> connection_;
    wire::AssignBatch batch_;
    std::vector<wire::AckItem> acks_;
    std::map<std::uint64_t, std::string> logs_;
    std::uint64_t counter_ = 0;
};

}  // namespace distributo::tests
