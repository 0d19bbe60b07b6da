#pragma once

#include <distributo/detail/test_call.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace distributo::testing {

/// What a task is run with, beside its type and payload.
struct RunOptions {
    std::string task_id = "test";
    std::uint32_t attempt = 1;
    std::filesystem::path install_dir{};
    std::int64_t remaining_ms = -1;  ///< to the deadline; below 0: none
    /// The task is cancelled when it asks whether it is for the n-th time, 1 being the first;
    /// 0: never. wait() asks too.
    int cancel_at_check = 0;
};

namespace detail {

/// A task and everything that its request points to; lives until its call has ended.
class TestTask {
public:
    TestTask(std::string_view type,
             std::string_view payload_json,
             const RunOptions& options,
             TestStores& stores)
        : call({.cancel_at_check = options.cancel_at_check,
                .remaining_ms = options.remaining_ms,
                .stores = &stores,
                .is_task = true}),
          type_(type),
          payload_(payload_json),
          id_(options.task_id),
          install_dir_(options.install_dir.string()) {
        request.struct_size = sizeof request;
        request.attempt = options.attempt;
        request.task_id = distributo::detail::to_abi(id_);
        request.task_type = distributo::detail::to_abi(type_);
        request.payload_json = distributo::detail::to_abi(payload_);
        request.install_dir = distributo::detail::to_abi(install_dir_);
        if (!install_dir_.empty()) {
            request.content_key = distributo::detail::to_abi("test-key");
        }
    }

    TestCall call;
    dto_execute request{};

private:
    std::string type_, payload_, id_, install_dir_;
};

/// How long a test waits for a task that ends later, unless it says so itself.
inline constexpr std::chrono::seconds patience{60};

}  // namespace detail

}  // namespace distributo::testing
