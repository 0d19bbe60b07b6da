#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/listing.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>

namespace distributo::coordinator::cli {

using base::Errc;

namespace {

constexpr std::size_t most_per_page = 1000;

/// "1h" as the API writes it: "-1h". Times stay as they are.
std::string moment(const std::string& text) {
    return base::parse_duration(text) ? '-' + text : text;
}

base::Result<std::string> target_of(const TaskListOptions& options) {
    std::string states;
    for (const std::string& state : options.states)
        states += (states.empty() ? "" : ",") + state;
    std::string label = options.label;
    if (!label.empty()) {
        const auto equals = label.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::error(Errc::invalid_argument,
                               "--label expects key=value, got \"" + label + "\"");
        label[equals] = ':';
    }
    std::string target = "/v1/tasks";
    append_parameter(target, "state", states);
    append_parameter(target, "type", options.type);
    append_parameter(target, "group", options.group);
    append_parameter(target, "host", options.host);
    append_parameter(target, "label", label);
    append_parameter(target, "created_from", moment(options.since));
    append_parameter(target, "created_before", moment(options.until));
    return target;
}

/// What several pages have given so far.
struct Found {
    std::string items;  ///< JSON texts, commas between
    std::size_t count = 0;
    std::string cursor;  ///< empty: there is no more
};

base::Result<void> read_page(Client& client, const std::string& target, Found& found) {
    auto page = client.get(target);
    if (!page)
        return page.error();
    wire::json::Reader reader(raw_member(*page, "items").text);
    if (!reader.begin_array())
        return base::error(Errc::internal, "the server answered without a list of tasks");
    for (wire::json::Value entry; reader.next_element() && reader.value(entry); ++found.count) {
        found.items += found.items.empty() ? "" : ",";
        found.items += entry.text;
    }
    found.cursor = raw_member(*page, "next_cursor").string().value_or(std::string());
    return {};
}

/// Follows the pages: one that is not full need not be the last.
base::Result<std::string> read_pages(Client& client,
                                     const std::string& target,
                                     const TaskListOptions& options) {
    Found found{{}, 0, options.cursor};
    do {
        std::string page = target;
        append_parameter(
            page,
            "limit",
            std::to_string(std::min<std::size_t>(options.limit - found.count, most_per_page)));
        append_parameter(page, "cursor", found.cursor);
        if (auto read = read_page(client, page, found); !read)
            return read.error();
    } while (!found.cursor.empty() && found.count < options.limit && !interrupted());
    std::string document = "{\"items\":[" + found.items + ']';
    if (!found.cursor.empty())
        document += ",\"next_cursor\":\"" + found.cursor + '"';
    return document + '}';
}

}  // namespace

CommandResult task_list(const Context& context, const TaskListOptions& options) {
    auto target = target_of(options);
    if (!target)
        return target.error();
    auto client = connect(context);
    if (!client)
        return client.error();
    watch_for_interrupt();
    auto body = read_pages(*client, *target, options);
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        if (context.mode == OutputMode::quiet) {
            for (const auto& task : items_of(document, "items"))
                print(text_of(task, "id"));
            return;
        }
        Table table({"id", "type", "state", "host", "attempts", "created", "error"});
        for (const auto& task : items_of(document, "items"))
            table.row({text_of(task, "id"),
                       text_of(task, "type"),
                       text_of(task, "state"),
                       text_of(task, "host"),
                       text_of(task, "attempts"),
                       text_of(task, "created"),
                       text_of(task, "error")});
        table.print();
        if (const auto next = text_of(document, "next_cursor"); !next.empty())
            std::fprintf(stderr, "more: add --cursor %s\n", next.c_str());
    });
}

}  // namespace distributo::coordinator::cli
