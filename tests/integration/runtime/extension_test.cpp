#include "probe.hpp"
#include "runtime/extension_runner.hpp"

#include <array>
#include <optional>
#include <vector>

namespace distributo::runtime {
namespace {

using Ended = ExtensionAnswer::Status;
using testing::HasSubstr;

/// A runner, and the last of everything that it said.
class ExtensionTest : public testing::Test, protected ExtensionEvents {
protected:
    void start(const std::filesystem::path& plugin = test_plugin("runtime/test_behave")) {
        const auto copy = cache_plugin(plugin, folder_.path() / "cache");
        ASSERT_TRUE(copy) << copy.error().message;
        options_.library = copy->library;
        options_.data_dir = folder_.path() / "data";
        options_.work_root = folder_.path() / "work";
        options_.runner_program = RUNNER_PROGRAM;
        options_.sandbox.landlock = false;
        std::filesystem::create_directories(options_.data_dir);
        std::filesystem::create_directories(options_.work_root);
        runner_ = make_extension_runner(io_, options_, *this);
    }
    /// Ends the process, with a kill, and starts another one.
    void restart(const std::filesystem::path& plugin) {
        runner_.reset();
        module_.reset();
        opened_.reset();
        start(plugin);
    }
    void open(ExtensionKind kind, const std::string& config, const std::string& checkpoint = {}) {
        if (!runner_)
            start();
        until([&] { return module_ || gone_; });
        ASSERT_TRUE(module_) << *gone_;
        runner_->open(kind, config, checkpoint);
        until([&] { return opened_ || gone_; });
    }
    void generator(const std::string& how, const std::string& checkpoint = {}) {
        open(ExtensionKind::generator, R"({"how":")" + how + R"(","last":100})", checkpoint);
    }
    void sink(const std::string& how) {
        open(ExtensionKind::sink, R"({"how":")" + how + R"(","last":7})");
    }
    void next(std::uint32_t room) {
        batch_.reset();
        runner_->next(room);
        until([&] { return batch_ || gone_; });
    }
    void deliver(const std::vector<OutcomeView>& outcomes, std::uint32_t room = 100) {
        batch_.reset();
        runner_->deliver(outcomes, room);
        until([&] { return batch_ || gone_; });
    }
    void write(const std::vector<OutcomeView>& outcomes) {
        written_.reset();
        runner_->write(outcomes);
        until([&] { return written_ || gone_; });
    }
    void until(const std::function<bool()>& done) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up);
            io_.restart();
            io_.run_one_for(std::chrono::seconds(1));
        }
    }
    static OutcomeView outcome(std::uint64_t sequence, std::string_view payload) {
        OutcomeView view;
        view.sequence = sequence;
        view.task_id = "t";
        view.state = "completed";
        view.generator = "g";
        view.payload = payload;
        view.result = "{}";
        return view;
    }

    void on_ready(const ExtensionModule& module) override { module_ = module; }
    void on_opened(ExtensionOpened opened) override { opened_ = std::move(opened); }
    void on_batch(ExtensionBatch batch) override { batch_ = std::move(batch); }
    void on_written(ExtensionWritten written) override { written_ = std::move(written); }
    void on_log(std::string_view stream, std::string_view text) override {
        log_ += std::string(stream) + ": " + std::string(text) + '\n';
    }
    void on_more() override { ++mores_; }
    void on_gone(bool expected, const std::string& why) override {
        EXPECT_FALSE(gone_);
        gone_ = why;
        expected_ = expected;
    }

    Folder folder_;
    boost::asio::io_context io_;
    ExtensionRunnerOptions options_;
    std::unique_ptr<ExtensionRunner> runner_;
    std::optional<ExtensionModule> module_;
    std::optional<ExtensionOpened> opened_;
    std::optional<ExtensionBatch> batch_;
    std::optional<ExtensionWritten> written_;
    std::optional<std::string> gone_;
    std::string log_;
    bool expected_ = false;
    int mores_ = 0;
};

TEST_F(ExtensionTest, SaysWhatALibraryOffers) {
    start();
    until([&] { return module_ || gone_; });
    ASSERT_TRUE(module_) << *gone_;
    EXPECT_EQ(module_->name, "test.behave");
    EXPECT_FALSE(module_->tasks);
    ASSERT_TRUE(module_->generator && module_->sink);
    EXPECT_EQ(module_->generator->name, "counter");
    EXPECT_EQ(module_->generator->version, "1.2.3");
    EXPECT_TRUE(module_->generator->takes_results);
    EXPECT_THAT(module_->generator->config_schema, HasSubstr("\"how\""));
    EXPECT_EQ(module_->sink->name, "lines");
    runner_->close();
    until([&] { return gone_.has_value(); });
    EXPECT_TRUE(expected_) << *gone_;
}

