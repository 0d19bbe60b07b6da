#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

using distributo::testing::Plugin;

struct Job {
    std::int64_t n = 0;
    std::optional<std::string> way;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n, way))

struct Answer {
    std::int64_t n = 0;
    std::uint64_t together = 0;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (n, together))

int calls_of_several = 0;

Answer single(const Job& job) {
    return {job.n, 1};
}

/// Each job says how it wants to end; "all:..." ends the function itself.
void several(std::span<distributo::BatchItem<Job, Answer>> items) {
    ++calls_of_several;
    for (auto& item : items) {
        const std::string way = item.payload().way.value_or("");
        item.task().info("seen");
        item.task().progress(0.25);
        if (way == "succeed") {
            item.succeed({item.payload().n, items.size()});
        } else if (way == "fail") {
            item.fail(distributo::permanent("as asked").detail("[1]"));
        } else if (way == "all:throw") {
            throw distributo::retry_elsewhere("the device is gone");
        } else if (way == "all:check") {
            item.task().check();
        } else if (way != "leave") {
            item.run([&]() -> Answer {
                if (way == "throw")
                    throw std::runtime_error("oh");
                item.task().check();
                return {item.payload().n * 2, items.size()};
            });
        }
    }
}

class Counter {
public:
    std::int64_t one() { return ++count_; }
    void many(std::span<distributo::BatchItem<distributo::RawJson, std::int64_t>> items) {
        for (auto& item : items)
            item.succeed(++count_);
    }
    void nothing(distributo::Task&) {}
    void nothings(std::span<distributo::BatchItem<distributo::RawJson>> items) {
        for (auto& item : items)
            item.succeed();
    }

private:
    std::int64_t count_ = 0;
};

class BatchTest : public testing::Test {
protected:
    Plugin plugin_{&distributo_module_v1};
};

TEST_F(BatchTest, TwelveJobsArriveAsFiveFiveTwo) {
    std::vector<std::string> jobs(12, R"({"n":4})");

    const auto outcomes = plugin_.run_batch("test.batch", jobs);

    ASSERT_EQ(outcomes.size(), 12U);
    for (std::size_t i = 0; i < 12; ++i) {
        EXPECT_EQ(outcomes[i].result,
                  i < 10 ? R"({"n":8,"together":5})" : R"({"n":8,"together":2})");
    }
}

TEST_F(BatchTest, EveryItemEndsOnItsOwn) {
    const auto outcomes = plugin_.run_batch("test.batch",
                                            {R"({"n":1})",
                                             R"({"n":2,"way":"fail"})",
                                             R"({"n":3,"way":"throw"})",
                                             R"({"n":4,"way":"succeed"})",
                                             R"({"n":5,"way":"leave"})"});

    EXPECT_EQ(outcomes[0].result, R"({"n":2,"together":5})");
    EXPECT_EQ(outcomes[1].status, DTO_PERMANENT);
    EXPECT_EQ(outcomes[1].message, "as asked");
    EXPECT_EQ(outcomes[1].detail, "[1]");
    EXPECT_EQ(outcomes[2].status, DTO_RETRY);
    EXPECT_EQ(outcomes[2].message, "oh");
    EXPECT_EQ(outcomes[3].result, R"({"n":4,"together":5})");
    EXPECT_EQ(outcomes[4].status, DTO_RETRY);
    EXPECT_EQ(outcomes[4].message, "the plugin's batch function left this task undecided");
    for (const auto& outcome : outcomes) {
        EXPECT_EQ(outcome.logs, std::vector<std::string>{"seen"});
        EXPECT_EQ(outcome.progress, 0.25);
    }
}

TEST_F(BatchTest, APayloadThatDoesNotFitFailsAlone) {
    const auto outcomes =
        plugin_.run_batch("test.batch", {R"({"n":1})", R"({"n":"x"})", R"({"n":3})"});

    EXPECT_EQ(outcomes[0].result, R"({"n":2,"together":2})");
    EXPECT_EQ(outcomes[1].status, DTO_PERMANENT);
    EXPECT_EQ(outcomes[1].message, "payload.n: expected integer, got string");
    EXPECT_EQ(outcomes[2].result, R"({"n":6,"together":2})");
}

TEST_F(BatchTest, WithoutAnyPayloadThatFitsTheFunctionIsNotCalled) {
    calls_of_several = 0;
    const auto outcomes = plugin_.run_batch("test.batch", {"1", "2"});

    EXPECT_EQ(calls_of_several, 0);
    EXPECT_EQ(outcomes[0].status, DTO_PERMANENT);
    EXPECT_EQ(outcomes[1].message, "payload: expected object, got number");
    EXPECT_TRUE(outcomes[1].logs.empty());
}

