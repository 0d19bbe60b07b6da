#include "coordinator/core/task_table.hpp"
#include "coordinator/core/timer_heap.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace distributo::coordinator::core {
namespace {

using namespace std::chrono_literals;

NewTask task_of(TaskId id) {
    NewTask task;
    task.id = id;
    return task;
}

TEST(TypeNamesTest, TheSameNameIsStoredOnce) {
    TypeNames names;
    const auto first = names.intern("echo");
    const auto second = names.intern(std::string("ec") + "ho");

    EXPECT_EQ(first, "echo");
    EXPECT_EQ(first.data(), second.data());
}

TEST(TypeNamesTest, NamesStayWhereTheyAre) {
    TypeNames names;
    const auto first = names.intern("echo");
    for (int i = 0; i < 10'000; ++i)
        (void)names.intern("type" + std::to_string(i));

    EXPECT_EQ(names.intern("echo").data(), first.data());
    EXPECT_EQ(first, "echo");
}

TEST(TypeNamesTest, TheTableIsBounded) {
    TypeNames names;
    for (std::size_t i = 0; i < TypeNames::max_names; ++i)
        ASSERT_FALSE(names.intern("type" + std::to_string(i)).empty());

    EXPECT_TRUE(names.intern("one more").empty());
    EXPECT_EQ(names.intern("type7"), "type7");
}

TEST(TaskTableTest, IdsLeadToTheirSlots) {
    TaskTable tasks;
    std::vector<Slot> slots;
    const std::vector<TaskId> ids{1, 2, 63, 64, 65, 1'000'000, ~TaskId{0}};
    for (const auto id : ids) {
        auto task = task_of(id);
        slots.push_back(tasks.insert(task));
    }
    EXPECT_EQ(tasks.size(), ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(tasks.find(ids[i]), slots[i]);
        EXPECT_EQ(tasks[slots[i]].id, ids[i]);
    }
    EXPECT_EQ(tasks.find(3), no_slot);
    EXPECT_EQ(tasks.find(500), no_slot);

    tasks.remove(slots[1]);
    EXPECT_EQ(tasks.find(2), no_slot);
    EXPECT_EQ(tasks.find(1), slots[0]);
    EXPECT_EQ(tasks.size(), ids.size() - 1);
}

TEST(TaskTableTest, SlotsAreUsedAgainAndRecordsDoNotMove) {
    TaskTable tasks;
    auto first = task_of(1);
    const auto slot = tasks.insert(first);
    const Task* record = &tasks[slot];
    for (TaskId id = 2; id < 10'000; ++id) {
        auto task = task_of(id);
        (void)tasks.insert(task);
    }
    EXPECT_EQ(&tasks[slot], record);
    tasks.remove(slot);

    auto fresh = task_of(20'000);
    EXPECT_EQ(tasks.insert(fresh), slot);
    EXPECT_EQ(tasks.at(10'000), nullptr);
}

TEST(TimerHeapTest, TimersComeInOrder) {
    TimerHeap timers;
    const auto all = [](const Timer&) { return true; };
    EXPECT_EQ(timers.next(), base::TimePoint::max());
    for (const int at : {5, 3, 9, 1, 7})
        timers.add({base::TimePoint(std::chrono::seconds(at)), 0, 0, {}}, all);

    for (const int at : {1, 3, 5, 7, 9}) {
        EXPECT_EQ(timers.next(), base::TimePoint(std::chrono::seconds(at)));
        EXPECT_EQ(timers.take().at, base::TimePoint(std::chrono::seconds(at)));
    }
    EXPECT_EQ(timers.next(), base::TimePoint::max());
}

TEST(TimerHeapTest, TimersThatDoNotCountAnyMoreDoNotPileUp) {
    TimerHeap timers;
    for (std::uint64_t i = 0; i < 100'000; ++i)
        timers.add({base::TimePoint(1h), i, 0, {}},
                   [&](const Timer& timer) { return timer.serial + 10 >= i; });

    EXPECT_LT(timers.size(), 3000U);
}

}  // namespace
}  // namespace distributo::coordinator::core
