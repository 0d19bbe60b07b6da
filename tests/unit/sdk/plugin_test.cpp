#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

int alive = 0;

struct Number {
    std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Number, (), (n))

struct Config {
    std::optional<std::int64_t> start;
};
BOOST_DESCRIBE_STRUCT(Config, (), (start))

Number twice(const Number& number) {
    return {number.n * 2};
}

/// Fails in the way that the payload's number names.
void fail(distributo::Task& task, const Number& way) {
    switch (way.n) {
        case 1:
            throw distributo::permanent("never").detail(R"({"code":7})");
        case 2:
            throw distributo::retry(std::chrono::seconds(3), "later");
        case 3:
            throw distributo::retry_elsewhere("not here");
        case 4:
            throw std::runtime_error("oh");
        case 5:
            throw 5;
        case 6:
            throw std::bad_alloc();
        default:
            task.check();
    }
}

struct Observed {
    std::string id;
    std::string type;
    std::uint32_t attempt = 0;
    std::int64_t remaining = 0;
    bool work_dir_is_empty = false;
};
BOOST_DESCRIBE_STRUCT(Observed, (), (id, type, attempt, remaining, work_dir_is_empty))

Observed look(distributo::Task& task) {
    task.info("hello");
    task.progress(0.5, "half");
    Observed seen{std::string(task.id()), std::string(task.type()), task.attempt()};
    seen.remaining = task.remaining().value_or(std::chrono::milliseconds(-1)).count();
    seen.work_dir_is_empty = std::filesystem::is_empty(task.work_dir());
    return seen;
}

/// Waits until it is told to stop, in the way that condition variables do.
void wait_for_stop(distributo::Task& task) {
    const std::stop_token stop = task.stop();
    task.info("waiting");
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    changed.wait(lock, stop, [] { return false; });
    throw distributo::Cancelled();
}

class Counter {
public:
    explicit Counter(const distributo::Setup& setup)
        : next_(setup.config<Config>().start.value_or(0)) {
        if (next_ < 0) {
            throw distributo::permanent("start must not be negative");
        }
        ++alive;
    }
    ~Counter() { --alive; }

    void prepare(const Number& spec, distributo::Install& install) const {
        std::ofstream(install.dir() / "number") << spec.n;
    }
    bool check(distributo::Install& install) const {
        return std::filesystem::exists(install.dir() / "number");
    }
    Number next(distributo::Task& task) {
        Number installed;
        std::ifstream(task.install_dir() / "number") >> installed.n;
        return {installed.n + next_++};
    }
    std::int64_t peek() const { return next_; }

private:
    std::int64_t next_;
};

void follow_up(distributo::Task& task) {
    task.emit("test.twice", Number{4}, {.dedupe_key = "once"});
}

class PluginTest : public testing::Test {
protected:
    distributo::testing::Plugin plugin_{&distributo_module_v1};
};

TEST_F(PluginTest, ATaskGetsItsPayloadAndReturnsItsResult) {
    EXPECT_EQ(plugin_.run("test.twice", R"({"n":21})").result, R"({"n":42})");
}

TEST_F(PluginTest, ExceptionsBecomeStatuses) {
    const auto ends = [this](int way) {
        return plugin_.run("test.fail", "{\"n\":" + std::to_string(way) + "}");
    };

    EXPECT_EQ(ends(0).result, "null");
    EXPECT_EQ(ends(1).status, DTO_PERMANENT);
    EXPECT_EQ(ends(1).message, "never");
    EXPECT_EQ(ends(1).detail, R"({"code":7})");
    EXPECT_EQ(ends(2).status, DTO_RETRY);
    EXPECT_EQ(ends(2).retry_after_ms, 3000);
    EXPECT_EQ(ends(3).status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(ends(4).status, DTO_RETRY);
    EXPECT_EQ(ends(4).message, "oh");
    EXPECT_EQ(ends(5).status, DTO_RETRY);
    EXPECT_EQ(ends(6).message, "out of memory");
}

TEST_F(PluginTest, APayloadThatDoesNotFitIsPermanentAndNamesThePlace) {
    const auto outcome = plugin_.run("test.twice", R"({"n":"x"})");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, "payload.n: expected integer, got string");
}

TEST_F(PluginTest, ATaskSeesItsCircumstances) {
    distributo::testing::RunOptions options;
    options.task_id = "t1";
    options.attempt = 3;
    options.remaining_ms = 250;

    const auto outcome = plugin_.run("test.look", "null", options);

    EXPECT_EQ(outcome.result,
              R"({"id":"t1","type":"test.look","attempt":3,"remaining":250,)"
              R"("work_dir_is_empty":true})");
    EXPECT_EQ(outcome.logs, std::vector<std::string>{"hello"});
    EXPECT_EQ(outcome.progress, 0.5);
}

