#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace distributo::base {

/// SHA-256 of what comes in pieces. Not thread-safe.
class Sha256 {
public:
    Sha256();
    void update(std::string_view data);
    /// 64 lower-case hexadecimal digits. The last call.
    [[nodiscard]] std::string finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// SHA-256 of `data` as 64 lower-case hexadecimal digits. Any thread.
[[nodiscard]] std::string sha256(std::string_view data);

/// Is this what sha256() returns, by its form?
[[nodiscard]] bool is_sha256(std::string_view text) noexcept;

/// SHA-256 of a file's content, read in pieces. Any thread; blocks.
[[nodiscard]] Result<std::string> sha256_file(const std::filesystem::path& file);

}  // namespace distributo::base
