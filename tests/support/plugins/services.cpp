// Task types that use what a host offers to a running task.
//     test.tree      emits `width` children down to `depth`, each with a key of its own
//     test.emit      emits one task as it is told, then fails if it is told so
//     test.cache     puts a value when it is given one, answers what is there
//     test.artifact  writes, publishes and reads artifacts
//     test.kept      installs a file whose content verify looks at
#include <distributo/plugin.hpp>

#include <fstream>
#include <iterator>

namespace {

template <class Service>
const Service& service(const distributo::Task& task, const char* id) {
    return *static_cast<const Service*>(task.table().get_service(&task.table(), id));
}

dto_str text(std::string_view view) {
    return {view.data(), view.size()};
}

void expect(dto_status status, dto_status wanted, const char* what) {
    if (status != wanted)
        throw distributo::permanent(std::string(what) + " gave " + std::to_string(status));
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Node {
    std::string name;
    std::uint32_t depth = 0;
    std::uint32_t width = 2;
};
BOOST_DESCRIBE_STRUCT(Node, (), (name, depth, width))

std::string tree(const Node& node, distributo::Task& task) {
    for (std::uint32_t i = 0; node.depth > 0 && i < node.width; ++i) {
        const Node child{node.name + '.' + std::to_string(i), node.depth - 1, node.width};
        task.emit("test.tree", child, {.dedupe_key = child.name, .group = "tree"});
    }
    return node.name;
}

struct Wanted {
    std::string type;
    distributo::RawJson payload;
    std::uint32_t times = 1;
    bool fail = false;
};
BOOST_DESCRIBE_STRUCT(Wanted, (), (type, payload, times, fail))

void emit(const Wanted& wanted, distributo::Task& task) {
    for (std::uint32_t i = 0; i < wanted.times; ++i)
        task.emit(wanted.type, wanted.payload);
    if (wanted.fail)
        throw distributo::permanent("as asked");
}

struct Entry {
    std::string key;
    std::optional<std::string> value;
};
BOOST_DESCRIBE_STRUCT(Entry, (), (key, value))

std::optional<std::string> cache(const Entry& entry, distributo::Task& task) {
    const auto& shared = service<dto_cache>(task, DTO_SERVICE_CACHE);
    if (entry.value)
        expect(
            shared.put(task.call(), text(entry.key), {entry.value->data(), entry.value->size()}, 0),
            DTO_OK,
            "put");
    dto_bytes found{};
    const dto_status status = shared.get(task.call(), text(entry.key), &found);
    if (status == DTO_END)
        return std::nullopt;
    expect(status, DTO_OK, "get");
    return std::string(static_cast<const char*>(found.ptr), found.len);
}

std::string artifact(distributo::Task& task) {
    const auto& artifacts = service<dto_artifacts>(task, DTO_SERVICE_ARTIFACTS);
    dto_stream* stream = nullptr;
    expect(
        artifacts.open_write(task.call(), text("../out"), {}, &stream), DTO_PERMANENT, "outside");
    expect(artifacts.open_write(task.call(), text("lost"), {}, &stream), DTO_OK, "open");
    expect(artifacts.write(stream, {"gone", 4}), DTO_OK, "write");
    expect(artifacts.open_write(task.call(), text("parts/whole"), {}, &stream), DTO_OK, "open");
    expect(artifacts.write(stream, {"one ", 4}), DTO_OK, "write");
    expect(artifacts.write(stream, {"two", 3}), DTO_OK, "write");
    dto_str digest{};
    expect(artifacts.close(stream, 1, &digest), DTO_OK, "close");
    std::ofstream(task.work_dir() / "made") << "three";
    task.publish("published", task.work_dir() / "made");

    std::uint64_t size = 0;
    expect(artifacts.open_read(task.call(), text("parts/whole"), &stream, &size), DTO_OK, "read");
    std::string read(size, ' ');
    std::size_t got = 0;
    expect(artifacts.read(stream, read.data(), read.size(), &got), DTO_OK, "read");
    return read + ';' + content_of(task.artifact("published")) + ';' +
           std::string(digest.ptr, digest.len);
}

void install(distributo::Install& install) {
    std::ofstream(install.dir() / "state") << "good";
}
bool verify(distributo::Install& install) {
    return content_of(install.dir() / "state") == "good";
}
std::string kept(distributo::Task& task) {
    return content_of(task.install_dir() / "state");
}

}  // namespace

DISTRIBUTO_PLUGIN("test.services",
                  "1.0.0",
                  distributo::task_type<tree>("test.tree"),
                  distributo::task_type<emit>("test.emit"),
                  distributo::task_type<cache>("test.cache"),
                  distributo::task_type<artifact>("test.artifact"),
                  distributo::task_type<kept>("test.kept").install<install>().verify<verify>());
