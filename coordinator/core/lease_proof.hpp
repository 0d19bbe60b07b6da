#pragma once

#include "coordinator/core/task.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace distributo::coordinator::core {

/// The secret of a store, 128 random bits; never leaves the coordinator.
using LeaseKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4 of any bytes.
[[nodiscard]] std::uint64_t siphash(const LeaseKey& key, std::string_view bytes) noexcept;

/// Makes and checks the proofs that a host got an attempt of a task. Who does not know the key
/// cannot make one up, and one that was made for another host, task or attempt is worth nothing. So
/// a boot of the coordinator can believe a host what an earlier one gave it, although assignments
/// are never written.
class LeaseProofs {
public:
    explicit LeaseProofs(const LeaseKey& key) noexcept : key_(key) {}

    /// What a proof needs of the host; computed once per host, because its id is long.
    [[nodiscard]] std::uint64_t host_digest(std::string_view host_id) const noexcept {
        return siphash(key_, host_id);
    }
    [[nodiscard]] std::uint64_t proof(std::uint64_t host_digest,
                                      TaskId task,
                                      std::uint32_t attempt) const noexcept;

private:
    LeaseKey key_;
};

}  // namespace distributo::coordinator::core
