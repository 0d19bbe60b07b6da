// The plugin of version 1.0, compiled with this version's headers, and what came since: batches,
// tasks that end later, a probe, and every service of the host.
#include <distributo/plugin.hpp>

#pragma push_macro("DISTRIBUTO_PLUGIN")
#undef DISTRIBUTO_PLUGIN
#define DISTRIBUTO_PLUGIN(...) static_assert(true, "of this version, below")
#include "../1.0/golden.cpp"
#pragma pop_macro("DISTRIBUTO_PLUGIN")

#include <span>
#include <thread>
#include <utility>

namespace {

struct Item {
    std::optional<std::string> n;
};
BOOST_DESCRIBE_STRUCT(Item, (), (n))

std::uint64_t alone(const Item&) {
    return 1;
}

/// Answers how many came together; a bad one fails alone.
void together(std::span<distributo::BatchItem<Item, std::uint64_t>> items) {
    for (auto& item : items) {
        if (item.payload().n == "bad") {
            item.fail(distributo::permanent("a bad one"));
        } else {
            item.succeed(items.size());
        }
    }
}

void later(distributo::AsyncTask<std::string> task) {
    std::thread([task = std::move(task)]() mutable { task.complete("later"); }).detach();
}

struct Services {
    std::string cache;
    std::string emit;
    std::string artifacts;
};
BOOST_DESCRIBE_STRUCT(Services, (), (cache, emit, artifacts))

Services services(distributo::Task& task) {
    Services found{"works", "works", "works"};
    task.cache().put(NAME("key"), Item{"remembered"});
    const auto cached = task.cache().get<Item>(NAME("key"));
    if (cached && cached->n != "remembered") {
        found.cache = "wrong";
    }
    Job job;
    job.n = 1;
    distributo::EmitOptions options;
    options.dedupe_key = NAME("once");
    task.emit(NAME("echo"), job, options);
    auto file = task.create_artifact("golden/made", "text/plain");
    file.write("one two three");
    if (file.commit().size() != 64 ||
        task.open_artifact("golden/made").read_all() != "one two three") {
        found.artifacts = "wrong";
    }
    return found;
}

struct Attributes {
    std::string golden;
};
BOOST_DESCRIBE_STRUCT(Attributes, (), (golden))

Attributes probe(const distributo::Context&) {
    return {GOLDEN};
}

}  // namespace

DISTRIBUTO_PLUGIN("golden.cpp." GOLDEN,
                  "1.0.0",
                  distributo::task_type<echo>(NAME("echo")).concurrency(4).deterministic(),
                  distributo::task_type<&Installed::run>(NAME("installed"))
                      .install<&Installed::prepare>()
                      .verify<&Installed::check>(),
                  distributo::task_type<endless>(NAME("endless")),
                  distributo::task_type<retry>(NAME("retry")),
                  distributo::task_type<permanent>(NAME("permanent")),
                  distributo::task_type<alone>(NAME("batch")).batch<together>(5),
                  distributo::task_type<later>(NAME("later")),
                  distributo::task_type<services>(NAME("services")),
                  distributo::probe<probe>(),
                  distributo::keep_loaded(),
                  distributo::vendor("Distributo"),
                  distributo::license("MIT"));
