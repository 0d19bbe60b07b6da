#pragma once

#include "host/outcome.hpp"
#include "host/spool_format.hpp"
#include "wire/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace distributo::host {

/// A message of results on its way to the spool and from there, unchanged, to the coordinator.
struct SealedResults {
    SpoolRecord record;
    std::uint64_t first = 0;  ///< of the outbox's numbers
    std::uint64_t end = 0;
};

/// Outcomes on their way to the coordinator: kept until acknowledged, sent again after a new
/// connection. While keep_first() holds, none is sent before it is in the spool.
///
///   add ─► (seal ─► kept) ─► next_message ─► acknowledge
///
/// Acknowledgements come in the order of sending, so each is found without a search.
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

    /// Are outcomes spooled before they are sent? Those that are here already are not.
    void keep_first(bool keep) noexcept;
    [[nodiscard]] bool keeps_first() const noexcept { return keep_first_; }
    /// Outcomes that wait for seal().
    [[nodiscard]] std::size_t unsealed() const noexcept {
        return keep_first_ ? static_cast<std::size_t>(end_ - sealed_) : 0;
    }
    /// The next message for the spool. Only while there are unsealed ones.
    [[nodiscard]] SealedResults seal();
    /// It is in this file of the spool, or could not be stored (0): either way it may be sent.
    void kept(const SealedResults& sealed, std::uint64_t file);
    /// Is it what is to be sent next on this connection? From then on it counts as sent.
    [[nodiscard]] bool leaves_now(const SealedResults& sealed) noexcept;
    /// The spool is not to be had: what is unsealed may be sent without it.
    void do_without_spool() noexcept { sealed_ = kept_ = end_; }
    /// Nothing waits for the spool.
    [[nodiscard]] bool all_kept() const noexcept { return !keep_first_ || kept_ == end_; }
    /// Puts in what the spool had. Only while nothing is unsealed.
    void restore(Outcome&& outcome, std::uint64_t file);
    /// Forgets everything; what is in the spool stays there.
    void clear();
    /// How many were acknowledged since the last call, by file of the spool.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::size_t>> take_released() {
        return std::exchange(released_, {});
    }

    /// The coordinator has it. False for a token that is not waiting (a second acknowledgement) or
    /// was not to be sent yet.
    bool acknowledge(const wire::Token& token);

    /// A new connection: everything counts as unsent again.
    void rewind() noexcept { unsent_ = first_; }

    /// The newest ones, as many as one hello can list: after a crash the spool may bring more, most
    /// of them acknowledged before.
    [[nodiscard]] std::vector<wire::Claim> claims() const;
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool has_unsent() const noexcept { return unsent_ < sendable(); }
    [[nodiscard]] bool full() const noexcept {
        return bytes_ > byte_limit_ || count_ > most_outcomes;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    /// A claim has at most 97 bytes with its quotes and comma, and hello lists what runs as well.
    static constexpr std::size_t most_outcomes = 32'768;
    struct Entry {
        Outcome outcome;
        std::uint64_t file = 0;  // of the spool; 0: it is not there
        bool waiting = false;
    };
    [[nodiscard]] Entry& at(std::uint64_t number) noexcept { return ring_[number & mask_]; }
    [[nodiscard]] const Entry& at(std::uint64_t number) const noexcept {
        return ring_[number & mask_];
    }
    [[nodiscard]] std::uint64_t sendable() const noexcept { return keep_first_ ? kept_ : end_; }
    /// Moves `from` up to at most `limit`, and adds what it passes to the batch until that is full.
    template <typename Each>
    [[nodiscard]] std::string encode_from(std::uint64_t& from, std::uint64_t limit, Each each);
    void grow();
    void drop(std::uint64_t number);
    void count_released(std::uint64_t file);

    // A ring over rising numbers: first_ ≤ unsent_, expected_ack_ ≤ end_; first_ ≤ kept_ ≤ sealed_.
    std::vector<Entry> ring_;
    std::uint64_t mask_;
    std::uint64_t first_ = 0;
    std::uint64_t unsent_ = 0;
    std::uint64_t sealed_ = 0;  // those below were given to the spool
    std::uint64_t kept_ = 0;    // those below may be sent
    std::uint64_t expected_ack_ = 0;
    std::uint64_t end_ = 0;
    std::size_t count_ = 0;  // waiting ones between first_ and end_
    std::size_t bytes_ = 0;
    std::size_t byte_limit_;
    bool keep_first_ = false;
    std::vector<std::pair<std::uint64_t, std::size_t>> released_;
    wire::ResultBatch batch_;
};

}  // namespace distributo::host
