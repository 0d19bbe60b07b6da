#pragma once

#include "host/outcome.hpp"
#include "wire/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace distributo::host {

/// Outcomes on their way to the coordinator: kept until acknowledged, sent again after a new
/// connection. Acknowledgements come in the order of sending, so each is found without a search.
/// Does no I/O. Not thread-safe: lives on the io_context.
class Outbox {
public:
    /// Above this many bytes without acknowledgement the host must not accept more tasks; nor above
    /// as many outcomes as one hello message can list.
    explicit Outbox(std::size_t byte_limit = std::size_t{64} * 1024 * 1024);

    /// Takes an outcome; cuts or replaces what the protocol would not carry.
    void add(Outcome&& outcome);

    /// The next message of results not yet sent on this connection; empty when there is none.
    [[nodiscard]] std::string next_message();

    /// The coordinator has it. False for a token that is not waiting (a second acknowledgement).
    bool acknowledge(const wire::Token& token);

    /// A new connection: everything counts as unsent again.
    void rewind() noexcept { unsent_ = first_; }

    [[nodiscard]] std::vector<wire::Claim> claims() const;
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool has_unsent() const noexcept { return unsent_ != end_; }
    [[nodiscard]] bool full() const noexcept {
        return bytes_ > byte_limit_ || count_ > most_outcomes;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t most_outcomes = 65'536;
    struct Entry {
        Outcome outcome;
        bool waiting = false;
    };
    [[nodiscard]] Entry& at(std::uint64_t number) noexcept { return ring_[number & mask_]; }
    [[nodiscard]] const Entry& at(std::uint64_t number) const noexcept {
        return ring_[number & mask_];
    }
    void grow();
    void drop(std::uint64_t number);

    // A ring over rising numbers: first_ ≤ unsent_, expected_ack_ ≤ end_.
    std::vector<Entry> ring_;
    std::uint64_t mask_;
    std::uint64_t first_ = 0;
    std::uint64_t unsent_ = 0;
    std::uint64_t expected_ack_ = 0;
    std::uint64_t end_ = 0;
    std::size_t count_ = 0;  // waiting ones between first_ and end_
    std::size_t bytes_ = 0;
    std::size_t byte_limit_;
    wire::ResultBatch batch_;
};

}  // namespace distributo::host
