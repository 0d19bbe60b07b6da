#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <thread>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

using distributo::AsyncTask;
using distributo::testing::Plugin;

struct Job {
    std::int64_t n = 0;
    std::optional<std::string> way;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n, way))

struct Answer {
    std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (n))

/// What the plugin keeps; the tests end these as they like.
std::mutex held_mutex;
std::vector<AsyncTask<Answer>> held;

std::vector<AsyncTask<Answer>> take_held() {
    const std::lock_guard lock(held_mutex);
    return std::exchange(held, {});
}

void hold(AsyncTask<Answer> task) {
    const std::lock_guard lock(held_mutex);
    held.push_back(std::move(task));
}

void start(const Job& job, AsyncTask<Answer> task) {
    const std::string way = job.way.value_or("");
    if (way == "throw")
        throw distributo::permanent("never");
    if (way == "drop")
        return;
    if (way == "at once")
        return task.complete({job.n});
    if (way == "at once, throw") {
        task.complete({job.n});
        throw std::runtime_error("too late");
    }
    if (way == "thread") {
        std::thread([task = std::move(task), n = job.n]() mutable {
            task.run([n] { return Answer{n * 2}; });
        }).detach();
        return;
    }
    task->info("started");
    hold(std::move(task));
    if (way == "hold, throw")
        throw std::runtime_error("too late");
}

class Client {
public:
    void ping(AsyncTask<> task) const { task.complete(); }
};

class AsyncTest : public testing::Test {
protected:
    ~AsyncTest() override { held.clear(); }

    distributo::testing::Running start_held(const std::string& way = "hold") {
        return plugin_.start("test.start", R"({"n":7,"way":")" + way + "\"}");
    }

    Plugin plugin_{&distributo_module_v1};
};

TEST_F(AsyncTest, ATaskEndsWhenItsHandleSaysSo) {
    auto running = start_held();
    ASSERT_TRUE(running.pending());
    auto tasks = take_held();
    EXPECT_EQ(tasks[0]->id(), "test");
    tasks[0]->info("later");

    tasks[0].complete({8});

    EXPECT_FALSE(tasks[0]);
    tasks[0].complete({9});  // ended already: no effect
    const auto outcome = running.outcome();
    EXPECT_EQ(outcome.result, R"({"n":8})");
    EXPECT_EQ(outcome.logs, (std::vector<std::string>{"started", "later"}));
}

TEST_F(AsyncTest, ItMayEndOnAnotherThreadOrBeforeTheFunctionReturns) {
    EXPECT_EQ(plugin_.run("test.start", R"({"n":7,"way":"thread"})").result, R"({"n":14})");
    EXPECT_EQ(plugin_.run("test.start", R"({"n":7,"way":"at once"})").result, R"({"n":7})");
    EXPECT_EQ(plugin_.run("test.ping", "null").result, "null");
}

TEST_F(AsyncTest, ManyEndInAnyOrderFromSeveralThreads) {
    std::vector<distributo::testing::Running> running;
    for (int i = 0; i < 400; ++i)
        running.push_back(start_held());
    auto tasks = take_held();
    std::vector<std::thread> threads;
    for (std::size_t first = 0; first < 4; ++first)
        threads.emplace_back([&tasks, first] {
            for (std::size_t i = first; i < tasks.size(); i += 4)
                tasks[tasks.size() - 1 - i].complete({1});
        });
    for (auto& thread : threads)
        thread.join();

    for (auto& one : running)
        EXPECT_EQ(one.outcome().result, R"({"n":1})");
}

TEST_F(AsyncTest, FailuresAreThoseOfAFunction) {
    const auto ends = [this](const std::function<void(AsyncTask<Answer>&)>& end) {
        auto running = start_held();
        auto tasks = take_held();
        end(tasks.at(0));
        return running.outcome();
    };

    const auto failed = ends([](auto& task) { task.fail(distributo::permanent("bad")); });
    EXPECT_EQ(failed.status, DTO_PERMANENT);
    EXPECT_EQ(failed.message, "bad");
    const auto thrown =
        ends([](auto& task) { task.run([]() -> Answer { throw std::runtime_error("oh"); }); });
    EXPECT_EQ(thrown.status, DTO_RETRY);
    EXPECT_EQ(thrown.message, "oh");
    const auto cancelled =
        ends([](auto& task) { task.fail(std::make_exception_ptr(distributo::Cancelled())); });
    EXPECT_EQ(cancelled.status, DTO_CANCELLED);
}

