#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::cli {

/// Builds payloads from `--set key=value`. A value that is a JSON text stays one, anything else
/// becomes a string; "{line}" in it stands for the current line.
class PayloadTemplate {
public:
    /// Fails for an entry without '='.
    [[nodiscard]] static base::Result<PayloadTemplate> parse(const std::vector<std::string>& sets);

    /// The JSON object for one line; without any setting it is {"line": line}.
    [[nodiscard]] std::string fill(std::string_view line) const;

private:
    struct Member {
        std::string key;
        std::string value;
        bool is_json = false;
    };
    std::vector<Member> members_;
};

/// The JSON text behind a payload argument: literal, "@FILE", or "-" for standard input; checked.
[[nodiscard]] base::Result<std::string> read_payload(const std::string& argument);

}  // namespace distributo::coordinator::cli