TEST_F(ExtensionTest, TaskPluginsOfferNeither) {
    start(test_plugin("good/test_noop"));
    until([&] { return module_ || gone_; });
    ASSERT_TRUE(module_) << *gone_;
    EXPECT_TRUE(module_->tasks);
    EXPECT_FALSE(module_->generator || module_->sink);
}

TEST_F(ExtensionTest, ALibraryThatDoesNotLoadSaysWhy) {
    start(test_plugin("broken/test_needs_symbol"));
    until([&] { return gone_.has_value(); });
    EXPECT_FALSE(expected_);
    EXPECT_THAT(*gone_, HasSubstr("undefined symbol"));
}

TEST_F(ExtensionTest, EmitsWithinTheRoomAndGoesOnFromACheckpoint) {
    generator("count", R"({"n":95})");
    next(3);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->answer.status, Ended::ok);
    EXPECT_EQ(batch_->count, 3U);
    EXPECT_EQ(batch_->checkpoint, R"({"n":98})");
    EXPECT_THAT(batch_->emitted,
                HasSubstr(R"({"type":"test.echo","payload":{"n":95},"dedupe_key":"k"})"));
    next(100);
    EXPECT_EQ(batch_->answer.status, Ended::end);
    EXPECT_EQ(batch_->count, 2U);
    EXPECT_EQ(batch_->checkpoint, R"({"n":100})");
}

TEST_F(ExtensionTest, AnErrorDropsWhatWasEmitted) {
    generator("retry");
    next(10);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->answer.status, Ended::retry);
    EXPECT_EQ(batch_->answer.message, "later");
    EXPECT_EQ(batch_->answer.retry_after_ms, 7000);
    EXPECT_EQ(batch_->emitted, "");
    EXPECT_EQ(batch_->count, 0U);
}

TEST_F(ExtensionTest, ExceptionsAndPermanentErrorsAreTold) {
    generator("throw");
    next(1);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->answer.status, Ended::retry);
    EXPECT_EQ(batch_->answer.message, "oh");
}

TEST_F(ExtensionTest, AnUnacceptableTaskIsNamedInTheLog) {
    generator("bad");
    next(1);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->answer.status, Ended::permanent);
    EXPECT_THAT(log_, HasSubstr("it has no type"));
}

TEST_F(ExtensionTest, ATaskThatNoCallHasRoomForIsNotTriedForever) {
    generator("large");
    next(10);
    EXPECT_EQ(batch_->answer.status, Ended::permanent);
    EXPECT_THAT(log_, HasSubstr("bytes, at most 8388606 fit into a call"));
}

TEST_F(ExtensionTest, AWrongConfigurationIsAnAnswer) {
    open(ExtensionKind::generator, R"({"how":7})");
    ASSERT_TRUE(opened_) << *gone_;
    EXPECT_EQ(opened_->answer.status, Ended::permanent);
    EXPECT_EQ(opened_->answer.message, "config.how: expected string, got number");
}

TEST_F(ExtensionTest, ResultsAreAcknowledgedUpToTheFirstThatFails) {
    generator("count");
    deliver({outcome(1, R"({"n":11})"),
             outcome(2, R"({"n":13})"),
             outcome(3, R"({"n":15})"),
             outcome(4, R"({"n":17})"),
             outcome(5, R"({"n":19})")});
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->acknowledged, 3U);
    EXPECT_EQ(batch_->answer.status, Ended::retry);
    EXPECT_EQ(batch_->answer.message, "not now");
    EXPECT_EQ(batch_->emitted,
              R"([{"type":"test.follow","payload":{"n":11}},)"
              R"({"type":"test.follow","payload":{"n":15}}])");
    EXPECT_EQ(batch_->checkpoint, R"({"n":15})");
    EXPECT_THAT(log_, HasSubstr("unlucky"));
}

TEST_F(ExtensionTest, RoomCountsOverAllResultsOfACall) {
    generator("count");
    deliver({outcome(1, R"({"n":1})"), outcome(2, R"({"n":2})")}, 1);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->acknowledged, 2U);
    EXPECT_EQ(batch_->count, 1U);
}

TEST_F(ExtensionTest, ASinkSaysWhatIsStored) {
    sink("count");
    ASSERT_TRUE(opened_) << *gone_;
    EXPECT_EQ(opened_->last_stored, 7U);
    write({outcome(8, "{}"), outcome(9, "{}")});
    ASSERT_TRUE(written_) << *gone_;
    EXPECT_EQ(written_->answer.status, Ended::ok);
    EXPECT_EQ(written_->stored, 1U);
    EXPECT_THAT(log_, HasSubstr("stdout: t completed g"));
    written_.reset();
    runner_->flush();
    until([&] { return written_ || gone_; });
    EXPECT_EQ(written_->answer.status, Ended::ok);
}

