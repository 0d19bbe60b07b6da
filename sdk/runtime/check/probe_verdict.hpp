#pragma once

#include "base/result.hpp"
#include "runtime/check/verdict.hpp"

#include <string>
#include <string_view>

/// What the checking process and its probes agree on.
namespace distributo::runtime::check {

inline constexpr int verdict_descriptor = 3;
inline constexpr std::string_view describe_id = "describe";
inline constexpr std::string_view samples_file = "samples.json";
inline constexpr std::string_view config_file = "config.json";

/// {"status":"failed","why":"…","hint":"…"}
[[nodiscard]] std::string verdict_text(const Verdict& verdict);
/// Reads it back; fails for everything else.
[[nodiscard]] base::Result<Verdict> parse_verdict(std::string_view text);

}  // namespace distributo::runtime::check
