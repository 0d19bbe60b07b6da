#pragma once

#include "runtime/check/probe/placed.hpp"

#include <distributo/abi.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime::check {

/// The functions of dto_host and its services that can be made to fail, and that are noted when
/// they are called.
enum class HostFunction : unsigned char {
    none,
    log_enabled,
    wait,
    cancel_handle,
    remaining_ms,
    work_dir,
    result,
    result_reserve,
    result_commit,
    scratch,
    notify,
    get_service,
    cache_get,
    cache_put,
    emit_task,
    artifacts_fetch,
    artifacts_open_read,
    artifacts_read,
    artifacts_open_write,
    artifacts_write,
    artifacts_close,
    artifacts_publish,
};
inline constexpr std::size_t host_function_count = 22;
[[nodiscard]] std::string_view name_of(HostFunction function);

/// What a plugin did that the contract forbids, by the check that is meant for it.
enum class Offence : unsigned char { after_end, complete, other };

class ProbeHost;

/// What stands behind a dto_call. Never freed, so that a late use is noticed.
struct ProbeCall {
    ProbeHost* host = nullptr;
    bool is_root = false;
    bool is_async = false;

    std::atomic<bool> cancelled = false;
    std::atomic<bool> alive = true;

    std::mutex ending;  // held while the plugin's cancel function runs, and to end the call

    std::mutex mutex;  // of everything below
    std::condition_variable changed;
    std::string result = "null";
    std::string message;
    std::string reserved;
    std::deque<std::vector<std::max_align_t>> arena;
    std::deque<std::string> texts;  // that services have given out
    std::string work_dir;
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    bool has_result = false;
    bool result_lost = false;  // a function that takes the result was made to fail
    bool completed = false;
    dto_status completion = DTO_OK;
    int cancel_event = -1;

    [[nodiscard]] dto_call* abi() { return reinterpret_cast<dto_call*>(this); }
    [[nodiscard]] static ProbeCall& of(dto_call* call) {
        return *reinterpret_cast<ProbeCall*>(call);
    }
    void cancel();
};

/// A host in the plugin's process that watches what the plugin does with it.
class ProbeHost {
public:
    /// `folder`: exists; work directories are made in it.
    ProbeHost(Age age, std::filesystem::path folder);
    ProbeHost(const ProbeHost&) = delete;
    ProbeHost& operator=(const ProbeHost&) = delete;
    ~ProbeHost() = default;

    [[nodiscard]] const dto_host* table() const { return table_->as<dto_host>(); }
    [[nodiscard]] dto_call* root() { return root_->abi(); }

    /// A call that lives until end().
    [[nodiscard]] ProbeCall& begin(bool is_async);
    void end(ProbeCall& call);

    /// From now on this function fails with `status`; HostFunction::none: all work again.
    void fail(HostFunction function, dto_status status);
    /// Whether it was called since the last fail().
    [[nodiscard]] bool was_called(HostFunction function) const;

    /// What the plugin did wrong so far, as "result() after the end of its call".
    [[nodiscard]] std::vector<std::string> offences(Offence kind) const;
    void blame(Offence kind, std::string what);

    /// True when `function` was made to fail; notes that it was called.
    [[nodiscard]] bool enter(HostFunction function);
    [[nodiscard]] dto_status failure() const { return failing_status_; }
    [[nodiscard]] std::filesystem::path new_folder();

private:
    std::filesystem::path folder_;
    std::unique_ptr<Placed> table_;
    mutable std::mutex mutex_;  // of everything below
    std::deque<std::unique_ptr<ProbeCall>> calls_;
    ProbeCall* root_ = nullptr;
    std::multimap<Offence, std::string> offences_;
    std::uint32_t called_ = 0;
    HostFunction failing_ = HostFunction::none;
    std::atomic<dto_status> failing_status_ = DTO_OK;
    int folders_ = 0;
};

/// The functions of the table; `root` is for the caller to set.
[[nodiscard]] dto_host make_probe_table();

/// Size of dto_host in version 1.0.
inline constexpr std::size_t first_host_size = offsetof(dto_host, get_service) + sizeof(void*);

}  // namespace distributo::runtime::check
