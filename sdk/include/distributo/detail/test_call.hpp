#pragma once

#include <distributo/detail/host.hpp>
#include <distributo/detail/test_directory.hpp>
#include <distributo/detail/test_store.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {

/// A task that a task or a generator created.
struct EmittedTask {
    std::string type;
    std::string payload;  ///< JSON, as the following with "json" in abi.h
    std::string install;
    std::string dedupe_key;
    std::string group;
    std::string requirements;
    std::int32_t priority = 0;
    std::int32_t max_attempts = 0;
    std::int64_t timeout_ms = 0;

    [[nodiscard]] bool operator==(const EmittedTask&) const = default;
};

/// How a call of the plugin ended, and what it said on the way.
struct Outcome {
    dto_status status = DTO_OK;
    std::string result = "null";
    std::string message;  ///< why it failed
    std::string detail;
    std::int64_t retry_after_ms = 0;
    std::vector<std::string> logs;
    double progress = -1;              ///< the last one
    std::vector<EmittedTask> emitted;  ///< none when it failed
    std::vector<std::string> notices;  ///< what it told the host to have changed

    [[nodiscard]] bool ok() const noexcept { return status == DTO_OK; }
};

namespace detail {

class TestCall;

/// What stands behind a dto_stream here. Used by one thread at a time.
struct TestStream {
    TestCall* call = nullptr;
    std::string name;
    Artifact artifact;
    std::size_t at = 0;
    bool writing = false;
    bool open = true;
};

/// What a call can do beside what all calls can.
struct CallSettings {
    int cancel_at_check = 0;
    std::int64_t remaining_ms = -1;
    TestStores* stores = nullptr;  ///< of the services; none for the root call
    bool is_task = false;          ///< may emit tasks and end later
};

/// What stands behind a dto_call here. Thread-safe, as the contract asks.
class TestCall {
public:
    explicit TestCall(const CallSettings& settings = {}) : settings_(settings) {}
    TestCall(const TestCall&) = delete;
    TestCall& operator=(const TestCall&) = delete;

    dto_call* abi() { return reinterpret_cast<dto_call*>(this); }
    static TestCall& of(dto_call* call) { return *reinterpret_cast<TestCall*>(call); }

    /// How the call ended; takes what it said.
    [[nodiscard]] Outcome outcome(dto_status status) {
        const std::lock_guard lock(mutex_);
        outcome_.status = status;
        if (status != DTO_OK && status != DTO_IDLE && status != DTO_END) {
            outcome_.emitted.clear();
        }
        return std::exchange(outcome_, {});
    }

    /// Ends a call whose function returns, or has returned, DTO_PENDING; once.
    dto_status complete(dto_status status) {
        const std::lock_guard lock(mutex_);
        if (!settings_.is_task || completed_) {
            return DTO_UNSUPPORTED;
        }
        completed_ = status;
        changed_.notify_all();
        return DTO_OK;
    }
    /// What complete() got; nothing when it has not been called within `limit`.
    [[nodiscard]] std::optional<dto_status> wait_completed(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [this] { return completed_.has_value(); });
        return completed_;
    }

    void cancel() { cancelled_ = true; }
    bool cancelled() {
        const int asked = checks_.fetch_add(1) + 1;
        return cancelled_ || (settings_.cancel_at_check != 0 && asked >= settings_.cancel_at_check);
    }
    [[nodiscard]] const CallSettings& settings() const noexcept { return settings_; }

    void notify(std::string_view what) {
        const std::lock_guard lock(mutex_);
        outcome_.notices.emplace_back(what);
    }
    void emit(EmittedTask task) {
        const std::lock_guard lock(mutex_);
        outcome_.emitted.push_back(std::move(task));
    }

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
    /// A copy of the text that lives as long as the call.
    dto_str keep(std::string text) {
        const std::lock_guard lock(mutex_);
        return distributo::detail::to_abi(kept_.emplace_back(std::move(text)));
    }
    /// A local file with this content that lives as long as the call.
    dto_str keep_file(std::string_view content) {
        const std::lock_guard lock(mutex_);
        const auto path = files_.emplace_back().path() / "artifact";
        std::ofstream(path, std::ios::binary) << content;
        return distributo::detail::to_abi(kept_.emplace_back(path.string()));
    }
    TestStream& add_stream(TestStream stream) {
        const std::lock_guard lock(mutex_);
        return streams_.emplace_back(std::move(stream));
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
    std::deque<TemporaryDirectory> files_;
    std::deque<std::string> kept_;
    std::deque<TestStream> streams_;
    std::condition_variable changed_;
    std::optional<dto_status> completed_;
    const CallSettings settings_;
    std::atomic<int> checks_ = 0;
    std::atomic<bool> cancelled_ = false;
};

}  // namespace detail
}  // namespace distributo::testing
