#pragma once

#include "runtime/runner.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

class Plugin;

/// A suspect's single call of a plugin that runs inside the host, in a process of its own.
/// Not thread-safe: lives on the io_context.
class SoloRun final : runtime::RunnerEvents {
public:
    SoloRun(boost::asio::io_context& io,
            runtime::RunnerOptions options,
            runtime::ExecuteCall call,
            Plugin& plugin);

    [[nodiscard]] runtime::CallId call() const noexcept { return id_; }
    void cancel();

private:
    void on_ready(const runtime::ModuleInfo&) override {}
    void on_started(runtime::CallId call) override;
    void on_results(std::vector<runtime::CallResult> results) override;
    void on_log(runtime::CallId call, std::string_view stream, std::string_view text) override;
    void on_progress(runtime::CallId call, double fraction, std::string_view text) override;
    void on_gone(bool expected, const std::string& why) override;

    Plugin& plugin_;
    runtime::CallId id_;
    bool answered_ = false;
    std::unique_ptr<runtime::Runner> runner_;
};

}  // namespace distributo::host
