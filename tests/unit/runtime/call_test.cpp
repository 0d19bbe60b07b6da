#include "runtime/call.hpp"

#include "base/ids.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/host_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <poll.h>
#include <thread>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using Status = CallResult::Status;

class CallTest : public testing::Test, public CallReporter, public Call::Pending {
protected:
    ~CallTest() override { fs::remove_all(root); }

    void log(CallId from, std::string_view, std::string_view text) override {
        lines.push_back(std::to_string(from) + ": " + std::string(text));
    }
    void progress(CallId, double fraction, std::string_view) override {
        fractions.push_back(fraction);
    }
    dto_call* begin(base::TimePoint deadline = base::TimePoint::max(),
                    Call::Kind kind = Call::Kind::task) {
        return call.begin(++id, deadline, kind);
    }
    dto_call* begin_async() { return begin(base::TimePoint::max(), Call::Kind::async_task); }
    CallResult end(dto_status status) {
        CallResult result;
        EXPECT_TRUE(call.end(status, result));
        return result;
    }
    void pending_ended(CallResult&& result) override {
        ++endings;
        completed = std::move(result);
    }
    dto_status give(dto_call* handle, std::string_view text, std::string_view type = {}) {
        return host.result(handle, {text.data(), text.size()}, abi_text(type));
    }

    const fs::path root = fs::temp_directory_path() / ("call-" + base::random_hex(6));
    std::vector<std::string> lines;
    std::vector<double> fractions;
    CallResult completed;  // of the last pending call
    int endings = 0;
    Call call{*this, root, this};
    const dto_host host = make_host_table();
    CallId id = 0;
};

TEST_F(CallTest, WithoutAResultItIsNull) {
    begin();
    const auto result = end(DTO_OK);

    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(result.result, "null");
    EXPECT_EQ(result.call, 1U);
}

TEST_F(CallTest, TheLastResultWins) {
    auto* const handle = begin();
    EXPECT_EQ(give(handle, "1"), DTO_OK);
    EXPECT_EQ(give(handle, "[2]", "application/json"), DTO_OK);

    EXPECT_EQ(end(DTO_OK).result, "[2]");
}

TEST_F(CallTest, AResultThatIsNotJsonFailsTheCall) {
    auto* handle = begin();
    give(handle, "{oops");
    auto result = end(DTO_OK);
    EXPECT_EQ(result.status, Status::permanent);
    EXPECT_THAT(result.message, HasSubstr("not one JSON value"));

    handle = begin();
    EXPECT_EQ(give(handle, "abc", "text/plain"), DTO_UNSUPPORTED);
    result = end(DTO_OK);
    EXPECT_EQ(result.status, Status::permanent);
    EXPECT_THAT(result.message, HasSubstr("text/plain"));

    begin();
    EXPECT_EQ(end(DTO_OK).status, Status::ok);
}

TEST_F(CallTest, AResultThatIsTooLargeIsNotSet) {
    auto* const handle = begin();
    give(handle, "1");
    EXPECT_EQ(give(handle, std::string(1024 * 1024 + 1, ' ')), DTO_PERMANENT);

    EXPECT_EQ(end(DTO_OK).result, "1");
}

TEST_F(CallTest, AReservationBecomesTheResult) {
    auto* const handle = begin();
    void* memory = nullptr;
    EXPECT_EQ(host.result_commit(handle, 0, {}), DTO_PERMANENT);
    ASSERT_EQ(host.result_reserve(handle, 100, &memory), DTO_OK);
    std::memcpy(memory, "{\"a\":1}", 7);
    EXPECT_EQ(host.result_commit(handle, 101, {}), DTO_PERMANENT);
    EXPECT_EQ(host.result_commit(handle, 7, {}), DTO_OK);

    EXPECT_EQ(end(DTO_OK).result, "{\"a\":1}");
}

TEST_F(CallTest, AFailureSaysWhy) {
    dto_error error{};
    error.struct_size = sizeof error;
    error.message = abi_text("no disk");
    error.detail_json = abi_text(R"({"free":0})");
    error.retry_after_ms = 50;
    host.set_error(begin(), &error);
    auto result = end(DTO_RETRY);
    EXPECT_EQ(result.status, Status::retry);
    EXPECT_EQ(result.message, "no disk");
    EXPECT_EQ(result.detail, R"({"free":0})");
    EXPECT_EQ(result.retry_after_ms, 50);

    begin();
    result = end(DTO_PERMANENT);
    EXPECT_THAT(result.message, HasSubstr("gave no reason"));
    EXPECT_EQ(result.retry_after_ms, 0);
}

TEST_F(CallTest, UnknownStatusesFollowTheGrowthRules) {
    const std::pair<dto_status, Status> rules[] = {{42, Status::retry},
                                                   {64, Status::permanent},
                                                   {-77, Status::permanent},
                                                   {DTO_PENDING, Status::retry},
                                                   {DTO_RETRY_ELSEWHERE, Status::retry_elsewhere},
                                                   {DTO_CANCELLED, Status::cancelled}};
    for (const auto& [status, expected] : rules) {
        begin();
        EXPECT_EQ(end(status).status, expected) << status;
    }
}

