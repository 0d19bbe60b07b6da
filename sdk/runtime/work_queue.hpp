#pragma once

#include "runtime/task_plugin.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace distributo::runtime {

/// First in, first out, in one block of memory. Not thread-safe.
class WorkQueue {
public:
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const Work& front() const noexcept { return ring_[head_]; }

    void push_back(Work&& work) {
        reserve_one();
        ring_[(head_ + size_++) & (ring_.size() - 1)] = std::move(work);
    }
    void push_front(Work&& work) {
        reserve_one();
        head_ = (head_ + ring_.size() - 1) & (ring_.size() - 1);
        ring_[head_] = std::move(work);
        ++size_;
    }
    Work pop_front() {
        Work work = std::move(ring_[head_]);
        head_ = (head_ + 1) & (ring_.size() - 1);
        --size_;
        return work;
    }
    /// Takes out the call with this id; false when it is not here.
    bool remove(CallId id) {
        for (std::size_t i = 0; i < size_; ++i) {
            if (at(i).id != id)
                continue;
            for (; i + 1 < size_; ++i)
                at(i) = std::move(at(i + 1));
            --size_;
            return true;
        }
        return false;
    }

private:
    Work& at(std::size_t i) { return ring_[(head_ + i) & (ring_.size() - 1)]; }

    void reserve_one() {
        if (size_ < ring_.size())
            return;
        std::vector<Work> larger(std::max<std::size_t>(16, ring_.size() * 2));
        for (std::size_t i = 0; i < size_; ++i)
            larger[i] = std::move(at(i));
        ring_ = std::move(larger);
        head_ = 0;
    }

    std::vector<Work> ring_;  // its size is a power of two
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace distributo::runtime
