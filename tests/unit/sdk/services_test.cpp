#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <fstream>

extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);

namespace {

using distributo::testing::Plugin;
using distributo::testing::Services;

struct Node {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(Node, (), (name))

/// Emits a child; fails afterwards when the node is called "bad".
void grow(const Node& node, distributo::Task& task) {
    task.emit("test.grow",
              Node{node.name + ".0"},
              {.dedupe_key = "key",
               .group = "tree",
               .priority = 3,
               .timeout = std::chrono::seconds(2),
               .install_json = R"({"v":1})",
               .requires_json = R"({"arch":"x86_64"})",
               .max_attempts = 4});
    if (node.name == "bad")
        throw distributo::permanent("as asked");
}

void emit_nothing(distributo::Task& task) {
    task.emit("", 1);
}

struct Looked {
    bool available = false;
    bool was_there = false;
    bool kept = false;
    std::optional<std::string> bytes;
};
BOOST_DESCRIBE_STRUCT(Looked, (), (available, was_there, kept, bytes))

Looked remember(const Node& node, distributo::Task& task) {
    const distributo::Cache cache = task.cache();
    Looked looked;
    looked.available = cache.available();
    looked.was_there = cache.get<Node>("node").has_value();
    looked.kept = cache.put("node", node);
    cache.put_bytes("bytes", "raw", std::chrono::seconds(1));
    if (const auto bytes = cache.get_bytes("bytes"))
        looked.bytes = *bytes;
    return looked;
}

void use_empty_key(distributo::Task& task) {
    (void)task.cache().put("", 1);
}

/// Copies an artifact by way of its stream; answers its digest.
std::string copy(const Node& node, distributo::Task& task) {
    distributo::ArtifactReader in = task.open_artifact("in/" + node.name);
    distributo::ArtifactWriter out = task.create_artifact("out/" + node.name, "text/plain");
    char buffer[4];
    std::uint64_t total = 0;
    for (std::size_t got = in.read(buffer); got != 0; got = in.read(buffer)) {
        out.write({buffer, got});
        total += got;
    }
    if (total != in.size())
        throw distributo::permanent("another size");
    if (node.name == "bad")
        throw distributo::permanent("as asked");
    return out.commit();
}

/// Reads an artifact as a file and publishes another file.
std::string exchange(distributo::Task& task) {
    std::string content;
    std::getline(std::ifstream(task.artifact("in/a")), content);
    const auto file = task.work_dir() / "made";
    std::ofstream(file) << "made of " << content;
    task.publish("made", file);
    return task.open_artifact("made").read_all();
}

void write_after_commit(distributo::Task& task) {
    auto out = task.create_artifact("x");
    out.commit();
    out.write("more");
}

struct State {
    std::int64_t temperature = 0;
};
BOOST_DESCRIBE_STRUCT(State, (), (temperature))

struct Options {
    std::optional<bool> ill;
};
BOOST_DESCRIBE_STRUCT(Options, (), (ill))

/// Has no tasks of its own: probes alone make it.
class Thermometer {
public:
    explicit Thermometer(const distributo::Setup& setup)
        : ill_(setup.config<Options>().ill.value_or(false)) {}
    std::optional<State> read(const distributo::Context& call) const {
        call.info("probed");
        return ill_ ? std::nullopt : std::optional(State{36});
    }

private:
    bool ill_;
};

void change(distributo::Task& task) {
    task.capabilities_changed();
}

class ServicesTest : public testing::Test {
protected:
    Plugin plugin_{&distributo_module_v1};
};

TEST_F(ServicesTest, ATaskThatSucceedsHasEmitted) {
    const auto outcome = plugin_.run("test.grow", R"({"name":"root"})");

    ASSERT_EQ(outcome.emitted.size(), 1U);
    const auto& task = outcome.emitted[0];
    EXPECT_EQ(task.type, "test.grow");
    EXPECT_EQ(task.payload, R"({"name":"root.0"})");
    EXPECT_EQ(task.install, R"({"v":1})");
    EXPECT_EQ(task.dedupe_key, "key");
    EXPECT_EQ(task.group, "tree");
    EXPECT_EQ(task.requirements, R"({"arch":"x86_64"})");
    EXPECT_EQ(task.priority, 3);
    EXPECT_EQ(task.max_attempts, 4);
    EXPECT_EQ(task.timeout_ms, 2000);
}

TEST_F(ServicesTest, ATaskThatFailsHasEmittedNothing) {
    EXPECT_TRUE(plugin_.run("test.grow", R"({"name":"bad"})").emitted.empty());
}

TEST_F(ServicesTest, AFollowUpThatTheHostRefusesFailsTheTask) {
    const auto outcome = plugin_.run("test.emit_nothing", "null");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, "the host refused a follow-up task of type ");
    EXPECT_EQ(outcome.logs.size(), 1U);
}

TEST_F(ServicesTest, TheCacheIsSharedByTasks) {
    EXPECT_EQ(plugin_.run("test.remember", R"({"name":"a"})").result,
              R"({"available":true,"was_there":false,"kept":true,"bytes":"raw"})");
    EXPECT_EQ(plugin_.run("test.remember", R"({"name":"b"})").result,
              R"({"available":true,"was_there":true,"kept":true,"bytes":"raw"})");
    EXPECT_EQ(plugin_.cached("node"), R"({"name":"b"})");
    EXPECT_EQ(plugin_.run("test.empty_key", "null").status, DTO_PERMANENT);
}

TEST_F(ServicesTest, ACachedValueOfAnotherShapeCountsAsForgotten) {
    plugin_.cache("node", R"({"title":"of another version"})");

    EXPECT_EQ(plugin_.run("test.remember", R"({"name":"a"})").result,
              R"({"available":true,"was_there":false,"kept":true,"bytes":"raw"})");
}

TEST_F(ServicesTest, ArtifactsAreReadAndWrittenAsStreams) {
    plugin_.add_artifact("in/a", {"abc"});

    const auto outcome = plugin_.run("test.copy", R"({"name":"a"})");

    EXPECT_EQ(outcome.result,
              R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")");
    ASSERT_TRUE(plugin_.artifact("out/a"));
    EXPECT_EQ(plugin_.artifact("out/a")->data, "abc");
    EXPECT_EQ(plugin_.artifact("out/a")->media_type, "text/plain");
}

TEST_F(ServicesTest, TheDigestOfALongArtifactIsRight) {
    plugin_.add_artifact("in/a", {std::string(1000000, 'a')});

    EXPECT_EQ(plugin_.run("test.copy", R"({"name":"a"})").result,
              R"("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")");
}

TEST_F(ServicesTest, AnArtifactThatWasNotCommittedDoesNotExist) {
    plugin_.add_artifact("in/bad", {"abc"});

    EXPECT_EQ(plugin_.run("test.copy", R"({"name":"bad"})").message, "as asked");
    EXPECT_FALSE(plugin_.artifact("out/bad"));
    EXPECT_EQ(plugin_.run("test.write_after_commit", "null").message,
              "artifact x is closed already");
}

TEST_F(ServicesTest, ArtifactsAreFilesToo) {
    plugin_.add_artifact("in/a", {"gold"});

    EXPECT_EQ(plugin_.run("test.exchange", "null").result, R"("made of gold")");
    EXPECT_EQ(plugin_.artifact("made")->media_type, "application/octet-stream");
}

TEST_F(ServicesTest, AnArtifactThatIsNotThereIsNamed) {
    const auto outcome = plugin_.run("test.copy", R"({"name":"b"})");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, "cannot open artifact in/b");
    EXPECT_EQ(plugin_.run("test.copy", R"({"name":"../b"})").status, DTO_PERMANENT);
}

