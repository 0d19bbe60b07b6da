#include "host/solo_run.hpp"

#include "host/plugin.hpp"

namespace distributo::host {

SoloRun::SoloRun(boost::asio::io_context& io,
                 runtime::RunnerOptions options,
                 runtime::ExecuteCall call,
                 Plugin& plugin)
    : plugin_(plugin), id_(call.call) {
    options.threads = 1;
    options.spares = 0;
    runner_ = runtime::make_runner(io, runtime::Isolation::task, std::move(options), *this);
    runner_->execute_alone(std::move(call));
}

void SoloRun::cancel() {
    runner_->cancel(id_);
}

void SoloRun::on_started(runtime::CallId call) {
    plugin_.owner_.on_call_started(call);
}

void SoloRun::on_results(std::vector<runtime::CallResult> results) {
    // That it could not be started is told in on_gone, with the reason.
    std::erase_if(results, [&](const auto& result) {
        return result.status == runtime::CallResult::Status::aborted && !result.suspect;
    });
    if (results.empty())
        return;
    answered_ = true;
    runner_->stop();
    plugin_.on_results(std::move(results));
}

void SoloRun::on_log(runtime::CallId call, std::string_view stream, std::string_view text) {
    plugin_.owner_.on_call_log(call, stream, text);
}

void SoloRun::on_progress(runtime::CallId call, double fraction, std::string_view text) {
    plugin_.owner_.on_call_progress(call, fraction, text);
}

void SoloRun::on_gone(bool, const std::string& why) {
    if (!answered_)
        plugin_.owner_.on_call_unstartable(id_, "cannot start a process for it alone: " + why);
    plugin_.solo_ended(*this);
}

}  // namespace distributo::host