TEST_F(ExtensionTest, NoSinkHasStoredMoreThanItWasGiven) {
    sink("boasts");
    write({outcome(8, "{}")});
    ASSERT_TRUE(written_) << *gone_;
    EXPECT_EQ(written_->stored, 1U);
}

TEST_F(ExtensionTest, ACrashIsTheEndOfTheProcessOnly) {
    generator("crash");
    next(1);
    ASSERT_TRUE(gone_);
    EXPECT_FALSE(expected_);
    EXPECT_THAT(*gone_, HasSubstr("killed by SIGSEGV"));
    EXPECT_THAT(*gone_, HasSubstr("next_batch"));
}

TEST_F(ExtensionTest, AProcessThatExitsHasNotAnswered) {
    sink("exit");
    write({outcome(8, "{}")});
    ASSERT_TRUE(gone_);
    EXPECT_THAT(*gone_, HasSubstr("exited with code 3 without answering in write"));
}

TEST_F(ExtensionTest, ACallThatHangsIsAskedThenKilled) {
    options_.call_timeout = std::chrono::milliseconds(50);
    options_.cancel_grace = std::chrono::milliseconds(50);
    generator("hang");
    next(1);
    ASSERT_TRUE(gone_);
    EXPECT_FALSE(expected_);
    EXPECT_EQ(*gone_, "next_batch did not return within 50 ms");
}

TEST_F(ExtensionTest, ACallThatWaitsEndsWhenItsTimeIsOver) {
    options_.call_timeout = std::chrono::milliseconds(50);
    generator("wait");
    next(1);
    ASSERT_TRUE(batch_) << *gone_;
    EXPECT_EQ(batch_->answer.status, Ended::retry);
    EXPECT_EQ(batch_->answer.message, "cancelled");
}

TEST_F(ExtensionTest, ClosingEndsACallThatWaits) {
    generator("wait");
    batch_.reset();
    runner_->next(1);
    runner_->close();
    until([&] { return gone_.has_value(); });
    EXPECT_TRUE(expected_) << *gone_;
    ASSERT_TRUE(batch_);
    EXPECT_EQ(batch_->answer.status, Ended::retry);
}

TEST_F(ExtensionTest, ClosingEndsACallThatTalksAndDoesNotListen) {
    options_.cancel_grace = std::chrono::milliseconds(50);
    generator("chatty");
    runner_->next(1);
    runner_->close();
    until([&] { return gone_.has_value(); });
    EXPECT_THAT(log_, HasSubstr("still here"));
}

TEST_F(ExtensionTest, AThreadOfThePluginMayAskForMore) {
    generator("more");
    until([&] { return mores_ > 0; });
}

TEST_F(ExtensionTest, WorksInTheFolderThatItsPathsAreMeantFrom) {
    options_.directory = "/usr/share";
    generator("folder");
    next(1);
    EXPECT_THAT(log_, HasSubstr("plugin: in /usr/share"));
}

TEST_F(ExtensionTest, AFolderThatIsNotThereIsNamed) {
    options_.directory = "/nowhere";
    start();
    until([&] { return gone_.has_value(); });
    EXPECT_THAT(*gone_, HasSubstr("cannot work in /nowhere: No such file"));
}

// ---- what `distributo plugin new` makes, in a process of its own --------------------------------

TEST_F(ExtensionTest, TheTemplateOfAGeneratorGoesOnAfterAKill) {
    start(test_plugin("runtime/template_generator"));
    open(ExtensionKind::generator, R"({"last":5})");
    EXPECT_TRUE(module_->tasks);
    next(2);
    EXPECT_EQ(batch_->answer.status, Ended::ok);
    ASSERT_EQ(batch_->checkpoint, R"({"next":3})");
    restart(test_plugin("runtime/template_generator"));
    open(ExtensionKind::generator, R"({"last":5})", *batch_->checkpoint);
    next(100);
    EXPECT_EQ(batch_->answer.status, Ended::end);
    EXPECT_EQ(batch_->count, 3U);
    EXPECT_THAT(batch_->emitted, HasSubstr(R"("template_generator.square")"));
}

TEST_F(ExtensionTest, TheTemplateOfASinkKnowsAfterAKillWhatItHas) {
    const std::string config = R"({"file":"out.tsv"})";
    options_.directory = folder_.path();
    start(test_plugin("runtime/template_sink"));
    open(ExtensionKind::sink, config);
    EXPECT_FALSE(module_->tasks);
    EXPECT_EQ(opened_->last_stored, 0U);
    write({outcome(4, "1"), outcome(7, "2")});
    EXPECT_EQ(written_->stored, 2U);
    EXPECT_GT(std::filesystem::file_size(folder_.path() / "out.tsv"), 0U);
    restart(test_plugin("runtime/template_sink"));
    open(ExtensionKind::sink, config);
    EXPECT_EQ(opened_->last_stored, 7U);
}

}  // namespace
}  // namespace distributo::runtime
