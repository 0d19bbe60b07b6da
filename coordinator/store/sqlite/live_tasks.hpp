#pragma once

#include "coordinator/core/task.hpp"
#include "coordinator/store/sqlite/names.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

/// What the writer must know of a task when it ends.
struct LiveTask {
    NameId type = 0;  ///< 0: no such task lives
    NameId group = 0;
};

/// The tasks without outcome: nine bytes each while ids are dense. It stands for the anti-join of
/// `task` and `outcome` that every outcome would need. Changes since begin() can be taken back.
class LiveTasks {
public:
    void add(core::TaskId id, LiveTask task);
    /// What it was; nothing happens when it does not live.
    LiveTask remove(core::TaskId id);
    [[nodiscard]] bool contains(core::TaskId id) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// At or below every live task; `end` when there is none. `end`: above every live task.
    [[nodiscard]] core::TaskId floor(core::TaskId end);

    void begin() noexcept { changes_.clear(); }
    void roll_back();

private:
    static constexpr std::size_t page_size = 64;
    struct Page {
        std::array<LiveTask, page_size> tasks{};
        std::size_t count = 0;
    };
    struct Change {
        core::TaskId id = 0;
        LiveTask removed;  ///< type 0: it was added
    };
    [[nodiscard]] LiveTask* find(core::TaskId id);
    void put(core::TaskId id, LiveTask task);
    LiveTask take(core::TaskId id);

    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
    std::uint64_t last_number_ = ~std::uint64_t{0};  // of last_, which is in pages_
    Page* last_ = nullptr;
    std::uint64_t lowest_page_ = 0;  // no page below this
    std::size_t size_ = 0;
    std::vector<Change> changes_;
};

}  // namespace distributo::coordinator::store
