#include "coordinator/engine/follow_ups.hpp"

#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using wire::TaskState;

TEST(ReadFollowUpsTest, ReadsEveryMember) {
    const auto tasks = read_follow_ups(
        R"([{"type":"a","payload":{"n": 1.0},"install":["x"],"dedupe_key":"k","group":"g",)"
        R"("requires":{"labels":{"gpu":"yes"}},"priority":-3,"max_attempts":2,"timeout_ms":1500}])");

    ASSERT_EQ(tasks.size(), 1U);
    EXPECT_EQ(tasks[0].fault, "");
    EXPECT_EQ(tasks[0].type, "a");
    EXPECT_EQ(tasks[0].payload.view(), R"({"n": 1.0})");
    const auto& options = *tasks[0].options;
    EXPECT_EQ(options.install.view(), R"(["x"])");
    EXPECT_EQ(options.given_id, dedupe_id("k"));
    EXPECT_EQ(options.dedupe_key, "k");
    EXPECT_EQ(options.given_id.substr(0, 7), "dedupe-");
    EXPECT_EQ(options.given_id.size(), 7U + 32U);
    EXPECT_EQ(options.group, "g");
    EXPECT_EQ(options.requires_labels.at("gpu"), "yes");
    EXPECT_EQ(options.priority, -3);
    EXPECT_EQ(options.max_attempts, 2U);
    EXPECT_EQ(options.timeout_ms, 1500);
}

TEST(ReadFollowUpsTest, ATypeMayNameARangeOfVersions) {
    const auto tasks = read_follow_ups(R"([{"type":"a@^1.2"}])");
    EXPECT_EQ(tasks.at(0).fault, "");
    EXPECT_EQ(tasks.at(0).type, "a");
    EXPECT_EQ(tasks.at(0).options->version_range, "^1.2");
}

TEST(ReadFollowUpsTest, WhatIsWrongIsSaid) {
    const std::pair<const char*, const char*> cases[] = {
        {R"([7])", "expected an object"},
        {R"([{"payload":1}])", "it has no type"},
        {R"([{"type":"a/b"}])", "type: expected a name"},
        {R"([{"type":"a@^"}])", "type: "},
        {R"([{"type":"a","priority":"high"}])", "priority: expected an integer"},
        {R"([{"type":"a","requires":{"os":"x"}}])", "only member known here is \"labels\""},
        {R"([{"type":"a","later":1}])", "does not know the member \"later\""},
        {R"({})", "expected an array of tasks"}};
    for (const auto& [text, fault] : cases) {
        const auto tasks = read_follow_ups(text);
        ASSERT_EQ(tasks.size(), 1U) << text;
        EXPECT_NE(tasks[0].fault.find(fault), std::string::npos) << tasks[0].fault;
    }
}

TEST(ReadFollowUpsTest, WhoNamesNoGroupGetsTheOneOfAll) {
    const auto tasks =
        read_follow_ups(R"([{"type":"a"},{"payload":7,"type":"b"},{"type":"c","priority":1},)"
                        R"({"type":"d","group":"own"},{"type":"e@^1"}])",
                        {.group = "all"});

    ASSERT_EQ(tasks.size(), 5U);
    EXPECT_EQ(tasks[0].options, tasks[1].options) << "not shared";
    EXPECT_EQ(tasks[0].options->group, "all");
    EXPECT_EQ(tasks[2].options->group, "all");
    EXPECT_EQ(tasks[2].options->priority, 1);
    EXPECT_EQ(tasks[3].options->group, "own");
    EXPECT_EQ(tasks[4].options->group, "all");
    EXPECT_EQ(tasks[4].options->version_range, "^1");
}

TEST(ReadFollowUpsTest, TooManyAreLeftOut) {
    const auto tasks = read_follow_ups(R"([{"type":"a"},{"type":"b"},{"type":"c"}])", {.most = 2});
    ASSERT_EQ(tasks.size(), 3U);
    EXPECT_EQ(tasks[1].type, "b");
    EXPECT_EQ(tasks[2].type, "");
    EXPECT_EQ(tasks[2].fault, "more than 2: the rest is left out");
}

