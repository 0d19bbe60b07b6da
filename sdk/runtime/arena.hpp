#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace distributo::runtime {

/// Memory that is given back all at once; keeps a first block for the next call. Not thread-safe.
class Arena {
public:
    /// Aligned for every type; null when there is no memory.
    [[nodiscard]] void* take(std::size_t size) noexcept {
        constexpr std::size_t unit = alignof(std::max_align_t);
        if (size > static_cast<std::size_t>(-1) / 2)
            return nullptr;
        size = (size + unit - 1) / unit * unit;
        if (blocks_.empty() || blocks_.back().size - used_ < size) {
            if (!grow(size))
                return nullptr;
        }
        void* const taken = blocks_.back().data.get() + used_;
        used_ += size;
        return taken;
    }

    void clear() noexcept {
        if (blocks_.size() > 1)
            blocks_.erase(blocks_.begin() + 1, blocks_.end());
        if (!blocks_.empty() && blocks_[0].size > first_block)
            blocks_.clear();
        used_ = 0;
    }

private:
    static constexpr std::size_t first_block = 16 * 1024;

    struct Block {
        std::unique_ptr<std::byte[]> data;
        std::size_t size;
    };

    bool grow(std::size_t least) noexcept {
        std::size_t size = blocks_.empty() ? first_block : blocks_.back().size * 2;
        if (size < least)
            size = least;
        try {
            blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
        } catch (const std::bad_alloc&) {
            return false;
        }
        used_ = 0;
        return true;
    }

    std::vector<Block> blocks_;
    std::size_t used_ = 0;  // of the last block
};

}  // namespace distributo::runtime