TEST_F(PluginTest, CheckEndsACancelledTask) {
    distributo::testing::RunOptions options;
    options.cancel_at_check = 1;

    EXPECT_EQ(plugin_.run("test.fail", R"({"n":0})", options).status, DTO_CANCELLED);
}

TEST_F(PluginTest, AStopTokenIsToldWhenTheHostCancels) {
    distributo::testing::detail::TestHost host;
    distributo::testing::detail::TestCall call;
    void* instance = nullptr;
    ASSERT_EQ(plugin_.api().create(&host.table, host.table.root, &instance), DTO_OK);
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    ASSERT_EQ(plugin_.api().setup(instance, call.abi(), &setup), DTO_OK);
    dto_execute request{};
    request.struct_size = sizeof request;
    request.task_type = distributo::detail::to_abi("test.wait_for_stop");

    dto_status status = DTO_OK;
    std::thread task([&] { status = plugin_.api().execute(instance, call.abi(), &request); });
    while (call.log_count() == 0) {
        std::this_thread::yield();
    }
    plugin_.api().cancel(instance, call.abi());
    task.join();

    EXPECT_EQ(status, DTO_CANCELLED);
    plugin_.api().cancel(instance, call.abi());  // too late, and harmless
    plugin_.api().teardown(instance, call.abi());
    plugin_.api().destroy(instance);
}

TEST_F(PluginTest, AStopTokenOfACancelledTaskIsStoppedAtOnce) {
    distributo::testing::RunOptions options;
    options.cancel_at_check = 1;

    EXPECT_EQ(plugin_.run("test.wait_for_stop", "null", options).status, DTO_CANCELLED);
}

TEST_F(PluginTest, AStatefulPluginLivesFromSetupToTeardown) {
    {
        distributo::testing::Plugin plugin(&distributo_module_v1);
        EXPECT_EQ(alive, 0);
        ASSERT_TRUE(plugin.setup(R"({"start":5})").ok());
        EXPECT_EQ(alive, 1);
        EXPECT_EQ(plugin.run("test.next", "null").result, R"({"n":5})");
        EXPECT_EQ(plugin.run("test.peek", "null").result, "6");
    }
    EXPECT_EQ(alive, 0);
}

TEST_F(PluginTest, ASetupThatThrowsFailsAndLeavesNothingBehind) {
    const auto outcome = plugin_.setup(R"({"start":-1})");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, "start must not be negative");
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(plugin_.setup(R"({"start":true})").message,
              "config.start: expected integer, got boolean");
}

TEST_F(PluginTest, WhatInstallWritesExecuteFinds) {
    const distributo::testing::detail::TemporaryDirectory dir;

    ASSERT_TRUE(plugin_.install("test.next", R"({"n":40})", dir.path()).ok());

    distributo::testing::RunOptions options;
    options.install_dir = dir.path();
    EXPECT_EQ(plugin_.run("test.next", "null", options).result, R"({"n":40})");
    EXPECT_EQ(plugin_.install("test.next", R"({"n":""})", dir.path()).message,
              "install.n: expected integer, got string");
    EXPECT_EQ(plugin_.install("test.twice", "{}", dir.path()).status, DTO_PERMANENT);
}

TEST_F(PluginTest, VerifySaysWhetherAnInstallIsStillGood) {
    const distributo::testing::detail::TemporaryDirectory dir;
    ASSERT_TRUE(plugin_.install("test.next", R"({"n":40})", dir.path()).ok());

    EXPECT_TRUE(plugin_.verify("test.next", R"({"n":40})", dir.path()).ok());
    std::filesystem::remove(dir.path() / "number");
    const auto outcome = plugin_.verify("test.next", R"({"n":40})", dir.path());
    EXPECT_EQ(outcome.status, DTO_RETRY);
    EXPECT_EQ(outcome.message, "the installed files are not good any more");
    EXPECT_TRUE(plugin_.verify("test.twice", "{}", dir.path()).ok());
}

