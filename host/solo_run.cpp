#include "host/solo_run.hpp"

#include "host/plugin.hpp"

namespace distributo::host {

SoloRun::SoloRun(boost::asio::io_context& io,
                 runtime::RunnerOptions options,
                 runtime::ExecuteCall call,
                 Plugin& plugin)
    : plugin_(plugin), id_(call.call), call_(std::move(call)) {
    options.threads = 1;
    runner_ = runtime::make_runner(io, runtime::Isolation::process, std::move(options), *this);
}

void SoloRun::cancel() {
    cancelled_ = true;
    if (started_)
        runner_->cancel(id_);
}

void SoloRun::on_ready(const runtime::ModuleInfo&) {
    started_ = true;
    runner_->execute(std::move(call_));
    if (cancelled_)
        runner_->cancel(id_);
    runner_->flush();
    plugin_.owner_.on_call_started(id_);
}

void SoloRun::on_results(std::vector<runtime::CallResult> results) {
    answered_ = true;
    runner_->stop();
    plugin_.owner_.on_call_results(std::move(results));
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
