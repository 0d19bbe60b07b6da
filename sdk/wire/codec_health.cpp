#include "wire/codec.hpp"
#include "wire/codec_items.hpp"
#include "wire/codec_names.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace distributo::wire {
namespace {

using json::Writer;

/// Only buckets that count something, as [bucket, count].
void write_histogram(Writer& writer, std::string_view name, const base::Histogram& histogram) {
    if (histogram.count() == 0)
        return;
    writer.key(name).begin_array();
    for (std::size_t i = 0; i < base::Histogram::bucket_count; ++i)
        if (const auto count = histogram.buckets()[i])
            writer.begin_array().number(std::uint64_t{i}).number(count).end_array();
    writer.end_array();
}

void write_health(Writer& writer, const PluginHealth& item) {
    const auto text = [&](std::string_view name, std::string_view value) {
        if (!value.empty())
            writer.member(name, value);
    };
    const auto& figures = item.figures;
    writer.begin_object();
    text("plugin", item.plugin);
    text("version", item.version);
    text("digest", item.digest);
    text("file", item.file);
    text("isolation", item.isolation);
    writer.member("state", to_string(item.state));
    text("reason", item.reason);
    if (item.retry_ms > 0)
        writer.member("retry_ms", item.retry_ms);
    writer.member("processes", figures.processes)
        .member("tasks", figures.tasks)
        .member("failures", figures.failures)
        .member("crashes", figures.crashes)
        .member("restarts", figures.restarts);
    writer.key("recycles").begin_array();
    for (const auto count : figures.recycles)
        writer.number(count);
    writer.end_array();
    write_histogram(writer, "setup", figures.setup);
    write_histogram(writer, "install", figures.install);
    write_histogram(writer, "execute", figures.execute);
    writer.key("growth")
        .begin_array()
        .number(figures.measured_tasks)
        .number(figures.grown_bytes)
        .number(figures.grown_descriptors)
        .number(figures.grown_threads)
        .end_array()
        .end_object();
}

/// An array of exactly as many integers as there are fields.
bool read_numbers(Input& in, std::initializer_list<std::uint64_t*> fields) {
    const auto refuse = [&] {
        return !in.failed() && in.refuse(base::Errc::invalid_argument,
                                         "expected " + std::to_string(fields.size()) + " integers");
    };
    if (!in.reader().begin_array())
        return false;
    for (std::uint64_t* const field : fields) {
        if (!in.reader().next_element())
            return refuse();
        if (!in.number(*field))
            return false;
    }
    return in.reader().next_element() ? refuse() : !in.failed();
}

bool read_histogram(Input& in, base::Histogram& out) {
    if (!in.reader().begin_array())
        return false;
    for (std::size_t entries = 0; in.reader().next_element(); ++entries) {
        std::uint64_t bucket = 0;
        std::uint64_t count = 0;
        if (entries == base::Histogram::bucket_count)
            return in.refuse(
                base::Errc::limit,
                "more than " + std::to_string(base::Histogram::bucket_count) + " entries");
        if (!read_numbers(in, {&bucket, &count}))
            return false;
        out.add_to(static_cast<std::size_t>(bucket), count);
    }
    return !in.failed();
}

bool read_text_member(Input& in, PluginHealth& item, int member) {
    std::string* const fields[] = {
        &item.plugin, &item.version, &item.digest, &item.file, &item.isolation};
    const bool path = member == 3;
    return in.text(*fields[member], path ? limits::error_length : limits::id_length);
}

bool read_counter(Input& in, PluginFigures& figures, int member) {
    std::uint64_t* const fields[] = {
        &figures.processes, &figures.tasks, &figures.failures, &figures.crashes, &figures.restarts};
    return in.number(*fields[member - 8]);
}

}  // namespace

std::string_view to_string(PluginState state) noexcept {
    return names::plugin_state[static_cast<std::size_t>(state)];
}

void PluginFigures::add(const PluginFigures& other) noexcept {
    processes += other.processes;
    tasks += other.tasks;
    failures += other.failures;
    crashes += other.crashes;
    restarts += other.restarts;
    for (std::size_t i = 0; i < recycles.size(); ++i)
        recycles[i] += other.recycles[i];
    setup.add(other.setup);
    install.add(other.install);
    execute.add(other.execute);
    measured_tasks += other.measured_tasks;
    grown_bytes += other.grown_bytes;
    grown_descriptors += other.grown_descriptors;
    grown_threads += other.grown_threads;
}

std::string encode(const Health& message) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("op", "health");
    if (!message.trouble.empty())
        writer.member("trouble", message.trouble.substr(0, limits::error_length));
    writer.key("plugins").begin_array();
    const auto count = std::min(message.plugins.size(), limits::health_count);
    for (std::size_t i = 0; i < count; ++i) {
        PluginHealth item = message.plugins[i];
        if (item.reason.size() > limits::error_length)
            item.reason.resize(limits::error_length);
        write_health(writer, item);
    }
    writer.end_array().end_object();
    return out;
}

bool read(Input& in, PluginHealth& item) {
    Object object(in, names::plugin_health);
    bool good = true;
    auto& figures = item.figures;
    auto& recycles = figures.recycles;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
            case 1:
            case 2:
            case 3:
            case 4:
                good = read_text_member(in, item, member);
                break;
            case 5:
                good = in.choice(item.state, names::plugin_state);
                break;
            case 6:
                good = in.text(item.reason, limits::error_length);
                break;
            case 7:
                good = in.milliseconds(item.retry_ms);
                break;
            case 13:
                good = read_numbers(in, {&recycles[0], &recycles[1], &recycles[2], &recycles[3]});
                break;
            case 14:
                good = read_histogram(in, figures.setup);
                break;
            case 15:
                good = read_histogram(in, figures.install);
                break;
            case 16:
                good = read_histogram(in, figures.execute);
                break;
            case 17:
                good = read_numbers(in,
                                    {&figures.measured_tasks,
                                     &figures.grown_bytes,
                                     &figures.grown_descriptors,
                                     &figures.grown_threads});
                break;
            default:
                good = read_counter(in, figures, member);
                break;
        }
    }
    return object.complete({5});
}

}  // namespace distributo::wire
