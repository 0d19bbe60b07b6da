#pragma once

#include "runtime/call_slot.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace distributo::runtime {

/// Bytes that a runner has read from its own stdout or stderr and not reported yet. They lie in
/// shared memory so that the last words of a process that dies between the two are not lost.
struct alignas(64) PrintArea {
    static constexpr std::size_t capacity = 16 * 1024;

    std::atomic<std::uint32_t> size{0};
    char text[capacity];

    [[nodiscard]] std::string_view view() const noexcept {
        const std::size_t used = size.load(std::memory_order_acquire);
        return {text, used <= capacity ? used : capacity};
    }
};

/// The memory that a runner process shares with its supervisor: how many slots were used, two
/// print areas (stdout, stderr), then the slots of calls. Does not own the memory.
struct SharedPage {
    std::span<PrintArea> prints;
    SlotTable slots;

    [[nodiscard]] static constexpr std::size_t size_for(std::size_t slots) noexcept {
        return sizeof(Head) + 2 * sizeof(PrintArea) + slots * sizeof(CallSlot);
    }
    /// `memory` is of size_for(n), or more; fewer bytes give an empty page.
    [[nodiscard]] static SharedPage at(void* memory, std::size_t size) noexcept {
        if (size < size_for(0))
            return {};
        auto* const head = static_cast<Head*>(memory);
        auto* const prints = reinterpret_cast<PrintArea*>(head + 1);
        return {.prints = {prints, 2},
                .slots = {.all = {reinterpret_cast<CallSlot*>(prints + 2),
                                  (size - size_for(0)) / sizeof(CallSlot)},
                          .used = &head->used}};
    }

private:
    struct alignas(64) Head {
        std::atomic<std::uint32_t> used{0};
    };
};

}  // namespace distributo::runtime
