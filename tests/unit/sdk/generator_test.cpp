// A library with a generator and a sink, called through its tables as a coordinator calls it.
#include <distributo/generator.hpp>
#include <distributo/sink.hpp>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

using distributo::detail::from_abi;
using distributo::detail::to_abi;

struct Config {
    std::uint64_t last = 0;
    std::optional<std::uint64_t> fails_at;
};
BOOST_DESCRIBE_STRUCT(Config, (), (last, fails_at))

struct Cursor {
    std::uint64_t next = 1;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (next))

class Numbers {
public:
    Numbers(const Config& config, distributo::Source& source) : config_(config) { source.more(); }
    void next(Cursor& cursor, distributo::Feed& feed) {
        while (cursor.next <= config_.last && feed.emit("demo.square", cursor)) {
            if (config_.fails_at == cursor.next++)
                throw distributo::retry("not now");
        }
        if (cursor.next > config_.last)
            feed.end();
    }
    void on_result(Cursor& cursor, const distributo::Outcome& outcome, distributo::Feed& feed) {
        if (outcome.ok() && feed.emit("demo.again", outcome.result_as<Cursor>()))
            cursor.next += 100;
    }

private:
    const Config config_;
};

std::vector<std::uint64_t> stored;

struct Table {
    std::uint64_t last_stored() const { return 41; }
    std::size_t write(std::span<const distributo::Outcome> outcomes) {
        for (const auto& outcome : outcomes)
            stored.push_back(outcome.sequence);
        return outcomes.size() - 1;
    }
};

/// What the plugin did to the coordinator.
struct Seen {
    std::vector<std::string> emitted;
    std::optional<std::string> checkpoint;
    std::string error, notified;
    std::uint32_t room = 0;
} seen;

dto_status DTO_CALL emit(dto_call*, const dto_task_spec* spec) {
    if (seen.emitted.size() == seen.room)
        return DTO_RETRY;
    seen.emitted.push_back(std::string(from_abi(spec->type)) + ' ' +
                           std::string(from_abi(spec->payload_json)));
    return DTO_OK;
}
dto_status DTO_CALL checkpoint(dto_call*, dto_bytes token) {
    seen.checkpoint.emplace(static_cast<const char*>(token.ptr), token.len);
    return DTO_OK;
}
void DTO_CALL set_error(dto_call*, const dto_error* error) {
    seen.error = from_abi(error->message);
}
dto_status DTO_CALL notify(dto_call*, dto_str what) {
    seen.notified = from_abi(what);
    return DTO_OK;
}

dto_host coordinator() {
    dto_host host{};
    host.struct_size = sizeof host;
    host.set_error = &set_error;
    host.notify = &notify;
    return host;
}
const dto_host host = coordinator();

template <class Api>
const Api& table(const char* id) {
    return *static_cast<const Api*>(distributo_module_v1(nullptr)->get_interface(id));
}
const dto_generator_api& generator() {
    return table<dto_generator_api>(DTO_INTERFACE_GENERATOR);
}

class GeneratorLayerTest : public testing::Test {
protected:
    void TearDown() override { close(); }
    void close() {
        if (void* const open = std::exchange(instance_, nullptr))
            generator().close(open, nullptr);
    }
    dto_status open(std::string_view config, std::string_view token = {}) {
        seen = {};
        return generator().open(
            &host, nullptr, to_abi(config), {token.data(), token.size()}, &instance_);
    }
    dto_status next(std::uint32_t room) {
        begin(room);
        return generator().next_batch(instance_, nullptr, &feed_, room);
    }
    dto_status on_result(const dto_result_view& view, std::uint32_t room) {
        begin(room);
        return generator().on_result(instance_, nullptr, &feed_, &view);
    }

private:
    void begin(std::uint32_t room) {
        seen = {};
        seen.room = room;
        feed_ = {sizeof feed_, room, &emit, &checkpoint};
    }
    void* instance_ = nullptr;
    dto_feed feed_{};
};

TEST_F(GeneratorLayerTest, SaysWhatItIs) {
    EXPECT_EQ(from_abi(generator().name), "numbers");
    EXPECT_EQ(from_abi(generator().version), "1.2.3");
    EXPECT_EQ(from_abi(generator().config_schema),
              R"({"type":"object","properties":{"last":{"type":"integer","minimum":0},)"
              R"("fails_at":{"type":"integer","minimum":0}},"required":["last"],)"
              R"("additionalProperties":false})");
    EXPECT_EQ(distributo_module_v1(nullptr)->get_interface(DTO_INTERFACE_TASK), nullptr);
}

