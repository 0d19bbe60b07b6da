#include "host/outbox.hpp"

#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace distributo::host {
namespace {

constexpr std::size_t initial_capacity = 64;
constexpr std::size_t kept_capacity = 256;  // of a text whose outcome is gone

std::size_t size_of(const Outcome& outcome) noexcept {
    return sizeof(Outcome) + outcome.result.size() + outcome.message.size() +
           outcome.detail.size() + outcome.emitted.size();
}

/// Cuts at a border between characters.
void cut(std::string& text, std::size_t length) {
    if (text.size() <= length)
        return;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
        --length;
    text.resize(length);
}

void refuse_result(Outcome& outcome, std::string message) {
    outcome.status = wire::AttemptStatus::permanent;
    outcome.result.clear();
    outcome.emitted.clear();
    outcome.message = std::move(message);
}

/// The runner has checked them; but it shares its process with the plugin.
bool emitted_is_fine(const std::string& emitted) {
    if (emitted.empty())
        return true;
    const auto value = wire::json::parse(emitted);
    return emitted.size() <= wire::limits::emitted_bytes && value &&
           value->kind == wire::json::Kind::array;
}

/// A plugin must not be able to break the connection that all tasks of the host share.
void make_sendable(Outcome& outcome) {
    if (outcome.status == wire::AttemptStatus::ok) {
        if (!emitted_is_fine(outcome.emitted))
            return refuse_result(outcome, "the plugin's follow-up tasks are not a JSON array");
        if (outcome.result.empty())
            outcome.result = "null";
        else if (outcome.result.size() > wire::limits::inline_result)
            refuse_result(outcome,
                          "the plugin's result has " + std::to_string(outcome.result.size()) +
                              " bytes, more than the " +
                              std::to_string(wire::limits::inline_result) + " allowed");
        else if (outcome.result == "null")
            return;
        else if (auto value = wire::json::parse(outcome.result); !value)
            refuse_result(outcome, "the plugin's result is not JSON: " + value.error().message);
    }
    if (outcome.status != wire::AttemptStatus::ok) {
        outcome.result.clear();
        outcome.emitted.clear();
    }
    if (!outcome.detail.empty() && (outcome.detail.size() > wire::limits::batch_bytes / 2 ||
                                    !wire::json::parse(outcome.detail).has_value()))
        outcome.detail.clear();
    cut(outcome.message, wire::limits::error_length);
}

}  // namespace

Outbox::Outbox(std::size_t byte_limit)
    : ring_(initial_capacity), mask_(initial_capacity - 1), byte_limit_(byte_limit) {}

void Outbox::add(Outcome&& outcome) {
    make_sendable(outcome);
    if (end_ - first_ == ring_.size())
        grow();
    bytes_ += size_of(outcome);
    ++count_;
    auto& entry = at(end_++);
    entry.outcome = std::move(outcome);
    entry.waiting = true;
}

template <typename Each>
std::string Outbox::encode_from(std::uint64_t& from, std::uint64_t limit, Each each) {
    while (from < limit && !batch_.full()) {
        const auto& entry = at(from++);
        if (!entry.waiting)
            continue;
        const auto& outcome = entry.outcome;
        each(outcome);
        batch_.add({.token = outcome.token,
                    .status = outcome.status,
                    .result = outcome.result,
                    .message = outcome.message,
                    .detail = outcome.detail,
                    .retry_after_ms = outcome.retry_after_ms,
                    .emitted = outcome.emitted,
                    .times = outcome.times,
                    .version = outcome.version});
    }
    return batch_.empty() ? std::string() : batch_.take();
}

std::string Outbox::next_message() {
    return encode_from(unsent_, sendable(), [](const Outcome&) {});
}

void Outbox::keep_first(bool keep) noexcept {
    if (keep && !keep_first_)
        do_without_spool();
    keep_first_ = keep;
}

SealedResults Outbox::seal() {
    SealedResults sealed;
    sealed.first = sealed_;
    sealed.record.message = encode_from(sealed_, end_, [&](const Outcome& outcome) {
        sealed.record.leases.push_back(outcome.lease);
    });
    sealed.end = sealed_;
    return sealed;
}

void Outbox::kept(const SealedResults& sealed, std::uint64_t file) {
    for (auto number = sealed.first; file != 0 && number != sealed.end; ++number) {
        // The host is leaving, and sent it without waiting for the disk.
        if (number < first_ || !at(number).waiting)
            count_released(file);
        else
            at(number).file = file;
    }
    kept_ = std::max(kept_, sealed.end);
}

bool Outbox::leaves_now(const SealedResults& sealed) noexcept {
    if (unsent_ != sealed.first)
        return false;
    unsent_ = sealed.end;
    return true;
}

void Outbox::restore(Outcome&& outcome, std::uint64_t file) {
    add(std::move(outcome));
    at(end_ - 1).file = file;
    sealed_ = kept_ = end_;
}

void Outbox::clear() {
    for (auto number = first_; number != end_; ++number)
        if (at(number).waiting)
            drop(number);
    released_.clear();
}

bool Outbox::acknowledge(const wire::Token& token) {
    const auto matches = [&](std::uint64_t number) {
        return at(number).waiting && at(number).outcome.token == token;
    };
    auto number = expected_ack_;
    const auto end = sendable();
    if (number < first_ || number >= end || !matches(number)) {
        for (number = first_; number != end && !matches(number);)
            ++number;
        if (number == end)
            return false;
    }
    drop(number);
    expected_ack_ = number + 1;
    return true;
}

std::vector<wire::Claim> Outbox::claims() const {
    std::vector<wire::Claim> claims;
    const auto listed = std::min(count_, most_outcomes);
    claims.reserve(listed);
    auto left_out = count_ - listed;
    for (auto number = first_; number != end_; ++number) {
        if (!at(number).waiting)
            continue;
        if (left_out == 0)
            claims.emplace_back(at(number).outcome.token, at(number).outcome.lease);
        else
            --left_out;
    }
    return claims;
}

void Outbox::grow() {
    std::vector<Entry> larger(ring_.size() * 2);
    const auto mask = larger.size() - 1;
    for (auto number = first_; number != end_; ++number)
        larger[number & mask] = std::move(at(number));
    ring_ = std::move(larger);
    mask_ = mask;
}

void Outbox::drop(std::uint64_t number) {
    auto& entry = at(number);
    if (const auto file = std::exchange(entry.file, 0); file != 0)
        count_released(file);
    bytes_ -= size_of(entry.outcome);
    --count_;
    for (auto* text : {&entry.outcome.result,
                       &entry.outcome.message,
                       &entry.outcome.detail,
                       &entry.outcome.emitted}) {
        text->clear();
        if (text->capacity() > kept_capacity)
            text->shrink_to_fit();
    }
    entry.waiting = false;
    while (first_ != end_ && !at(first_).waiting)
        ++first_;
    for (auto* place : {&unsent_, &sealed_, &kept_})
        *place = std::max(*place, first_);
}

void Outbox::count_released(std::uint64_t file) {
    if (released_.empty() || released_.back().first != file)
        released_.emplace_back(file, 0);
    ++released_.back().second;
}

}  // namespace distributo::host
