// A generator and a sink in the hands of distributo/testing.hpp, sound ones and such as are not.
#include <distributo/generator.hpp>
#include <distributo/sink.hpp>
#include <distributo/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

using testing::HasSubstr;
namespace dt = distributo::testing;

enum class Fault { none, remembers, grows, fails, hurries };
BOOST_DESCRIBE_ENUM(Fault, none, remembers, grows, fails, hurries)

struct Config {
    std::uint64_t last = 0;
    std::optional<Fault> fault;
};
BOOST_DESCRIBE_STRUCT(Config, (), (last, fault))

struct Cursor {
    std::uint64_t next = 1;
    std::string ballast;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (next, ballast))

struct Job {
    std::uint64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n))

class Numbers {
public:
    Numbers(const Config& config, distributo::Source& source)
        : last_(config.last), fault_(config.fault.value_or(Fault::none)) {
        source.more();
    }

    void next(Cursor& cursor, distributo::Feed& feed) {
        if (fault_ == Fault::hurries)
            ++cursor.next;
        while (cursor.next <= last_ && feed.emit("demo.square", Job{number(cursor.next)})) {
            ++cursor.next;
            ++count_;
            feed.check();
            if (fault_ == Fault::fails && cursor.next == 4)
                throw distributo::retry(std::chrono::seconds(2), "not now");
        }
        if (fault_ == Fault::grows)
            cursor.ballast.assign(70'000, 'x');
        if (cursor.next > last_)
            feed.end();
    }

    void on_result(Cursor& cursor, const distributo::Outcome& outcome, distributo::Feed& feed) {
        if (outcome.state == "failed")
            throw distributo::permanent("of no use: " + std::string(outcome.message));
        if (feed.emit("demo.again", outcome.result_as<Job>(), {.dedupe_key = outcome.task_id}))
            ++cursor.next;
    }

private:
    std::uint64_t number(std::uint64_t next) const {
        return fault_ == Fault::remembers ? count_ + 1 : next;
    }

    const std::uint64_t last_;
    const Fault fault_;
    std::uint64_t count_ = 0;  // of what a sound generator would keep in its cursor
};

enum class Memory { sequence, nothing };
BOOST_DESCRIBE_ENUM(Memory, sequence, nothing)
struct TableConfig {
    Memory memory = Memory::sequence;
};
BOOST_DESCRIBE_STRUCT(TableConfig, (), (memory))

std::vector<std::uint64_t> disk;

class Table {
public:
    explicit Table(const TableConfig& config) : memory_(config.memory) {}
    std::uint64_t last_stored() const {
        return memory_ == Memory::nothing || disk.empty() ? 0 : disk.back();
    }
    std::size_t write(std::span<const distributo::Outcome> outcomes) {
        for (const auto& outcome : outcomes) {
            if (outcome.state != "completed")
                throw distributo::retry("the disk is full");
            disk.push_back(outcome.sequence);
        }
        return outcomes.size() / 2;
    }

private:
    const Memory memory_;
};

std::vector<distributo::Outcome> outcomes(std::uint64_t count) {
    std::vector<distributo::Outcome> all(count);
    for (auto& one : all)
        one.sequence = 10 * static_cast<std::uint64_t>(&one - all.data() + 1);
    return all;
}

std::string fault_of(const std::string& config) {
    return dt::stream_fault(&distributo_module_v1, config);
}

TEST(GeneratorSupportTest, SaysNothingAboutASoundGenerator) {
    EXPECT_EQ(fault_of(R"({"last":50})"), "");
    EXPECT_EQ(fault_of(R"({"last":0})"), "");
    EXPECT_EQ(fault_of(R"({"last":1500})"), "") << "only the first thousand are compared";
}

TEST(GeneratorSupportTest, SaysWhereAStreamDepends) {
    EXPECT_EQ(fault_of(R"({"last":5,"fault":"remembers"})"),
              R"(from the checkpoint after 1 tasks, {"next":2,"ballast":""}: )"
              R"(task 0 is demo.square {"n":1}; it was demo.square {"n":2})");
    EXPECT_EQ(fault_of(R"({"last":9,"fault":"hurries"})"),
              R"(with room for 1: task 1 is demo.square {"n":4}; it was demo.square {"n":3})");
    EXPECT_EQ(fault_of(R"({"last":5,"fault":"fails"})"), "next: not now");
    EXPECT_THAT(fault_of(R"({"last":5,"fault":"grows"})"), HasSubstr("at most 64 KiB"));
    EXPECT_THAT(fault_of(R"({"lost":5})"), HasSubstr("open: config.lost"));
}

TEST(GeneratorSupportTest, GoesOnFromItsCheckpointAfterAFailure) {
    dt::Generator numbers(&distributo_module_v1);
    EXPECT_THROW(numbers.next(), std::runtime_error);
    ASSERT_TRUE(numbers.open(R"({"last":5,"fault":"fails"})").ok());
    EXPECT_EQ(numbers.said().notices, std::vector<std::string>{"more"});
    EXPECT_EQ(numbers.next(2).emitted.size(), 2U);
    EXPECT_EQ(numbers.checkpoint(), R"({"next":3,"ballast":""})");
    const auto failed = numbers.next();
    EXPECT_EQ(failed.status, DTO_RETRY);
    EXPECT_EQ(failed.retry_after_ms, 2000);
    EXPECT_TRUE(failed.emitted.empty());
    const auto cancelled = numbers.next(1, 1);
    EXPECT_EQ(cancelled.status, DTO_CANCELLED);
    EXPECT_EQ(numbers.checkpoint(), R"({"next":3,"ballast":""})");
    ASSERT_TRUE(numbers.open(R"({"last":5})", numbers.checkpoint()).ok());
    const auto rest = numbers.run(2);
    EXPECT_EQ(rest.status, DTO_END);
    ASSERT_EQ(rest.emitted.size(), 3U);
    EXPECT_EQ(rest.emitted[0].payload, R"({"n":3})");
}

TEST(GeneratorSupportTest, GivesOutcomes) {
    dt::Generator numbers(&distributo_module_v1);
    ASSERT_TRUE(numbers.open(R"({"last":5})").ok());
    const auto more = numbers.on_result({.task_id = "t-1", .result = R"({"n":8})"});
    EXPECT_TRUE(more.ok());
    ASSERT_EQ(more.emitted.size(), 1U);
    EXPECT_EQ(more.emitted[0].dedupe_key, "t-1");
    EXPECT_EQ(numbers.checkpoint(), R"({"next":2,"ballast":""})");
    const auto useless = numbers.on_result({.status = DTO_PERMANENT, .message = "broken"});
    EXPECT_EQ(useless.status, DTO_PERMANENT);
    EXPECT_EQ(useless.message, "of no use: broken");
    EXPECT_EQ(numbers.said().notices.size(), 1U) << "made once";
    EXPECT_EQ(numbers.on_result({.result = "{}"}).message, "result.n: missing");
    EXPECT_TRUE(numbers.said().notices.empty()) << "the same goes on";
    EXPECT_EQ(numbers.on_result({.result = R"({"n":8})"}, 0).status, DTO_IDLE);
}

class SinkSupportTest : public testing::Test {
protected:
    void SetUp() override { disk.clear(); }
};

TEST_F(SinkSupportTest, DeliversEachOnceToASinkThatStoresTheSequence) {
    const auto all = outcomes(5);
    {
        dt::Sink table(&distributo_module_v1);
        EXPECT_THROW(table.flush(), std::runtime_error);
        ASSERT_TRUE(table.open(R"({"memory":"sequence"})").ok());
        EXPECT_EQ(table.last_stored(), 0U);
        ASSERT_TRUE(table.write(std::span(all).first(3)).ok());
        EXPECT_EQ(table.acknowledged(), 10U);
    }
    dt::Sink table(&distributo_module_v1);
    ASSERT_TRUE(table.open(R"({"memory":"sequence"})").ok());
    EXPECT_EQ(table.last_stored(), 30U);
    EXPECT_TRUE(table.deliver(all, 1).ok());
    EXPECT_EQ(table.acknowledged(), 50U);
    EXPECT_EQ(disk, (std::vector<std::uint64_t>{10, 20, 30, 40, 50}));
}

TEST_F(SinkSupportTest, DeliversAgainWhatWasNotAcknowledged) {
    auto all = outcomes(3);
    all[2].status = DTO_PERMANENT;
    dt::Sink table(&distributo_module_v1);
    ASSERT_TRUE(table.open(R"({"memory":"nothing"})").ok());
    EXPECT_EQ(table.deliver(all).message, "the disk is full");
    EXPECT_EQ(table.acknowledged(), 0U);
    all[2].status = DTO_OK;
    ASSERT_TRUE(table.open(R"({"memory":"nothing"})").ok());
    EXPECT_TRUE(table.deliver(all).ok());
    EXPECT_EQ(disk, (std::vector<std::uint64_t>{10, 20, 10, 20, 30}));
    EXPECT_TRUE(table.deliver(all).ok()) << "nothing is left";
    EXPECT_EQ(disk.size(), 5U);
    EXPECT_EQ(table.open(R"({"memory":"much"})").status, DTO_PERMANENT);
}

}  // namespace

DISTRIBUTO_PLUGIN("demo.streams",
                  "1.0.0",
                  distributo::generator<Numbers>("numbers"),
                  distributo::sink<Table>("table"));