TEST_F(PluginTest, DeclarationsSayWhatTheTypesAllow) {
    const auto text = [](dto_str string) { return distributo::detail::from_abi(string); };

    EXPECT_EQ(plugin_.module().struct_size, sizeof(dto_module));
    EXPECT_EQ(text(plugin_.module().name), "test.sdk");
    EXPECT_EQ(text(plugin_.module().vendor), "nobody");
    EXPECT_TRUE(plugin_.module().flags & DTO_MODULE_KEEP_LOADED);
    EXPECT_EQ(plugin_.module().get_interface("distributo.unknown/1"), nullptr);
    EXPECT_EQ(text(plugin_.api().config_schema),
              R"({"type":"object","properties":{"start":{"type":"integer"}},)"
              R"("additionalProperties":false})");
    const dto_task_type& twice_type = plugin_.type("test.twice");
    EXPECT_EQ(text(twice_type.version), "1.2.3");
    EXPECT_EQ(text(twice_type.resources_json), R"({"cpu":2})");
    EXPECT_EQ(twice_type.max_concurrency, 4U);
    EXPECT_EQ(twice_type.flags, DTO_TASK_REENTRANT | DTO_TASK_DETERMINISTIC);
    EXPECT_EQ(text(twice_type.payload_schema),
              R"({"type":"object","properties":{"n":{"type":"integer"}},)"
              R"("required":["n"],"additionalProperties":false})");
    EXPECT_EQ(text(plugin_.type("test.look").payload_schema), "");
    EXPECT_EQ(plugin_.type("test.next").flags, DTO_TASK_NEEDS_INSTALL);
    EXPECT_EQ(text(plugin_.type("test.next").install_schema), text(twice_type.payload_schema));
    EXPECT_EQ(plugin_.type("test.peek").flags, std::uint32_t{DTO_TASK_REENTRANT});
}

TEST_F(PluginTest, AnUnknownTypeIsPermanent) {
    EXPECT_EQ(plugin_.run("test.unknown", "null").status, DTO_PERMANENT);
}

TEST_F(PluginTest, AHostWithoutAServiceMakesTheTaskGoElsewhere) {
    distributo::testing::Plugin plugin(&distributo_module_v1, distributo::testing::Services::none);

    EXPECT_EQ(plugin.run("test.follow_up", "null").status, DTO_RETRY_ELSEWHERE);
}

/// Runs a task on a host whose table ends after `size` bytes; what follows is rubbish.
dto_status run_on_table_of(const dto_task_api& api,
                           std::size_t size,
                           std::string_view type = "test.look",
                           std::string_view payload = "null") {
    distributo::testing::detail::TestHost host(false);
    distributo::testing::detail::TestCall call;
    struct {
        dto_host known;
        void* later[4];
    } table;
    std::memset(&table, 0x5A, sizeof table);
    std::memcpy(&table, &host.table, std::min(size, sizeof host.table));
    table.known.struct_size = static_cast<std::uint32_t>(size);
    void* instance = nullptr;
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    dto_execute request{};
    request.struct_size = sizeof request;
    request.task_type = distributo::detail::to_abi(type);
    request.payload_json = distributo::detail::to_abi(payload);
    EXPECT_EQ(api.create(&table.known, host.table.root, &instance), DTO_OK);
    EXPECT_EQ(api.setup(instance, call.abi(), &setup), DTO_OK);
    const dto_status status = api.execute(instance, call.abi(), &request);
    api.teardown(instance, call.abi());
    api.destroy(instance);
    return status;
}

TEST_F(PluginTest, ANewerHostWithALongerTableWorks) {
    EXPECT_EQ(run_on_table_of(plugin_.api(), sizeof(dto_host) + 4 * sizeof(void*)), DTO_OK);
}

TEST_F(PluginTest, AnOlderHostWithAShorterTableIsNeverReadBeyondItsEnd) {
    EXPECT_EQ(run_on_table_of(plugin_.api(), offsetof(dto_host, result_reserve)), DTO_OK);
    EXPECT_EQ(run_on_table_of(plugin_.api(), offsetof(dto_host, work_dir)), DTO_RETRY_ELSEWHERE);
    for (std::size_t size = offsetof(dto_host, log_enabled); size <= sizeof(dto_host);
         size += sizeof(void*)) {
        const auto ends = [&](std::string_view type, std::string_view payload) {
            return run_on_table_of(plugin_.api(), size, type, payload);
        };
        const bool takes_results = size >= offsetof(dto_host, result_reserve);
        EXPECT_EQ(ends("test.twice", R"({"n":1})"), takes_results ? DTO_OK : DTO_PERMANENT);
        EXPECT_EQ(ends("test.fail", R"({"n":2})"), DTO_RETRY);
        EXPECT_EQ(ends("test.follow_up", "null"), DTO_RETRY_ELSEWHERE);
        EXPECT_EQ(ends("test.next", R"({"n":2})"), takes_results ? DTO_OK : DTO_PERMANENT);
    }
}

}  // namespace

DISTRIBUTO_PLUGIN(
    "test.sdk",
    "1.2.3",
    distributo::task_type<twice>("test.twice").concurrency(4).needs(R"({"cpu":2})").deterministic(),
    distributo::task_type<fail>("test.fail"),
    distributo::task_type<look>("test.look"),
    distributo::task_type<wait_for_stop>("test.wait_for_stop"),
    distributo::task_type<follow_up>("test.follow_up"),
    distributo::task_type<&Counter::next>("test.next")
        .install<&Counter::prepare>()
        .verify<&Counter::check>(),
    distributo::task_type<&Counter::peek>("test.peek"),
    distributo::config<Config>(),
    distributo::vendor("nobody"),
    distributo::keep_loaded());
