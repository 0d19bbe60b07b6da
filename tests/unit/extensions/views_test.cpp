#include "coordinator/extensions/views.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace distributo::coordinator::extensions {
namespace {

runtime::OutcomeView sized(const std::string& text) {
    runtime::OutcomeView view;
    view.result = text;
    return view;
}

TEST(OneCallTest, TakesWhatFitsAndAtLeastOne) {
    const std::string half(most_bytes / 2, 'x');
    const std::string huge(most_bytes * 2, 'x');
    const std::vector<runtime::OutcomeView> all{sized(half), sized(half), sized("x"), sized(huge)};
    EXPECT_EQ(one_call(all).size(), 2U);
    EXPECT_EQ(one_call(std::span(all).last(2)).size(), 1U);
    EXPECT_EQ(one_call(std::span(all).last(1)).size(), 1U);
    EXPECT_EQ(one_call({}).size(), 0U);
}

TEST(NextPageTest, FollowsTheSizeOfTheLastOne) {
    EXPECT_EQ(next_page(0, 0, 512), 512U);
    EXPECT_EQ(next_page(32, 3200, 512), 512U);
    EXPECT_EQ(next_page(512, 4 * most_bytes, 512), 128U);
    EXPECT_EQ(next_page(1, 10 * most_bytes, 512), 1U);
}

store::TaskRecord ended(wire::TaskState state, const std::string& group) {
    store::TaskRecord record;
    record.task.id = 7;
    record.task.type = "image.scale";
    core::TaskOptions options;
    options.group = group;
    record.task.options = std::make_shared<const core::TaskOptions>(options);
    record.outcome.emplace();
    record.outcome->state = state;
    return record;
}

TEST(FilterTest, EveryListMustFitAndAStarIsABeginning) {
    const auto task = ended(wire::TaskState::failed, "nightly");
    EXPECT_TRUE(wants({}, task, ""));
    EXPECT_TRUE(wants({{"text", "image.*"}, {}, {}, {}}, task, ""));
    EXPECT_FALSE(wants({{"image"}, {}, {}, {}}, task, ""));
    EXPECT_TRUE(wants({{}, {"nightly"}, {"words"}, {"failed"}}, task, "words"));
    EXPECT_FALSE(wants({{}, {"nightly"}, {"words"}, {"failed"}}, task, ""));
    EXPECT_FALSE(wants({{}, {}, {}, {"completed"}}, task, ""));
}

TEST(OutcomeViewsTest, SayHowATaskEnded) {
    OutcomeViews views;
    auto task = ended(wire::TaskState::failed, "nightly");
    task.sequence = 3;
    task.task.generator = 5;
    task.outcome->reason = wire::FailReason::attempts_exhausted;
    task.outcome->attempt.message = "no";
    views.add(task, [](core::ExtensionNumber number) { return "g" + std::to_string(number); });
    const auto& view = views.all().at(0);
    EXPECT_EQ(view.sequence, 3U);
    EXPECT_EQ(view.status, 1);  // DTO_RETRY: its attempts are used up
    EXPECT_EQ(view.generator, "g5");
    EXPECT_EQ(view.state, "failed");
    EXPECT_EQ(view.reason, "attempts_exhausted");
    EXPECT_EQ(view.message, "no");
    EXPECT_FALSE(view.task_id.empty());
}

}  // namespace
}  // namespace distributo::coordinator::extensions
