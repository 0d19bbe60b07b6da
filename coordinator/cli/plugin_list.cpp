#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/listing.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace distributo::coordinator::cli {
namespace {

double number_of(const boost::json::value& value) {
    return value.is_double()   ? value.get_double()
           : value.is_int64()  ? static_cast<double>(value.get_int64())
           : value.is_uint64() ? static_cast<double>(value.get_uint64())
                               : 0;
}

std::string printed(const char* format, double value) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

/// Microseconds in the unit that people would choose.
std::string time_of(double microseconds) {
    if (microseconds < 1e3)
        return printed("%.0f us", microseconds);
    if (microseconds < 1e6)
        return printed(microseconds < 1e4 ? "%.1f ms" : "%.0f ms", microseconds / 1e3);
    return printed(microseconds < 1e7 ? "%.1f s" : "%.0f s", microseconds / 1e6);
}

/// "p50 / p99" of one phase; "-" when nothing was measured.
std::string phase(const boost::json::value& plugin, std::string_view name) {
    const auto* const phases = plugin.as_object().if_contains("phases");
    const auto* const one = phases ? phases->as_object().if_contains(name) : nullptr;
    if (!one)
        return "-";
    return time_of(number_of(one->at("p50_us"))) + " / " + time_of(number_of(one->at("p99_us")));
}

std::string growth(const boost::json::value& plugin) {
    const auto* const grown = plugin.as_object().if_contains("growth_per_task");
    if (!grown)
        return "-";
    const double bytes = number_of(grown->at("bytes"));
    std::string text = bytes < 1024 ? printed("%.0f B", bytes) : printed("%.0f KiB", bytes / 1024);
    if (const double descriptors = number_of(grown->at("descriptors")); descriptors >= 0.01)
        text += printed(", %.2f fds", descriptors);
    if (const double threads = number_of(grown->at("threads")); threads >= 0.01)
        text += printed(", %.2f threads", threads);
    return text;
}

std::string recycles(const boost::json::value& plugin) {
    double sum = 0;
    for (const auto& [reason, count] : plugin.at("recycles").as_object())
        sum += number_of(count);
    return printed("%.0f", sum);
}

std::string joined(const boost::json::value& object, std::string_view member) {
    std::string text;
    for (const auto& one : items_of(object, member))
        text += (text.empty() ? "" : ", ") + std::string(one.as_string());
    return text;
}

/// What is not as it should be on a host.
void note(const boost::json::value& plugin,
          const boost::json::value& row,
          std::vector<std::string>& notes) {
    const auto reason = text_of(row, "reason");
    if (reason.empty())
        return;
    notes.push_back(text_of(row, "state") + " on " + text_of(row, "host") + ": " +
                    text_of(plugin, "plugin") + ": " + reason + next_attempt(row));
}

}  // namespace

CommandResult plugin_list(const Context& context) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get("/v1/plugins");
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        const auto& plugins = items_of(document, "items");
        if (context.mode == OutputMode::quiet) {
            for (const auto& plugin : plugins)
                print(text_of(plugin, "plugin"));
            return;
        }
        Table table({"plugin",
                     "version",
                     "digest",
                     "state",
                     "hosts",
                     "types",
                     "tasks",
                     "failed",
                     "crashed",
                     "recycled",
                     "execute p50 / p99",
                     "growth/task"});
        std::vector<std::string> notes;
        for (const auto& plugin : plugins) {
            table.row({text_of(plugin, "plugin"),
                       text_of(plugin, "version"),
                       text_of(plugin, "digest").substr(0, 12),
                       text_of(plugin, "state"),
                       std::to_string(items_of(plugin, "hosts").size()),
                       joined(plugin, "types"),
                       text_of(plugin, "tasks"),
                       text_of(plugin, "failures"),
                       text_of(plugin, "crashes"),
                       recycles(plugin),
                       phase(plugin, "execute"),
                       growth(plugin)});
            for (const auto& row : items_of(plugin, "hosts"))
                note(plugin, row, notes);
        }
        table.print();
        for (const std::string& text : notes)
            print(text);
    });
}

}  // namespace distributo::coordinator::cli