TEST_F(BatchTest, AnExceptionOfTheFunctionFailsTheUndecided) {
    const auto outcomes = plugin_.run_batch(
        "test.batch", {R"({"n":1})", R"({"n":2,"way":"all:throw"})", R"({"n":3})", "4"});

    EXPECT_TRUE(outcomes[0].ok());
    for (const std::size_t i : {1U, 2U}) {
        EXPECT_EQ(outcomes[i].status, DTO_RETRY_ELSEWHERE);
        EXPECT_EQ(outcomes[i].message, "the device is gone");
    }
    EXPECT_EQ(outcomes[3].status, DTO_PERMANENT);
}

TEST_F(BatchTest, EachItemHasACancellationOfItsOwn) {
    distributo::testing::RunOptions options;
    options.cancel_at_check = 1;

    const auto outcomes =
        plugin_.run_batch("test.batch", {R"({"n":1})", R"({"n":2,"way":"succeed"})"}, options);

    EXPECT_EQ(outcomes[0].status, DTO_CANCELLED);
    EXPECT_TRUE(outcomes[1].ok());
}

TEST_F(BatchTest, WhoIsNotCancelledHimselfRunsAgain) {
    namespace detail = distributo::testing::detail;
    detail::TestStores stores;
    detail::TestTask cancelled("test.batch", R"({"n":1,"way":"all:check"})", {}, stores);
    detail::TestTask other("test.batch", R"({"n":2})", {}, stores);
    cancelled.call.cancel();
    dto_call* const calls[] = {cancelled.call.abi(), other.call.abi()};
    const dto_execute* const tasks[] = {&cancelled.request, &other.request};
    dto_status statuses[] = {DTO_PENDING, DTO_PENDING};
    detail::TestHost host;
    void* instance = nullptr;
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    ASSERT_EQ(plugin_.api().create(&host.table, host.table.root, &instance), DTO_OK);
    ASSERT_EQ(plugin_.api().setup(instance, host.table.root, &setup), DTO_OK);

    EXPECT_EQ(plugin_.api().execute_batch(instance, calls, tasks, 2, statuses), DTO_OK);

    EXPECT_EQ(statuses[0], DTO_CANCELLED);
    EXPECT_EQ(statuses[1], DTO_RETRY);
    EXPECT_EQ(other.call.outcome(statuses[1]).message,
              "its batch ended early because another task was cancelled");
    plugin_.api().teardown(instance, host.table.root);
    plugin_.api().destroy(instance);
}

TEST_F(BatchTest, MembersShareTheStateOfTheSingleFunction) {
    EXPECT_EQ(plugin_.run("test.count", "null").result, "1");

    const auto outcomes = plugin_.run_batch("test.count", {"null", "1", "{}"});

    EXPECT_EQ(outcomes[2].result, "4");
    EXPECT_EQ(plugin_.run_batch("test.nothing", {"1", "2"})[1].result, "null");
}

TEST_F(BatchTest, ATypeWithoutABatchFunctionRunsOneByOne) {
    EXPECT_EQ(plugin_.type("test.single").max_batch, 0U);
    EXPECT_EQ(plugin_.run_batch("test.single", {R"({"n":3})", R"({"n":4})"})[1].result,
              R"({"n":4,"together":1})");
}

TEST_F(BatchTest, TheDeclarationSaysHowManyAtMost) {
    EXPECT_EQ(plugin_.type("test.batch").max_batch, 5U);
    EXPECT_EQ(plugin_.api().struct_size, sizeof(dto_task_api));
    EXPECT_EQ(plugin_.api().verify, nullptr);
    EXPECT_EQ(plugin_.api().probe, nullptr);
}

TEST(BatchDeclaration, ABatchFunctionOfOtherTypesIsRefused) {
    EXPECT_THROW((void)distributo::task_type<single>("t").batch<&Counter::many>(2),
                 distributo::Failure);
}

}  // namespace

DISTRIBUTO_PLUGIN(
    "test.batches",
    "1.0.0",
    distributo::task_type<single>("test.batch").batch<several>(5),
    distributo::task_type<single>("test.single"),
    distributo::task_type<&Counter::one>("test.count").batch<&Counter::many>(3),
    distributo::task_type<&Counter::nothing>("test.nothing").batch<&Counter::nothings>(2));
