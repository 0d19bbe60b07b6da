#include "host/plugin_health.hpp"

#include <algorithm>

namespace distributo::host {

using runtime::CallResult;
using runtime::ProcessNews;

bool PluginHealth::take_install(runtime::CallId call) {
    const auto found = std::ranges::find(installs_, call);
    if (found == installs_.end())
        return false;
    installs_.erase(found);
    return true;
}

void PluginHealth::ended(const std::vector<CallResult>& results) {
    revision_ += results.size();
    for (const auto& result : results) {
        const bool install = !installs_.empty() && take_install(result.call);
        if (result.status == CallResult::Status::aborted)
            continue;  // it runs again
        const auto elapsed =
            static_cast<std::uint64_t>(std::max<std::int64_t>(result.elapsed_us, 0));
        (install ? figures_.install : figures_.execute).add(elapsed);
        if (!install)
            ++figures_.tasks;
        if (result.status != CallResult::Status::ok &&
            result.status != CallResult::Status::cancelled)
            ++figures_.failures;
    }
}

void PluginHealth::process(const ProcessNews& news) {
    ++revision_;
    switch (news.kind) {
        case ProcessNews::Kind::ready:
            figures_.setup.add(static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(news.setup).count()));
            ++figures_.processes;
            if (dead_ > 0) {
                --dead_;
                ++figures_.restarts;
            }
            break;
        case ProcessNews::Kind::measured:
            figures_.measured_tasks += news.tasks;
            figures_.grown_bytes += news.growth.memory;
            figures_.grown_descriptors += news.growth.descriptors;
            figures_.grown_threads += news.growth.threads;
            break;
        case ProcessNews::Kind::recycled:
            ++figures_.recycles[static_cast<std::size_t>(news.reason)];
            break;
        case ProcessNews::Kind::crashed:
            ++figures_.crashes;
            [[fallthrough]];
        case ProcessNews::Kind::killed:
            ++dead_;
            [[fallthrough]];
        case ProcessNews::Kind::ended:
            if (figures_.processes > 0)
                --figures_.processes;
            break;
        case ProcessNews::Kind::failed:
            break;
    }
}

void PluginHealth::no_processes() noexcept {
    figures_.processes = 0;
    ++revision_;
}

void PluginHealth::write(wire::PluginHealth& out) const {
    out.figures = figures_;
}

}  // namespace distributo::host
