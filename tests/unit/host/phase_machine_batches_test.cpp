#include "phase_machine_bed.hpp"

namespace distributo::host {
namespace {

TEST_F(PhaseMachineTest, BatchesAreHandedOverWhole) {
    auto batched = type("t", false, 1);
    batched.max_batch = 5;
    offer({batched});
    EXPECT_EQ(machine.credit("t", "") % 5, 0U);
    EXPECT_GE(machine.credit("t", ""), 10U);
    for (std::uint64_t i = 1; i <= 12; ++i)
        assign(i);
    dispatch();
    ASSERT_EQ(started.size(), 5U);
    for (std::size_t i = 0; i < 4; ++i)
        end(started[i].call.call);
    EXPECT_EQ(started.size(), 5U) << "four of five have ended: no room for a batch yet";
    end(started[4].call.call);
    ASSERT_EQ(started.size(), 10U);
    for (std::size_t i = 5; i < 10; ++i)
        end(started[i].call.call);
    EXPECT_EQ(started.size(), 12U);
}

TEST_F(PhaseMachineTest, AsyncTypesAreNotBoundedBySlots) {
    auto async = type("t");
    async.async = true;
    auto limited = type("few", false, 7);
    limited.async = true;
    offer({async, limited});
    EXPECT_EQ(machine.credit("t", ""), runtime::default_async_calls);
    for (std::uint64_t i = 1; i <= 3000; ++i)
        assign(i);
    dispatch();
    EXPECT_EQ(started.size(), 3000U);
    for (std::uint64_t i = 3001; i <= 3020; ++i)
        assign(i, "few");
    dispatch();
    EXPECT_EQ(started.size(), 3007U);

    offer({type("blocking")});
    for (std::uint64_t i = 4001; i <= 4003; ++i)
        assign(i, "blocking");
    assign(4004);
    dispatch();
    EXPECT_EQ(started.size(), 3010U) << "two slots, and one more that needs none";
}

}  // namespace
}  // namespace distributo::host