TEST_F(CallTest, AHandleIsDeadAfterItsCall) {
    auto* const old = begin();
    end(DTO_OK);
    begin();

    EXPECT_EQ(give(old, "666"), DTO_CANCELLED);
    EXPECT_EQ(host.wait(old, 1'000'000), DTO_CANCELLED);
    EXPECT_EQ(host.scratch(old, 1), nullptr);
    EXPECT_EQ(host.cancelled(old), 1);
    EXPECT_EQ(end(DTO_OK).result, "null");
    EXPECT_THAT(lines, ElementsAre("0: PLUGIN_MISBEHAVING: result() with a call that has ended"));
}

TEST_F(CallTest, CancellingWakesTheWaitAndTheHandle) {
    auto* const handle = begin();
    const auto event = static_cast<int>(host.cancel_handle(handle));
    dto_call* woken = nullptr;
    std::thread canceller(
        [&] { EXPECT_TRUE(call.cancel(id, [&](dto_call* running) { woken = running; })); });

    EXPECT_EQ(host.wait(handle, 1'000'000'000), DTO_CANCELLED);
    pollfd readable{.fd = event, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&readable, 1, 10'000), 1);
    canceller.join();
    EXPECT_EQ(host.cancelled(handle), 1);
    EXPECT_EQ(woken, handle);
    end(DTO_CANCELLED);

    auto* const next = begin();
    EXPECT_EQ(host.cancelled(next), 0);
    EXPECT_EQ(static_cast<int>(host.cancel_handle(next)), event);
    EXPECT_EQ(poll(&readable, 1, 0), 0);
    EXPECT_FALSE(call.cancel(id - 1, [](dto_call*) {}));
    end(DTO_OK);
}

TEST_F(CallTest, TellsTheTimeThatIsLeft) {
    auto* handle = begin(steady_clock::now() + std::chrono::hours(1));
    EXPECT_GT(host.remaining_ms(handle), 3'590'000);
    EXPECT_LE(host.remaining_ms(handle), 3'600'000);
    end(DTO_OK);
    handle = begin(steady_clock::now() - milliseconds(1));
    EXPECT_EQ(host.remaining_ms(handle), 0);
    end(DTO_OK);
    EXPECT_LT(host.remaining_ms(begin()), 0);
    end(DTO_OK);
}

TEST_F(CallTest, TheWorkDirectoryIsPrivateAndRemoved) {
    auto* const handle = begin();
    dto_str path{}, again{};
    ASSERT_EQ(host.work_dir(handle, &path), DTO_OK);
    ASSERT_EQ(host.work_dir(handle, &again), DTO_OK);
    const fs::path directory = copy_text(path);
    EXPECT_EQ(copy_text(again), directory);
    std::ofstream(directory / "file") << "x";
    end(DTO_OK);

    EXPECT_FALSE(fs::exists(directory));
}

TEST_F(CallTest, ScratchMemoryIsAlignedAndSeparate) {
    auto* const handle = begin();
    std::vector<char*> blocks;
    for (std::size_t size : {1UL, 3UL, 100UL, 20'000UL, 1'000'000UL, 5UL}) {
        auto* const block = static_cast<char*>(host.scratch(handle, size));
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
        std::memset(block, static_cast<int>(blocks.size()), size);
        blocks.push_back(block);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i)
        EXPECT_EQ(*blocks[i], static_cast<char>(i));
    EXPECT_EQ(host.scratch(handle, ~std::size_t{0}), nullptr);
    end(DTO_OK);
}

TEST_F(CallTest, OnlyAnAsyncCallIsCompletedLater) {
    auto* handle = begin();
    EXPECT_EQ(host.complete(handle, DTO_OK), DTO_UNSUPPORTED);
    end(DTO_OK);

    handle = begin_async();
    ASSERT_FALSE(call.end(DTO_PENDING, completed));
    std::thread later([&] {
        give(handle, "7");
        EXPECT_EQ(host.complete(handle, DTO_OK), DTO_OK);
    });
    later.join();
    EXPECT_EQ(endings, 1);
    EXPECT_EQ(completed.status, Status::ok);
    EXPECT_EQ(completed.result, "7");
}

TEST_F(CallTest, CompletingBeforeExecuteReturnsDecides) {
    auto* handle = begin_async();
    give(handle, "1");
    EXPECT_EQ(host.complete(handle, DTO_OK), DTO_OK);
    EXPECT_EQ(give(handle, "2"), DTO_CANCELLED);
    EXPECT_EQ(end(DTO_PENDING).result, "1");

    handle = begin_async();
    host.complete(handle, DTO_PERMANENT);
    EXPECT_EQ(end(DTO_OK).status, Status::permanent);
    EXPECT_EQ(endings, 0);
}

TEST_F(CallTest, ASecondCompleteIsRefused) {
    auto* const handle = begin_async();
    ASSERT_FALSE(call.end(DTO_PENDING, completed));
    EXPECT_EQ(host.complete(handle, DTO_OK), DTO_OK);
    begin_async();
    EXPECT_EQ(host.complete(handle, DTO_OK), DTO_UNSUPPORTED);
    EXPECT_EQ(host.cancelled(handle), 1);
    EXPECT_THAT(lines, ElementsAre(HasSubstr("complete() with a call that has ended")));
    EXPECT_EQ(end(DTO_OK).status, Status::ok);
    EXPECT_EQ(endings, 1);
}

TEST_F(CallTest, ACallThatIsCompletedWhileItIsCancelledEndsAfterwards) {
    auto* const handle = begin_async();
    ASSERT_FALSE(call.end(DTO_PENDING, completed));
    // A plugin may hold a lock in complete() that its cancel function waits for: no deadlock.
    EXPECT_TRUE(call.cancel(id, [&](dto_call* running) {
        std::thread([&] { EXPECT_EQ(host.complete(handle, DTO_OK), DTO_OK); }).join();
        EXPECT_EQ(host.cancelled(running), 1);
        EXPECT_EQ(endings, 0);
    }));
    EXPECT_EQ(endings, 1);
    EXPECT_FALSE(call.cancel(id, [](dto_call*) { ADD_FAILURE(); }));
    EXPECT_TRUE(lines.empty());
}

TEST_F(CallTest, APendingCallKeepsWhatIsItsOwn) {
    auto* const handle = begin_async();
    dto_str path{};
    ASSERT_EQ(host.work_dir(handle, &path), DTO_OK);
    ASSERT_FALSE(call.end(DTO_PENDING, completed));
    const fs::path directory = copy_text(path);
    EXPECT_TRUE(fs::exists(directory));
    EXPECT_TRUE(call.cancel(id, [](dto_call*) {}));
    EXPECT_EQ(host.wait(handle, 1'000'000), DTO_CANCELLED);
    host.complete(handle, DTO_CANCELLED);
    EXPECT_FALSE(fs::exists(directory));
    EXPECT_EQ(completed.status, Status::cancelled);
}

TEST_F(CallTest, FollowUpsLeaveOnlyWithASuccess) {
    const auto& service = *static_cast<const dto_emit*>(host.get_service(&host, DTO_SERVICE_EMIT));
    dto_task_spec spec{};
    spec.struct_size = sizeof spec;
    spec.type = abi_text("next");
    auto* handle = begin();
    EXPECT_EQ(service.task(handle, &spec), DTO_OK);
    EXPECT_EQ(end(DTO_OK).emitted, R"([{"type":"next","payload":{}}])");

    for (const auto status : {DTO_RETRY, DTO_PERMANENT, DTO_CANCELLED}) {
        service.task(begin(), &spec);
        EXPECT_EQ(end(status).emitted, "");
    }
    handle = begin();
    service.task(handle, &spec);
    give(handle, "{oops");
    EXPECT_EQ(end(DTO_OK).emitted, "");

    handle = begin();
    EXPECT_EQ(service.task(handle, nullptr), DTO_PERMANENT);
    spec.payload_json = abi_text("{");
    EXPECT_EQ(service.task(handle, &spec), DTO_PERMANENT);
    EXPECT_THAT(lines.back(), HasSubstr("follow-up task refused: payload is not JSON"));
    EXPECT_EQ(end(DTO_OK).emitted, "");
    EXPECT_EQ(service.task(handle, &spec), DTO_CANCELLED);

    handle = begin(base::TimePoint::max(), Call::Kind::service);
    EXPECT_EQ(service.task(handle, &spec), DTO_UNSUPPORTED);
    end(DTO_OK);
}

TEST_F(CallTest, UnknownServicesAreNotThere) {
    EXPECT_EQ(host.get_service(&host, "distributo.nothing/1"), nullptr);
    EXPECT_EQ(host.get_service(&host, nullptr), nullptr);
}

TEST_F(CallTest, TheRootCallOnlyTalks) {
    auto* const quiet = begin(base::TimePoint::max(), Call::Kind::root);
    dto_str path{};
    host.log(quiet, DTO_INFO, abi_text("hello"), {});

    EXPECT_EQ(host.work_dir(quiet, &path), DTO_UNSUPPORTED);
    EXPECT_EQ(give(quiet, "1"), DTO_UNSUPPORTED);
    EXPECT_EQ(host.notify(quiet, abi_text("capabilities")), DTO_OK);
    EXPECT_EQ(host.notify(quiet, abi_text("other")), DTO_UNSUPPORTED);
    EXPECT_EQ(lines.size(), 1U);
    end(DTO_OK);
}

TEST_F(CallTest, LinesAreLimitedAndProgressIsThinned) {
    auto* const handle = begin();
    for (int i = 0; i < 10'000; ++i) {
        host.log(handle, DTO_INFO, abi_text("line"), {});
        host.progress(handle, 2.0, {});
    }
    host.log(handle, DTO_DEBUG, abi_text("detail"), {});
    end(DTO_OK);

    EXPECT_LT(lines.size(), 9'000U);
    EXPECT_THAT(lines.back(), HasSubstr("lines dropped"));
    ASSERT_FALSE(fractions.empty());
    EXPECT_LT(fractions.size(), 1'000U);
    EXPECT_EQ(fractions[0], 1.0);
}

}  // namespace
}  // namespace distributo::runtime
