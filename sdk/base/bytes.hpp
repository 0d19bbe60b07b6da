#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace distributo::base {

/// An immutable byte string that its holders share; one pointer wide, one allocation.
///
/// Payloads and results travel as these from the socket to the store, so a task is stored once
/// however many parts of the coordinator refer to it. The count is not atomic: a Bytes and all its
/// copies live on one thread; hand over `Bytes::copy(view)` to leave it.
class Bytes {
public:
    Bytes() = default;
    /// Copies `text` into a new shared block; an empty text needs no block.
    static Bytes copy(std::string_view text);

    Bytes(const Bytes& other) noexcept : block_(other.block_) {
        if (block_)
            ++block_->holders;
    }
    Bytes(Bytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    Bytes& operator=(Bytes other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~Bytes() {
        if (block_ && --block_->holders == 0)
            release(block_);
    }

    [[nodiscard]] std::string_view view() const noexcept {
        return block_ ? std::string_view(reinterpret_cast<const char*>(block_ + 1), block_->size)
                      : std::string_view();
    }
    [[nodiscard]] std::size_t size() const noexcept { return block_ ? block_->size : 0; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

private:
    struct Block {
        std::uint32_t holders;
        std::uint32_t size;
    };
    static void release(Block* block) noexcept;

    Block* block_ = nullptr;
};

}  // namespace distributo::base
