#pragma once

#include "base/result.hpp"
#include "wire/messages.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

/// Text form of the messages: JSON objects with the member "op", batches as arrays.
/// Built by appending, read by the validating scanner, payloads and results as untouched spans.
namespace distributo::wire {

// ---- writing: one complete message each -----------------------------------------------------

[[nodiscard]] std::string encode(const Hello& message);
[[nodiscard]] std::string encode(const Capabilities& message);
/// Of more than limits::health_count plugins the first ones.
[[nodiscard]] std::string encode(const Health& message);
[[nodiscard]] std::string encode(const Welcome& message);
[[nodiscard]] std::string encode_credit(std::span<const Credit> items);
[[nodiscard]] std::string encode_phases(std::span<const PhaseItem> items);
[[nodiscard]] std::string encode_progress(std::span<const ProgressItem> items);
[[nodiscard]] std::string encode_log(std::span<const LogItem> items);
[[nodiscard]] std::string encode_heartbeat();
[[nodiscard]] std::string encode_draining();
[[nodiscard]] std::string encode_bye(std::string_view reason);
[[nodiscard]] std::string encode_drain();
[[nodiscard]] std::string encode_cancel(std::span<const CancelItem> items);
[[nodiscard]] std::string encode_ack(std::span<const AckItem> items);
[[nodiscard]] std::string encode_unsupported(std::string_view op);
/// Says why the sender is about to close.
[[nodiscard]] std::string encode_error(const base::Error& error);

/// A message that grows item by item, up to the limits of a batch.
template <typename Item>
class Batch {
public:
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// True when the next item belongs into another message.
    [[nodiscard]] bool full() const noexcept;
    void add(const Item& item);
    /// The finished message; the batch is empty again and keeps no memory of it.
    [[nodiscard]] std::string take();

private:
    std::string text_;
    std::size_t count_ = 0;
};

using AssignBatch = Batch<AssignItem>;
using ResultBatch = Batch<ResultItem>;
extern template class Batch<AssignItem>;
extern template class Batch<ResultItem>;

// ---- reading --------------------------------------------------------------------------------

/// Receives the items of one message from a host, in order. An implementation that returns an
/// error ends the message there and the connection with it.
class FromHost {
public:
    virtual ~FromHost() = default;
    virtual base::Result<void> on_hello(Hello message) = 0;
    virtual base::Result<void> on_capabilities(Capabilities message) = 0;
    virtual base::Result<void> on_health(Health message) = 0;
    virtual base::Result<void> on_credit(const Credit& item) = 0;
    virtual base::Result<void> on_phase(const PhaseItem& item) = 0;
    virtual base::Result<void> on_progress(const ProgressItem& item) = 0;
    virtual base::Result<void> on_log(const LogItem& item) = 0;
    virtual base::Result<void> on_result(const ResultItem& item) = 0;
    virtual base::Result<void> on_heartbeat() = 0;
    virtual base::Result<void> on_draining() = 0;
    virtual base::Result<void> on_bye(std::string_view reason) = 0;
    /// A message of a later protocol; answer with encode_unsupported.
    virtual base::Result<void> on_unknown(std::string_view op) = 0;
    /// The peer did not know a message of ours.
    virtual base::Result<void> on_unsupported(std::string_view op) = 0;
    /// The host says why it is about to close.
    virtual base::Result<void> on_error(const base::Error&) { return {}; }
};

class FromCoordinator {
public:
    virtual ~FromCoordinator() = default;
    virtual base::Result<void> on_welcome(Welcome message) = 0;
    virtual base::Result<void> on_assign(const AssignItem& item) = 0;
    virtual base::Result<void> on_ack(const AckItem& item) = 0;
    virtual base::Result<void> on_cancel(const CancelItem& item) = 0;
    virtual base::Result<void> on_drain() = 0;
    virtual base::Result<void> on_error(const base::Error& error) = 0;
    virtual base::Result<void> on_unknown(std::string_view op) = 0;
    virtual base::Result<void> on_unsupported(std::string_view op) = 0;
};

/// Reads one message and hands out its items. Unknown members are skipped. Fails on anything
/// malformed or over a limit, with the offset or member; nothing is handed out after that, but
/// items before it were. Items are views that live until decode returns.
[[nodiscard]] base::Result<void> decode(std::string_view message, FromHost& receiver);
[[nodiscard]] base::Result<void> decode(std::string_view message, FromCoordinator& receiver);
/// Reads a `result` message and no other.
[[nodiscard]] base::Result<void> decode_results(
    std::string_view message, const std::function<void(const ResultItem&)>& receiver);

}  // namespace distributo::wire
