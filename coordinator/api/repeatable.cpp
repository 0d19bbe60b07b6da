#include "coordinator/api/repeatable.hpp"

#include <algorithm>

namespace distributo::coordinator::api {

Checked<Repeatable> Repeatable::of(const net::RequestHead& head) {
    Repeatable made;
    const auto key = head.header("idempotency-key");
    if (key.empty())
        return made;
    if (key.size() > max_key)
        return Problem{.status = Status::bad_request,
                       .code = "invalid_header",
                       .detail = "Idempotency-Key: at most " + std::to_string(max_key) +
                                 " bytes, got " + std::to_string(key.size()),
                       .hint = "a random UUID is enough",
                       .faults = {},
                       .extra = {}};
    made.key_ = key;
    made.digest_.emplace();
    made.add(net::to_string(head.method));
    made.add(" ");
    made.add(head.target);
    made.add("\n");
    return made;
}

void Repeatable::add(std::string_view piece) {
    if (digest_)
        digest_->update(piece);
}

std::optional<engine::IdempotencyKey> Repeatable::take() {
    if (!digest_)
        return std::nullopt;
    return engine::IdempotencyKey{std::move(key_), digest_->finish()};
}

void mark_replayed(net::Response& response, const std::vector<engine::Submitted>& submitted) {
    if (std::ranges::any_of(submitted, &engine::Submitted::replayed))
        response.headers.emplace_back("Idempotency-Replayed", "true");
}

}  // namespace distributo::coordinator::api