class FollowUpTest : public EngineTest {
protected:
    void report_with(FakeHost& host, const wire::Token& token, std::string_view emitted) {
        wire::ResultItem item;
        item.token = token;
        item.result = "42";
        item.emitted = emitted;
        engine_->host_result(host.index, item);
        settle();
    }
    struct Known {
        std::string type;
        TaskState state;
        std::string message;
    };
    std::vector<Known> all() {
        const auto answer = ask<std::vector<Known>>([&](Engine::Done<std::vector<Known>> done) {
            engine_->list({}, [done](base::Result<TaskPage> page) {
                std::vector<Known> known;
                for (const auto& task : page->tasks)
                    known.push_back({std::string(task.record.task.type),
                                     task.state(),
                                     task.record.outcome ? task.record.outcome->attempt.message
                                                         : std::string()});
                done(std::move(known));
            });
        });
        return **answer;
    }
};

TEST_F(FollowUpTest, TheyBecomeTasksWithTheOutcomeAndBeforeTheAck) {
    const auto host = join();
    add(task("echo"));
    store_->shut = true;
    report_with(*host, host->assigns.at(0).token, R"([{"type":"echo","payload":{"n":2}}])");
    EXPECT_TRUE(host->acks.empty());
    EXPECT_EQ(host->assigns.size(), 1U);

    store_->open_gate();
    settle();
    EXPECT_EQ(host->acks.size(), 1U);
    ASSERT_EQ(host->assigns.size(), 2U);
    EXPECT_EQ(host->assigns[1].payload, R"({"n":2})");
}

TEST_F(FollowUpTest, AResultThatComesTwiceBringsThemOnce) {
    const auto host = join();
    add(task("echo"));
    const auto token = host->assigns.at(0).token;
    report_with(*host, token, R"([{"type":"echo"}])");
    report_with(*host, token, R"([{"type":"echo"}])");

    EXPECT_EQ(host->assigns.size(), 2U);
}

TEST_F(FollowUpTest, OneKeyIsAcceptedOnce) {
    const auto host = join();
    add(task("echo"));
    add(task("echo"));
    const auto first = host->assigns.at(0).token, second = host->assigns.at(1).token;
    report_with(*host, first, R"([{"type":"echo","dedupe_key":"k"}])");
    report_with(*host, second, R"([{"type":"echo","dedupe_key":"k"},{"type":"echo"}])");

    EXPECT_EQ(all().size(), 4U);
    EXPECT_EQ(host->acks.size(), 2U);
}

TEST_F(FollowUpTest, AFailureBringsNothing) {
    const auto host = join();
    add(task("echo"));
    wire::ResultItem item;
    item.token = host->assigns.at(0).token;
    item.status = wire::AttemptStatus::permanent;
    item.emitted = R"([{"type":"echo"}])";
    engine_->host_result(host->index, item);
    settle();

    EXPECT_EQ(all().size(), 1U);
}

TEST_F(FollowUpTest, WhatDoesNotFitItsSchemaIsRecordedAsFailed) {
    const auto host = join();
    wire::Capability strict;
    strict.type = "strict";
    strict.payload_schema = R"({"type":"object","required":["n"]})";
    wire::Capability echo;
    echo.type = "echo";
    echo.credit = 4;
    wire::Capabilities offer;
    offer.sequence = 2;
    offer.types = {echo, strict};
    engine_->host_capabilities(host->index, offer);
    add(task("echo"));
    report_with(*host,
                host->assigns.at(0).token,
                R"([{"type":"strict"},{"type":"unknown"},{"type":"echo","priority":"x"},7])");

    std::map<std::string, Known> by_type;
    for (const auto& one : all())
        by_type[one.type + (one.state == TaskState::failed ? "!" : "")] = one;
    EXPECT_EQ(by_type.size(), 4U);
    ASSERT_EQ(by_type.count("strict!"), 1U);
    EXPECT_NE(by_type["strict!"].message.find("follow-up task: payload"), std::string::npos);
    ASSERT_EQ(by_type.count("echo!"), 1U);
    EXPECT_EQ(by_type["unknown"].state, TaskState::pending);
    EXPECT_EQ(host->acks.size(), 1U);
}

TEST_F(FollowUpTest, AFollowUpTaskNamesItsParent) {
    const auto host = join();
    const auto parent = add(task("echo"));
    report_with(*host, host->assigns.at(0).token, R"([{"type":"other"}])");

    const auto child = find(base::NumberText(*base::parse_number_text(parent) + 1).str());

    ASSERT_TRUE(child->here());
    EXPECT_EQ((*child)->record.task.parent, *base::parse_number_text(parent));
    EXPECT_EQ((*find(parent))->record.task.parent, 0U);
}

}  // namespace
}  // namespace distributo::coordinator::engine
