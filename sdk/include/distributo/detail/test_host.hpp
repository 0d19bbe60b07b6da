#pragma once

#include <distributo/detail/host.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace distributo::testing {

/// How a call of the plugin ended, and what it said on the way.
struct Outcome {
    dto_status status = DTO_OK;
    std::string result = "null";
    std::string message;  ///< why it failed
    std::string detail;
    std::int64_t retry_after_ms = 0;
    std::vector<std::string> logs;
    double progress = -1;  ///< the last one

    [[nodiscard]] bool ok() const noexcept { return status == DTO_OK; }
};

namespace detail {

/// Removed with its content at the end.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "distributo-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("cannot make a directory like " + pattern);
        }
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// What stands behind a dto_call here. Thread-safe, as the contract asks.
class TestCall {
public:
    explicit TestCall(int cancel_at_check = 0, std::int64_t remaining_ms = -1)
        : cancel_at_check_(cancel_at_check), remaining_ms_(remaining_ms) {}
    TestCall(const TestCall&) = delete;
    TestCall& operator=(const TestCall&) = delete;

    dto_call* abi() { return reinterpret_cast<dto_call*>(this); }
    static TestCall& of(dto_call* call) { return *reinterpret_cast<TestCall*>(call); }

    [[nodiscard]] Outcome outcome(dto_status status) {
        outcome_.status = status;
        return std::move(outcome_);
    }

    bool cancelled() {
        const int asked = checks_.fetch_add(1) + 1;
        return cancel_at_check_ != 0 && asked >= cancel_at_check_;
    }
    [[nodiscard]] std::int64_t remaining_ms() const noexcept { return remaining_ms_; }

    void log(std::string_view text) {
        const std::lock_guard lock(mutex_);
        outcome_.logs.emplace_back(text);
    }
    [[nodiscard]] std::size_t log_count() {
        const std::lock_guard lock(mutex_);
        return outcome_.logs.size();
    }
    void progress(double fraction) {
        const std::lock_guard lock(mutex_);
        outcome_.progress = fraction;
    }
    void set_error(const dto_error& error) {
        const std::lock_guard lock(mutex_);
        outcome_.message = distributo::detail::from_abi(error.message);
        outcome_.detail = distributo::detail::from_abi(error.detail_json);
        outcome_.retry_after_ms = error.retry_after_ms;
    }
    void result(std::string_view data) {
        const std::lock_guard lock(mutex_);
        outcome_.result = data;
    }
    char* reserve(std::size_t size) {
        const std::lock_guard lock(mutex_);
        reserved_.assign(size, '\0');
        return reserved_.data();
    }
    bool commit(std::size_t used) {
        const std::lock_guard lock(mutex_);
        if (used > reserved_.size()) {
            return false;
        }
        outcome_.result.assign(reserved_, 0, used);
        return true;
    }
    void* scratch(std::size_t size) {
        const std::lock_guard lock(mutex_);
        constexpr std::size_t unit = sizeof(std::max_align_t);
        return arena_.emplace_back((size + unit - 1) / unit).data();
    }
    dto_str work_dir() {
        const std::lock_guard lock(mutex_);
        if (work_dirs_.empty()) {
            work_dir_ = work_dirs_.emplace_back().path().string();
        }
        return distributo::detail::to_abi(work_dir_);
    }

private:
    std::mutex mutex_;
    Outcome outcome_;
    std::string reserved_;
    std::deque<std::vector<std::max_align_t>> arena_;
    std::deque<TemporaryDirectory> work_dirs_;  // none or one
    std::string work_dir_;
    const int cancel_at_check_;
    const std::int64_t remaining_ms_;
    std::atomic<int> checks_ = 0;
};

/// A host's table over TestCall. Has no services.
struct TestHost {
    TestHost() {
        table.struct_size = sizeof table;
        table.abi_minor = DTO_ABI_MINOR;
        table.name = distributo::detail::to_abi("distributo-testing");
        table.version = distributo::detail::to_abi("1.0.0");
        table.root = root.abi();
        set_reporting();
        set_waiting();
        set_results();
        table.complete = [](dto_call*, dto_status) -> dto_status { return DTO_UNSUPPORTED; };
        table.notify = [](dto_call*, dto_str) -> dto_status { return DTO_OK; };
        table.get_service = [](const dto_host*, const char*) -> const void* { return nullptr; };
    }
    TestHost(const TestHost&) = delete;
    TestHost& operator=(const TestHost&) = delete;

    TestCall root;
    dto_host table{};

private:
    void set_reporting() {
        table.log_enabled = [](dto_call*, dto_level) -> std::int32_t { return 1; };
        table.log = [](dto_call* call, dto_level, dto_str text, dto_str) {
            TestCall::of(call).log(distributo::detail::from_abi(text));
        };
        table.set_error = [](dto_call* call, const dto_error* error) {
            TestCall::of(call).set_error(*error);
        };
        table.progress = [](dto_call* call, double fraction, dto_str) {
            TestCall::of(call).progress(fraction);
        };
    }

    void set_waiting() {
        table.cancelled = [](dto_call* call) -> std::int32_t {
            return TestCall::of(call).cancelled() ? 1 : 0;
        };
        table.wait = [](dto_call* call, std::int64_t ms) -> dto_status {
            if (TestCall::of(call).cancelled()) {
                return DTO_CANCELLED;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(ms));
            return DTO_OK;
        };
        table.cancel_handle = [](dto_call*) -> std::intptr_t { return -1; };
        table.remaining_ms = [](dto_call* call) { return TestCall::of(call).remaining_ms(); };
    }

    void set_results() {
        table.work_dir = [](dto_call* call, dto_str* path) -> dto_status {
            *path = TestCall::of(call).work_dir();
            return DTO_OK;
        };
        table.result = [](dto_call* call, dto_bytes data, dto_str) -> dto_status {
            TestCall::of(call).result({static_cast<const char*>(data.ptr), data.len});
            return DTO_OK;
        };
        table.result_reserve = [](dto_call* call, std::uint64_t size, void** out) -> dto_status {
            *out = TestCall::of(call).reserve(static_cast<std::size_t>(size));
            return DTO_OK;
        };
        table.result_commit = [](dto_call* call, std::uint64_t used, dto_str) -> dto_status {
            return TestCall::of(call).commit(static_cast<std::size_t>(used)) ? DTO_OK
                                                                             : DTO_PERMANENT;
        };
        table.scratch = [](dto_call* call, std::size_t size) {
            return TestCall::of(call).scratch(size);
        };
    }
};

}  // namespace detail
}  // namespace distributo::testing
