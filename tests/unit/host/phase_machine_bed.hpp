#pragma once

#include "host/phase_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace distributo::host {

using namespace std::chrono_literals;
using runtime::CallResult;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::AttemptStatus;

inline constexpr PluginId first = 1;
inline constexpr PluginId second = 2;

inline wire::Token token(std::uint64_t number) {
    return {.term = 1, .slot = 0, .counter = number};
}

inline wire::Lease lease(std::uint64_t number) {
    return {.task = 100 + number, .attempt = 2, .proof = 7};
}

inline runtime::TypeInfo type(std::string name,
                              bool needs_install = false,
                              std::uint32_t most = 0) {
    runtime::TypeInfo info;
    info.name = std::move(name);
    info.needs_install = needs_install;
    info.max_concurrency = most;
    return info;
}

/// A machine whose actions are collected, on a clock that moves when told.
class PhaseMachineTest : public testing::Test, public PhaseActions {
protected:
    struct Started {
        PluginId plugin;
        runtime::ExecuteCall call;
        bool alone;
    };

    explicit PhaseMachineTest(std::uint32_t slots = 2)
        : machine({.slots = slots, .installs_dir = "/i"}, *this) {}

    void execute(PluginId plugin, runtime::ExecuteCall&& call) override {
        started.push_back({plugin, std::move(call), false});
    }
    void execute_alone(PluginId plugin, runtime::ExecuteCall&& call) override {
        started.push_back({plugin, std::move(call), true});
    }
    base::Result<void> install(PluginId, runtime::InstallCall call) override {
        installs.push_back(std::move(call));
        return {};
    }
    base::Result<void> keep_install(const std::string& key) override {
        kept.push_back(key);
        return {};
    }
    void drop_install(const std::string& key) override { dropped.push_back(key); }
    void verify_install(PluginId, runtime::InstallCall call) override {
        verified.push_back(std::move(call));
    }
    void remove_install(const std::string& key) override { removed.push_back(key); }
    void cancel_call(PluginId, runtime::CallId call) override { cancelled.push_back(call); }
    void report_phase(const wire::PhaseItem& item) override { phases.push_back(item.phase); }
    void finish(Outcome&& outcome) override { outcomes.push_back(std::move(outcome)); }

    void offer(std::vector<runtime::TypeInfo> types, PluginId plugin = first) {
        machine.offer(plugin, "digest" + std::to_string(plugin), types, now);
    }
    void assign(std::uint64_t number,
                std::string_view name = "t",
                std::string_view install_spec = {},
                bool alone = false,
                std::string_view version_range = {}) {
        wire::AssignItem item;
        item.token = token(number);
        item.lease = lease(number);
        item.id = "task";
        item.type = name;
        item.payload = "{}";
        item.install = install_spec;
        item.alone = alone;
        item.version = version_range;
        machine.assign(item, now);
    }
    void dispatch() { machine.dispatch(now); }
    void end(runtime::CallId call,
             CallResult::Status status = CallResult::Status::ok,
             bool suspect = false) {
        CallResult result;
        result.call = call;
        result.status = status;
        result.suspect = suspect;
        result.result = "7";
        result.message = "why";
        result.elapsed_us = 1'000'000;
        machine.call_ended(std::move(result), now);
        dispatch();
    }
    std::vector<AttemptStatus> statuses() const {
        std::vector<AttemptStatus> all;
        for (const auto& outcome : outcomes)
            all.push_back(outcome.status);
        return all;
    }

    base::TimePoint now{1h};
    PhaseMachine machine;
    std::vector<Started> started;
    std::vector<runtime::InstallCall> installs;
    std::vector<runtime::InstallCall> verified;
    std::vector<std::string> kept, dropped, removed;
    std::vector<runtime::CallId> cancelled;
    std::vector<wire::Phase> phases;
    std::vector<Outcome> outcomes;
};

}  // namespace distributo::host
