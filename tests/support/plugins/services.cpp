// Task types that use what a host offers to a running task, through the C++ layer.
//     test.tree   emits `width` children down to `depth`, each with a key of its own
//     test.emit   emits one task as it is told, then fails if it is told so
#include <distributo/plugin.hpp>

namespace {

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

}  // namespace

DISTRIBUTO_PLUGIN("test.services",
                  "1.0.0",
                  distributo::task_type<tree>("test.tree"),
                  distributo::task_type<emit>("test.emit"));