TEST_F(GeneratorLayerTest, EmitsWithinTheRoomAndGoesOnFromItsCheckpoint) {
    ASSERT_EQ(open(R"({"last":5})"), DTO_OK);
    EXPECT_EQ(seen.notified, "more");
    EXPECT_EQ(next(3), DTO_OK);
    EXPECT_EQ(seen.emitted.size(), 3U);
    EXPECT_EQ(seen.checkpoint, R"({"next":4})");
    close();
    ASSERT_EQ(open(R"({"last":5})", R"({"next":4})"), DTO_OK);
    EXPECT_EQ(next(100), DTO_END);
    EXPECT_EQ(seen.emitted,
              (std::vector<std::string>{R"(demo.square {"next":4})", R"(demo.square {"next":5})"}));
}

TEST_F(GeneratorLayerTest, IsIdleWithoutTasksAndKeepsItsCursorWhenItThrows) {
    ASSERT_EQ(open(R"({"last":9,"fails_at":2})"), DTO_OK);
    EXPECT_EQ(next(0), DTO_IDLE);
    EXPECT_EQ(seen.checkpoint, std::nullopt);
    EXPECT_EQ(next(9), DTO_RETRY);
    EXPECT_EQ(seen.error, "not now");
    EXPECT_EQ(seen.checkpoint, std::nullopt);
    EXPECT_EQ(next(1), DTO_OK);
    EXPECT_EQ(seen.emitted, std::vector<std::string>{R"(demo.square {"next":1})"});
}

TEST_F(GeneratorLayerTest, SaysWhatIsWrongWithConfigurationAndCheckpoint) {
    EXPECT_EQ(open(R"({"last":"five"})"), DTO_PERMANENT);
    EXPECT_EQ(seen.error, "config.last: expected unsigned integer, got string");
    EXPECT_EQ(open(R"({"last":5})", R"({"nxt":4})"), DTO_PERMANENT);
    EXPECT_NE(seen.error.find("checkpoint.nxt"), std::string::npos) << seen.error;
}

TEST_F(GeneratorLayerTest, TakesResultsOfOlderCoordinatorsToo) {
    ASSERT_EQ(open(R"({"last":5})"), DTO_OK);
    dto_result_view view{};
    view.struct_size = offsetof(dto_result_view, state);
    const std::string_view result = R"({"next":7})";
    view.data = {result.data(), result.size()};
    view.payload_json = to_abi("not to be read");
    EXPECT_EQ(distributo::detail::outcome_of(view).payload, "");
    EXPECT_EQ(on_result(view, 1), DTO_OK);
    EXPECT_EQ(seen.emitted, std::vector<std::string>{R"(demo.again {"next":7})"});
    EXPECT_EQ(seen.checkpoint, R"({"next":101})");
    view.status = DTO_PERMANENT;
    EXPECT_EQ(on_result(view, 1), DTO_IDLE);
}

TEST(SinkLayerTest, SaysWhatItHasAndHowMuchOfAWriteIsSafe) {
    const auto& api = table<dto_sink_api>(DTO_INTERFACE_SINK);
    std::uint64_t last = 0;
    void* sink = nullptr;
    ASSERT_EQ(api.open(&host, nullptr, to_abi("{}"), &last, &sink), DTO_OK);
    EXPECT_EQ(last, 41U);
    dto_result_view one{}, two{};
    one.struct_size = two.struct_size = sizeof one;
    one.seq = 42;
    two.seq = 43;
    const std::array<const dto_result_view*, 2> views{&one, &two};
    std::uint32_t durable = 7;
    EXPECT_EQ(api.write(sink, nullptr, views.data(), 2, &durable), DTO_OK);
    EXPECT_EQ(durable, 1U);
    EXPECT_EQ(stored, (std::vector<std::uint64_t>{42, 43}));
    EXPECT_EQ(api.flush(sink, nullptr), DTO_OK);
    api.close(sink, nullptr);
}

}  // namespace

DISTRIBUTO_PLUGIN("demo.numbers",
                  "1.2.3",
                  distributo::generator<Numbers>("numbers"),
                  distributo::sink<Table>("table"));
