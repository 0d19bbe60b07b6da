#pragma once

#include "base/digest.hpp"

#include <distributo/abi.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::runtime {
class Artifacts;
}

/// What a plugin holds of an open artifact. Stays where it is after its call, closed, so that a
/// late use is harmless.
struct dto_stream {
    distributo::runtime::Artifacts* owner = nullptr;
    int file = -1;  ///< -1: closed
    bool writing = false;
    std::string part, target;  ///< written to, and what that becomes
    std::optional<distributo::base::Sha256> hash;
    std::string digest;
};

namespace distributo::runtime {

/// The artifacts of one call after another. In this version they are files in the call's private
/// work directory and go with it. Any thread.
class Artifacts {
public:
    Artifacts() = default;
    Artifacts(const Artifacts&) = delete;
    Artifacts& operator=(const Artifacts&) = delete;
    ~Artifacts() { end(); }

    /// The next call: its work directory, and what tells that it should end.
    void begin(std::filesystem::path directory, const std::atomic<std::int32_t>& cancelled);
    [[nodiscard]] bool begun() const noexcept { return cancelled_ != nullptr; }
    /// Closes what is open without keeping it.
    void end();

    // As dto_artifacts says. `why` receives the reason of a DTO_PERMANENT.
    dto_status fetch(std::string_view name, std::string& path, std::string& why);
    dto_status open_read(std::string_view name,
                         dto_stream*& stream,
                         std::uint64_t& size,
                         std::string& why);
    dto_status open_write(std::string_view name, dto_stream*& stream, std::string& why);
    dto_status publish(std::string_view name, const std::filesystem::path& file, std::string& why);
    dto_status read(dto_stream& stream, void* buffer, std::size_t capacity, std::size_t& got);
    dto_status write(dto_stream& stream, std::string_view bytes);
    /// `digest` lives as long as the call.
    dto_status close(dto_stream& stream, bool commit, std::string_view* digest);

private:
    [[nodiscard]] bool cancelled() const noexcept {
        return !cancelled_ || cancelled_->load(std::memory_order_relaxed) != 0;
    }
    dto_stream* free_stream(std::string& why);
    [[nodiscard]] std::string next_part();
    dto_status commit(dto_stream& stream);
    void abandon(dto_stream& stream);

    std::mutex mutex_;  // of everything
    std::filesystem::path directory_;
    const std::atomic<std::int32_t>* cancelled_ = nullptr;  // null: no call
    std::deque<dto_stream> streams_;
    std::uint64_t parts_ = 0;
};

/// What is wrong with the name of an artifact; empty: nothing. A name is a relative path without
/// "." and "..", so that it stays inside the directory of its call.
[[nodiscard]] std::string fault_of_artifact_name(std::string_view name);

}  // namespace distributo::runtime
