#pragma once

#include "base/digest.hpp"
#include "coordinator/api/problem.hpp"
#include "coordinator/engine/engine.hpp"
#include "net/http_message.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::api {

/// The Idempotency-Key of a request to submit, if it has one, and the digest of what it asks for:
/// method, target and body.
class Repeatable {
public:
    static constexpr std::size_t max_key = 255;

    /// Refuses a key that is too long.
    [[nodiscard]] static Checked<Repeatable> of(const net::RequestHead& head);

    /// A piece of the body as it arrives.
    void add(std::string_view piece);
    /// Nothing without a key. The last call.
    [[nodiscard]] std::optional<engine::IdempotencyKey> take();

private:
    std::string key_;
    std::optional<base::Sha256> digest_;
};

/// Says in the answer that it stands for a request that was made before, if it does.
void mark_replayed(net::Response& response, const std::vector<engine::Submitted>& submitted);

}  // namespace distributo::coordinator::api
