#pragma once

#include "wire/codec.hpp"

#include <string>
#include <vector>

namespace distributo::wire {

/// Receives everything and encodes it again, so that a round trip can be compared as text.
class Recorder final : public FromHost, public FromCoordinator {
public:
    using Done = base::Result<void>;

    std::vector<std::string> calls;
    AssignBatch assigns;
    ResultBatch results;
    Hello hello;
    Capabilities capabilities;
    Health health;
    Welcome welcome;
    std::vector<AckItem> acks;
    std::size_t fail_after = static_cast<std::size_t>(-1);

    Done on_hello(Hello message) override {
        hello = std::move(message);
        return note(encode(hello));
    }
    Done on_capabilities(Capabilities message) override {
        capabilities = std::move(message);
        return note(encode(capabilities));
    }
    Done on_health(Health message) override {
        health = std::move(message);
        return note(encode(health));
    }
    Done on_credit(const Credit& item) override { return note(encode_credit({&item, 1})); }
    Done on_phase(const PhaseItem& item) override { return note(encode_phases({&item, 1})); }
    Done on_progress(const ProgressItem& item) override {
        return note(encode_progress({&item, 1}));
    }
    Done on_log(const LogItem& item) override { return note(encode_log({&item, 1})); }
    Done on_result(const ResultItem& item) override {
        results.add(item);
        return note("result " + std::string(item.result));
    }
    Done on_heartbeat() override { return note(encode_heartbeat()); }
    Done on_draining() override { return note(encode_draining()); }
    Done on_bye(std::string_view reason) override { return note(encode_bye(reason)); }
    Done on_welcome(Welcome message) override {
        welcome = std::move(message);
        return note(encode(welcome));
    }
    Done on_assign(const AssignItem& item) override {
        assigns.add(item);
        return note("assign " + std::string(item.payload));
    }
    Done on_ack(const AckItem& item) override {
        acks.push_back(item);
        return note("ack");
    }
    Done on_cancel(const CancelItem& item) override { return note(encode_cancel({&item, 1})); }
    Done on_drain() override { return note(encode_drain()); }
    Done on_error(const base::Error& error) override { return note(encode_error(error)); }
    Done on_unknown(std::string_view op) override { return note("unknown " + std::string(op)); }
    Done on_unsupported(std::string_view op) override { return note(encode_unsupported(op)); }

    Done from_host(std::string_view message) {
        return decode(message, static_cast<FromHost&>(*this));
    }
    Done from_coordinator(std::string_view message) {
        return decode(message, static_cast<FromCoordinator&>(*this));
    }

private:
    Done note(std::string call) {
        if (calls.size() == fail_after)
            return base::error(base::Errc::conflict, "enough");
        calls.push_back(std::move(call));
        return {};
    }
};

}  // namespace distributo::wire