TEST_F(ServicesTest, AProbeTellsItsAttributes) {
    ASSERT_TRUE(plugin_.setup("{}").ok());
    const auto outcome = plugin_.probe();

    EXPECT_EQ(outcome.result, R"({"healthy":true,"attributes":{"temperature":36}})");
    EXPECT_EQ(outcome.logs, std::vector<std::string>{"probed"});
}

TEST_F(ServicesTest, ATaskTellsThatTheProbeWouldAnswerDifferently) {
    EXPECT_EQ(plugin_.run("test.change", "null").notices, std::vector<std::string>{"capabilities"});
}

TEST_F(ServicesTest, AProbeOfNothingIsUnhealthy) {
    ASSERT_TRUE(plugin_.setup(R"({"ill":true})").ok());

    EXPECT_EQ(plugin_.probe().result, R"({"healthy":false})");
    EXPECT_EQ(distributo::detail::probe_text(true), R"({"healthy":true})");
}

TEST_F(ServicesTest, RequiredServicesAreDeclared) {
    ASSERT_EQ(plugin_.module().required_count, 2U);
    EXPECT_EQ(distributo::detail::from_abi(plugin_.module().required[0]), DTO_SERVICE_EMIT);
    EXPECT_EQ(distributo::detail::from_abi(plugin_.module().required[1]), "host.scratch");
    EXPECT_THROW(Plugin(&distributo_module_v1, Services::none), std::runtime_error);
}

/// Runs a task on a host of version 1.0 that has no services, whatever the module requires.
dto_status run_without_services(const dto_task_api& api,
                                std::string_view type,
                                std::string_view payload,
                                std::string& result) {
    namespace detail = distributo::testing::detail;
    detail::TestHost host(false);
    host.table.abi_minor = 0;
    detail::TestStores stores;
    detail::TestTask task(type, payload, {}, stores);
    void* instance = nullptr;
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    EXPECT_EQ(api.create(&host.table, host.table.root, &instance), DTO_OK);
    EXPECT_EQ(api.setup(instance, host.table.root, &setup), DTO_OK);
    const dto_status status = api.execute(instance, task.call.abi(), &task.request);
    result = task.call.outcome(status).result;
    api.teardown(instance, host.table.root);
    api.destroy(instance);
    return status;
}

TEST_F(ServicesTest, WithoutTheServicesTasksGoElsewhereAndTheCacheForgets) {
    const auto run = [this](std::string_view type, std::string_view payload) {
        std::string result;
        const dto_status status = run_without_services(plugin_.api(), type, payload, result);
        return std::pair(status, result);
    };

    EXPECT_EQ(run("test.grow", R"({"name":"a"})").first, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(run("test.copy", R"({"name":"a"})").first, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(run("test.exchange", "null").first, DTO_RETRY_ELSEWHERE);
    const auto [status, result] = run("test.remember", R"({"name":"a"})");
    EXPECT_EQ(status, DTO_OK);
    EXPECT_EQ(result, R"({"available":false,"was_there":false,"kept":false})");
}

}  // namespace

DISTRIBUTO_PLUGIN("test.service_users",
                  "1.0.0",
                  distributo::task_type<grow>("test.grow"),
                  distributo::task_type<emit_nothing>("test.emit_nothing"),
                  distributo::task_type<remember>("test.remember"),
                  distributo::task_type<use_empty_key>("test.empty_key"),
                  distributo::task_type<copy>("test.copy"),
                  distributo::task_type<exchange>("test.exchange"),
                  distributo::task_type<write_after_commit>("test.write_after_commit"),
                  distributo::task_type<change>("test.change"),
                  distributo::probe<&Thermometer::read>(),
                  distributo::config<Options>(),
                  distributo::requires_service(DTO_SERVICE_EMIT),
                  distributo::requires_service("host.scratch"));