TEST_F(AsyncTest, ADroppedTaskRunsAgain) {
    constexpr const char* reason =
        "the plugin gave up this task: its AsyncTask was destroyed without a result";
    const auto at_once = plugin_.run("test.start", R"({"n":7,"way":"drop"})");
    EXPECT_EQ(at_once.status, DTO_RETRY);
    EXPECT_EQ(at_once.message, reason);

    auto running = start_held();
    take_held().clear();
    const auto later = running.outcome();
    EXPECT_EQ(later.status, DTO_RETRY);
    EXPECT_EQ(later.message, reason);
}

TEST_F(AsyncTest, AFunctionThatThrowsFailsItsTaskAtOnce) {
    auto running = plugin_.start("test.start", R"({"n":7,"way":"throw"})");

    EXPECT_FALSE(running.pending());
    EXPECT_EQ(running.outcome().message, "never");
    EXPECT_EQ(plugin_.run("test.start", "[]").message, "payload: expected object, got array");
}

TEST_F(AsyncTest, AFunctionThatThrowsTooLateChangesNothing) {
    EXPECT_EQ(plugin_.run("test.start", R"({"n":7,"way":"at once, throw"})").result, R"({"n":7})");

    auto running = start_held("hold, throw");
    ASSERT_TRUE(running.pending());
    take_held().at(0).complete({1});
    EXPECT_EQ(running.outcome().result, R"({"n":1})");
}

TEST_F(AsyncTest, ACancellationReachesTheTask) {
    auto running = start_held();
    auto tasks = take_held();
    const std::stop_token stop = tasks.at(0)->stop();
    EXPECT_FALSE(stop.stop_requested());

    running.cancel();

    EXPECT_TRUE(stop.stop_requested());
    tasks[0].run([&]() -> Answer {
        tasks[0]->check();
        return {};
    });
    EXPECT_EQ(running.outcome().status, DTO_CANCELLED);
}

TEST_F(AsyncTest, ATaskThatDoesNotEndIsReported) {
    auto running = start_held();

    EXPECT_THROW((void)running.outcome(std::chrono::milliseconds(1)), std::runtime_error);
}

TEST_F(AsyncTest, TheDeclarationIsThatOfTheAnswer) {
    const dto_task_type& type = plugin_.type("test.start");
    EXPECT_EQ(type.flags, DTO_TASK_ASYNC | DTO_TASK_REENTRANT);
    EXPECT_EQ(distributo::detail::from_abi(type.result_schema),
              distributo::detail::schema_text<Answer>());
    EXPECT_EQ(distributo::detail::from_abi(type.payload_schema),
              distributo::detail::schema_text<Job>());
}

TEST_F(AsyncTest, AHostThatCannotEndTasksLaterIsLeft) {
    distributo::testing::detail::TestHost host;
    host.table.struct_size = offsetof(dto_host, complete);
    distributo::testing::detail::TestStores stores;
    distributo::testing::detail::TestTask task("test.start", R"({"n":1})", {}, stores);
    void* instance = nullptr;
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    ASSERT_EQ(plugin_.api().create(&host.table, host.table.root, &instance), DTO_OK);
    ASSERT_EQ(plugin_.api().setup(instance, host.table.root, &setup), DTO_OK);

    EXPECT_EQ(plugin_.api().execute(instance, task.call.abi(), &task.request), DTO_RETRY_ELSEWHERE);
    plugin_.api().teardown(instance, host.table.root);
    plugin_.api().destroy(instance);
}

}  // namespace

DISTRIBUTO_PLUGIN("test.later",
                  "1.0.0",
                  distributo::task_type<start>("test.start"),
                  distributo::task_type<&Client::ping>("test.ping"));
