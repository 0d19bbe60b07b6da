#include "fake_coordinator.hpp"

#include <algorithm>
#include <stdexcept>

namespace distributo::tests {

wire::Claim FakeCoordinator::claim(const wire::Token& token) {
    return {token, {.task = token.counter, .attempt = 1, .proof = 99}};
}

FakeCoordinator::FakeCoordinator(boost::asio::io_context& io) {
    auto server = net::HttpServer::listen(io, {}, *this);
    if (!server)
        throw std::runtime_error(server.error().message);
    server_ = std::move(*server);
}

std::string FakeCoordinator::url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
}

void FakeCoordinator::drop() {
    connection_.reset();
}

wire::Token FakeCoordinator::add(wire::AssignItem item) {
    item.token = {.term = 1, .slot = 0, .counter = ++counter_};
    item.lease = {.task = counter_, .attempt = 1, .proof = 99};
    const std::string id = "task-" + std::to_string(counter_);  // tasks are told apart by it
    if (item.id.empty())
        item.id = id;
    if (item.payload.empty())
        item.payload = "{}";
    if (batch_.full())
        send();
    batch_.add(item);
    return item.token;
}

wire::Token FakeCoordinator::add(std::string_view type, std::string_view payload) {
    wire::AssignItem item;
    item.type = type;
    item.payload = payload;
    return add(item);
}

void FakeCoordinator::send() {
    if (!batch_.empty())
        connection_->send(batch_.take());
}

wire::Token FakeCoordinator::assign(std::string_view type, std::string_view payload) {
    const auto token = add(type, payload);
    send();
    return token;
}

void FakeCoordinator::cancel(const wire::Token& token) {
    const wire::CancelItem item{.token = token, .reason = "test"};
    connection_->send(wire::encode_cancel({&item, 1}));
}

void FakeCoordinator::send_drain() {
    connection_->send(wire::encode_drain());
}

const FakeCoordinator::Result* FakeCoordinator::result(const wire::Token& token) const {
    const auto found = results.find(token.counter);
    return found == results.end() ? nullptr : &found->second;
}

const wire::Capability* FakeCoordinator::capability(std::string_view type) const {
    if (offers_seen.empty())
        return nullptr;
    const auto& types = offers_seen.back().types;
    const auto found = std::ranges::find(types, type, &wire::Capability::type);
    return found == types.end() ? nullptr : &*found;
}

bool FakeCoordinator::offers(std::string_view type) const {
    return capability(type) != nullptr;
}

std::string FakeCoordinator::refusal(std::string_view file) const {
    if (offers_seen.empty())
        return {};
    const auto& refused = offers_seen.back().refused;
    const auto found = std::ranges::find(refused, file, &wire::RefusedPlugin::file);
    return found == refused.end() ? std::string() : found->reason;
}

// ---- server ----------------------------------------------------------------------------------

std::unique_ptr<net::Exchange> FakeCoordinator::on_request(const net::RequestHead&,
                                                           net::Respond respond) {
    net::Response response;
    response.status = 404;
    respond(response);
    return nullptr;
}

net::Response FakeCoordinator::on_upgrade(const net::RequestHead& head) {
    net::Response response;
    response.status = head.path == wire::host_path ? 101 : 404;
    response.headers.emplace_back("Sec-WebSocket-Protocol", wire::subprotocol);
    return response;
}

void FakeCoordinator::on_websocket(const net::RequestHead&,
                                   std::unique_ptr<net::Connection> connection) {
    connection_ = std::move(connection);
    connection_->start(*this);
}

void FakeCoordinator::on_message(std::string_view text) {
    auto read = wire::decode(text, *this);
    if (!read)
        throw std::runtime_error("the host sent nonsense: " + read.error().message);
    if (acknowledge && !acks_.empty())
        connection_->send(wire::encode_ack(acks_));
    acks_.clear();
}

void FakeCoordinator::on_closed(std::string_view why) {
    closed = why;
    connection_.reset();
}

// ---- the host's messages ---------------------------------------------------------------------

base::Result<void> FakeCoordinator::on_hello(wire::Hello message) {
    wire::Welcome welcome;
    welcome.term = 1;
    welcome.coordinator_id = identity;
    welcome.durable = durable;
    welcome.heartbeat_ms = 100;
    welcome.reconnect_window_ms = 1;
    for (const auto& claim : message.running)
        welcome.verdicts.push_back({claim.token, verdict});
    if (greet)
        connection_->send(wire::encode(welcome));
    hellos.push_back(std::move(message));
    return {};
}

base::Result<void> FakeCoordinator::on_capabilities(wire::Capabilities message) {
    for (const auto& type : message.types)
        credits[type.type] = type.credit;
    offers_seen.push_back(std::move(message));
    return {};
}

base::Result<void> FakeCoordinator::on_health(wire::Health message) {
    trouble = std::move(message.trouble);
    health = std::move(message.plugins);
    return {};
}

base::Result<void> FakeCoordinator::on_credit(const wire::Credit& item) {
    credits[std::string(item.type)] = item.credit;
    return {};
}

base::Result<void> FakeCoordinator::on_phase(const wire::PhaseItem& item) {
    phases.push_back(item);
    return {};
}

base::Result<void> FakeCoordinator::on_progress(const wire::ProgressItem& item) {
    fractions.push_back(item.fraction);
    return {};
}

base::Result<void> FakeCoordinator::on_log(const wire::LogItem& item) {
    logs_[item.token.counter] += std::string(item.stream) + ": " + item.text + '\n';
    return {};
}

base::Result<void> FakeCoordinator::on_result(const wire::ResultItem& item) {
    ++result_count;
    results[item.token.counter] = {.status = item.status,
                                   .result = std::string(item.result),
                                   .message = std::string(item.message),
                                   .times = item.times,
                                   .log = logs_[item.token.counter]};
    acks_.push_back({.token = item.token, .stale = false});
    return {};
}

base::Result<void> FakeCoordinator::on_heartbeat() {
    ++heartbeats;
    return {};
}

base::Result<void> FakeCoordinator::on_draining() {
    draining = true;
    return {};
}

base::Result<void> FakeCoordinator::on_bye(std::string_view reason) {
    bye = reason;
    return {};
}

base::Result<void> FakeCoordinator::on_unknown(std::string_view op) {
    throw std::runtime_error("unknown message from the host: " + std::string(op));
}

base::Result<void> FakeCoordinator::on_unsupported(std::string_view op) {
    throw std::runtime_error("the host does not know " + std::string(op));
}

}  // namespace distributo::tests
