#include "tests/unit/api/api_fixture.hpp"

#include "base/ids.hpp"

#include <boost/asio/post.hpp>

#include <cstdlib>
#include <fstream>

namespace distributo::tests {
namespace {

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return out;
}

/// Notes an answer down for answers_check.py, if that asked for it.
void note(const net::RequestHead& head, const net::Response& response) {
    static const char* const file = std::getenv("DISTRIBUTO_API_ANSWERS");
    if (!file || head.method == Method::head)
        return;
    std::ofstream(file, std::ios::app)
        << json::serialize(json::value{{"method", net::to_string(head.method)},
                                       {"target", head.target},
                                       {"status", response.status},
                                       {"content_type", response.content_type},
                                       {"body", response.body}})
        << '\n';
}

}  // namespace

std::string Call::header(std::string_view name) const {
    for (const auto& [key, value] : response.headers)
        if (key == name)
            return value;
    return {};
}

std::string Call::member(std::string_view name) const {
    const json::value document = body();
    const json::value* found =
        document.is_object() ? document.as_object().if_contains(name) : nullptr;
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

net::RequestHead make_head(Method method, const std::string& target, const Headers& headers) {
    net::RequestHead head;
    head.method = method;
    head.target = target;
    const auto mark = target.find('?');
    head.path = decoded(std::string_view(target).substr(0, mark));
    std::string_view rest =
        mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        head.query.emplace_back(decoded(pair.substr(0, equals)),
                                decoded(pair.substr(std::min(equals + 1, pair.size()))));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    head.headers = {{"host", "localhost:5000"},
                    {"accept", headers.accept},
                    {"content-type", headers.content_type}};
    if (!headers.idempotency_key.empty())
        head.headers.emplace_back("idempotency-key", headers.idempotency_key);
    return head;
}

ApiTest::ApiTest()
    : backups_(std::filesystem::temp_directory_path() / ("dto-backups-" + base::random_hex(8))) {
    restart({}, 1000);
}

ApiTest::~ApiTest() {
    api_.reset();
    engine_.reset();
    std::filesystem::remove_all(backups_);
}

void ApiTest::restart(const coordinator::core::Settings& settings, std::size_t max_ended) {
    auto post = [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); };
    restart(settings, coordinator::store::make_memory_store(post, max_ended));
}

void ApiTest::restart(const coordinator::core::Settings& settings,
                      std::unique_ptr<coordinator::store::Store> store) {
    api_.reset();
    engine_.reset();
    engine_ = std::make_unique<Engine>(io_, clock_, settings, std::move(store));
    const auto started = engine_->start();
    EXPECT_TRUE(started.has_value());
    api_ = coordinator::api::make_api(*engine_,
                                      {.host_port = 4000,
                                       .backup_folder = backups_,
                                       .clock = &clock_,
                                       .extensions = extensions_});
}

std::shared_ptr<Call> ApiTest::begin(Method method,
                                     const std::string& target,
                                     std::string_view body,
                                     const Headers& headers) {
    auto call = std::make_shared<Call>();
    auto head = make_head(method, target, headers);
    head.has_body = !body.empty();
    {
        auto exchange = api_->on_request(head, [call, head](net::Response response) {
            EXPECT_FALSE(call->answered) << "a second answer";
            note(head, response);
            call->answered = true;
            call->response = std::move(response);
        });
        const std::size_t piece = headers.piece == 0 ? body.size() : headers.piece;
        for (std::size_t i = 0; i < body.size() && !call->answered; i += piece) {
            // A copy of exactly that size, so that the sanitizer sees every step beyond it.
            const std::vector<char> part(
                body.begin() + static_cast<std::ptrdiff_t>(i),
                body.begin() + static_cast<std::ptrdiff_t>(std::min(i + piece, body.size())));
            exchange->on_body({part.data(), part.size()});
        }
        if (!call->answered)
            exchange->on_end();
        api_->on_read_complete();
    }
    run();
    return call;
}

Call ApiTest::call(Method method,
                   const std::string& target,
                   std::string_view body,
                   const Headers& headers) {
    const auto call = begin(method, target, body, headers);
    EXPECT_TRUE(call->answered) << target;
    return *call;
}

std::string ApiTest::submit(std::string_view body) {
    const Call created = post("/v1/tasks", body);
    EXPECT_EQ(created.status(), 201U) << created.text();
    return created.member("id");
}

void ApiTest::run() {
    io_.restart();
    io_.poll();
}

void ApiTest::advance(std::chrono::milliseconds step) {
    clock_.advance(step);
    engine_->run_due();
    run();
}

FakeHost& ApiTest::join(const std::string& name, const std::map<std::string, std::string>& types) {
    FakeHost& host = hosts_.emplace_back();
    coordinator::core::HostJoin join;
    join.hello.host_id = std::string(32 - name.size(), '0') + name;
    join.hello.boot_id = join.hello.host_id;
    join.hello.name = name;
    join.hello.version = "1.2.3";
    join.hello.slots = 4;
    join.peer = "127.0.0.1:4711";
    wire::Welcome welcome;
    host.index = engine_->host_joined(std::move(join), host, welcome);

    wire::Capabilities offer;
    offer.sequence = 1;
    for (const auto& [type, schema] : types) {
        wire::Capability capability;
        const auto at = type.find('@');
        capability.type = type.substr(0, at);
        capability.plugin = "plugin_of_" + capability.type;
        capability.version = at == std::string::npos ? "0.1.0" : type.substr(at + 1);
        capability.isolation = "process";
        capability.payload_schema = schema;
        capability.credit = 64;
        offer.types.push_back(std::move(capability));
    }
    engine_->host_capabilities(host.index, std::move(offer));
    run();
    return host;
}

void ApiTest::finish(FakeHost& host, std::string_view result) {
    ASSERT_FALSE(host.assigned.empty());
    wire::ResultItem item;
    item.token = host.assigned.front().token;
    item.result = result;
    item.version = host.runs;
    host.assigned.pop_front();
    engine_->host_result(host.index, item);
    run();
}

void ApiTest::fail(FakeHost& host, wire::AttemptStatus status, std::string_view message) {
    ASSERT_FALSE(host.assigned.empty());
    wire::ResultItem item;
    item.token = host.assigned.front().token;
    item.status = status;
    item.message = message;
    host.assigned.pop_front();
    engine_->host_result(host.index, item);
    run();
}

}  // namespace distributo::tests
