#pragma once

#include "coordinator/api/api.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::tests {

namespace json = boost::json;
using coordinator::engine::Engine;
using net::Method;

class ManualClock final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return now_; }
    [[nodiscard]] base::WallTime wall() const override { return wall_; }
    void advance(std::chrono::milliseconds step) {
        now_ += step;
        wall_ += step;
    }

private:
    base::TimePoint now_{std::chrono::hours(1)};
    base::WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 5 / 4) +
                         std::chrono::milliseconds(123)};
};

/// A host that keeps what it was assigned until the test reports an end.
class FakeHost final : public coordinator::engine::HostPort {
public:
    struct Assigned {
        wire::Token token;
        std::string id, type, payload, version;
    };

    void assign(const wire::AssignItem& item) override {
        assigned.push_back({item.token,
                            std::string(item.id),
                            std::string(item.type),
                            std::string(item.payload),
                            std::string(item.version)});
    }
    void cancel(const wire::CancelItem& item) override { cancelled.push_back(item.token); }
    void ack(const wire::AckItem&) override {}
    void flush() override {}
    void replaced() override {}

    std::deque<Assigned> assigned;
    std::vector<wire::Token> cancelled;
    std::string runs;  ///< the version that it reports with each end
    coordinator::engine::HostIndex index = 0;
};

/// One request and, once it is there, its answer.
struct Call {
    bool answered = false;
    net::Response response;

    [[nodiscard]] unsigned status() const { return answered ? response.status : 0; }
    [[nodiscard]] const std::string& text() const { return response.body; }
    [[nodiscard]] json::value body() const { return json::parse(response.body); }
    [[nodiscard]] std::string header(std::string_view name) const;
    /// A member of the body that is a text; empty when there is none.
    [[nodiscard]] std::string member(std::string_view name) const;
};

struct Headers {
    std::string content_type = "application/json";
    std::string accept = "*/*";
    std::size_t piece = 0;  ///< body bytes handed over at once; 0: all
    std::string idempotency_key{};
};

/// The API over a real engine with the memory store, driven without sockets.
class ApiTest : public testing::Test {
protected:
    ApiTest();
    ~ApiTest() override;

    std::shared_ptr<Call> begin(Method method,
                                const std::string& target,
                                std::string_view body = {},
                                const Headers& headers = {});
    /// The same, for a request that is answered at once.
    Call call(Method method,
              const std::string& target,
              std::string_view body = {},
              const Headers& headers = {});
    Call get(const std::string& target) { return call(Method::get, target); }
    Call post(const std::string& target, std::string_view body = {}) {
        return call(Method::post, target, body);
    }
    /// Submits a task and returns its id.
    std::string submit(std::string_view body);

    /// Lets everything happen that can happen without time passing.
    void run();
    void advance(std::chrono::milliseconds step);

    /// A host that offers these types ("echo" or "echo@1.2.0") with these payload schemas.
    FakeHost& join(const std::string& name, const std::map<std::string, std::string>& types);
    /// Ends the task that was assigned to the host first.
    void finish(FakeHost& host, std::string_view result);
    void fail(FakeHost& host, wire::AttemptStatus status, std::string_view message);

    boost::asio::io_context io_;
    ManualClock clock_;
    coordinator::core::Settings settings_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<net::HttpHandler> api_;
    std::deque<FakeHost> hosts_;
    coordinator::extensions::Extensions* extensions_ = nullptr;  ///< from the next restart on
    std::filesystem::path backups_;                              ///< gone after the test

    /// Begins anew, with the memory store or another one.
    void restart(const coordinator::core::Settings& settings, std::size_t max_ended);
    void restart(const coordinator::core::Settings& settings,
                 std::unique_ptr<coordinator::store::Store> store);
};

/// A complete request head, as the server makes it from this target.
net::RequestHead make_head(Method method, const std::string& target, const Headers& headers);

}  // namespace distributo::tests
