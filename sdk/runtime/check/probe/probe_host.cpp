#include "runtime/check/probe/probe_host.hpp"

#include <algorithm>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace distributo::runtime::check {

std::string_view name_of(HostFunction function) {
    constexpr std::string_view names[host_function_count] = {"none",
                                                             "log_enabled",
                                                             "wait",
                                                             "cancel_handle",
                                                             "remaining_ms",
                                                             "work_dir",
                                                             "result",
                                                             "result_reserve",
                                                             "result_commit",
                                                             "scratch",
                                                             "notify",
                                                             "get_service",
                                                             "cache.get",
                                                             "cache.put",
                                                             "emit.task",
                                                             "artifacts.fetch",
                                                             "artifacts.open_read",
                                                             "artifacts.read",
                                                             "artifacts.open_write",
                                                             "artifacts.write",
                                                             "artifacts.close",
                                                             "artifacts.publish"};
    return names[static_cast<std::size_t>(function)];
}

void ProbeCall::cancel() {
    const std::lock_guard lock(mutex);
    cancelled = true;
    if (cancel_event >= 0)
        eventfd_write(cancel_event, 1);
    changed.notify_all();
}

ProbeHost::ProbeHost(Age age, std::filesystem::path folder) : folder_(std::move(folder)) {
    root_ = &begin(false);
    root_->is_root = true;
    dto_host table = make_probe_table();
    table.root = root_->abi();
    table.abi_minor = abi_minor(age);
    table_ = std::make_unique<Placed>(table, first_host_size, age);
}

ProbeCall& ProbeHost::begin(bool is_async) {
    const std::lock_guard lock(mutex_);
    ProbeCall& call = *calls_.emplace_back(std::make_unique<ProbeCall>());
    call.host = this;
    call.is_async = is_async;
    return call;
}

void ProbeHost::end(ProbeCall& call) {
    const std::lock_guard ending(call.ending);
    call.alive = false;
    const std::lock_guard lock(call.mutex);
    if (call.cancel_event >= 0)
        close(std::exchange(call.cancel_event, -1));
    call.arena.clear();
    if (!call.work_dir.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(call.work_dir, ignored);
        std::filesystem::remove_all(call.work_dir + ".artifacts", ignored);
    }
}

void ProbeHost::fail(HostFunction function, dto_status status) {
    const std::lock_guard lock(mutex_);
    failing_ = function;
    failing_status_ = status;
    called_ = 0;
}

bool ProbeHost::was_called(HostFunction function) const {
    const std::lock_guard lock(mutex_);
    return (called_ & (1U << static_cast<unsigned>(function))) != 0;
}

bool ProbeHost::enter(HostFunction function) {
    const std::lock_guard lock(mutex_);
    called_ |= 1U << static_cast<unsigned>(function);
    return failing_ == function && function != HostFunction::none;
}

std::vector<std::string> ProbeHost::offences(Offence kind) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (auto [at, end] = offences_.equal_range(kind); at != end; ++at)
        if (std::find(found.begin(), found.end(), at->second) == found.end())
            found.push_back(at->second);
    return found;
}

void ProbeHost::blame(Offence kind, std::string what) {
    constexpr std::size_t most = 64;  // a thread that never stops must not fill the memory
    const std::lock_guard lock(mutex_);
    if (offences_.size() < most)
        offences_.emplace(kind, std::move(what));
}

std::filesystem::path ProbeHost::new_folder() {
    const std::lock_guard lock(mutex_);
    std::filesystem::path made = folder_ / ("work-" + std::to_string(++folders_));
    std::filesystem::create_directories(made);
    return made;
}

}  // namespace distributo::runtime::check
