#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/listing.hpp"
#include "coordinator/cli/progress.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <thread>

namespace distributo::coordinator::cli {
namespace {

std::uint64_t in_state(const boost::json::value& group, std::string_view state) {
    const auto* object = group.if_object();
    const auto* tasks = object ? object->if_contains("tasks") : nullptr;
    return tasks ? static_cast<std::uint64_t>(number_of(*tasks, state)) : 0;
}

std::uint64_t in_states(const boost::json::value& group,
                        std::initializer_list<std::string_view> states) {
    std::uint64_t sum = 0;
    for (const auto state : states)
        sum += in_state(group, state);
    return sum;
}

Tally tally_of(const boost::json::value& group) {
    const auto failed = in_states(group, {"failed", "cancelled", "expired"});
    return {.total = static_cast<std::uint64_t>(number_of(group, "total")),
            .done = in_state(group, "completed") + failed,
            .failed = failed};
}

std::vector<std::string> row_of(const boost::json::value& group) {
    return {text_of(group, "name"),
            text_of(group, "state"),
            grouped(in_states(group, {"pending", "scheduled", "retrying"})),
            grouped(in_states(group, {"running", "cancelling"})),
            grouped(in_state(group, "held")),
            grouped(in_state(group, "completed")),
            grouped(in_state(group, "failed")),
            grouped(in_states(group, {"cancelled", "expired"}))};
}

Table table_of_groups() {
    return Table({"group",
                  "state",
                  "waiting",
                  "running",
                  "held",
                  "completed",
                  "failed",
                  "cancelled or expired"});
}

/// Asks until no task of the group lives, at most until `give_up`.
base::Result<std::string> wait_for_end(const Context& context,
                                       Client& client,
                                       const std::string& target,
                                       base::TimePoint give_up) {
    constexpr auto look_every = std::chrono::milliseconds(500);
    const base::SystemClock clock;
    Progress progress(context.mode == OutputMode::human, clock.now());
    watch_for_interrupt();
    for (;;) {
        auto body = client.get(target);
        if (!body)
            return body;
        auto group = parse_document(*body);
        if (!group)
            return group.error();
        const Tally tally = tally_of(*group);
        progress.show(tally, clock.now());
        if (tally.done == tally.total || interrupted() || clock.now() >= give_up) {
            progress.finish();
            return body;
        }
        std::this_thread::sleep_for(look_every);
    }
}

int exit_code_after_wait(const boost::json::value& group) {
    const Tally tally = tally_of(group);
    if (tally.done != tally.total)
        return interrupted() ? base::exit_code::interrupted : base::exit_code::timeout;
    return tally.failed != 0 ? base::exit_code::task_failed : base::exit_code::ok;
}

}  // namespace

CommandResult group_list(const Context& context, std::uint32_t limit) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get("/v1/groups?limit=" + std::to_string(limit));
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        Table table = table_of_groups();
        for (const auto& group : items_of(document, "items")) {
            if (context.mode == OutputMode::quiet)
                print(text_of(group, "name"));
            table.row(row_of(group));
        }
        if (context.mode != OutputMode::quiet)
            table.print();
    });
}

CommandResult group_show(const Context& context, const GroupOptions& options) {
    auto give_up = base::TimePoint::max();
    if (!options.timeout.empty()) {
        auto limit = base::parse_duration(options.timeout);
        if (!limit)
            return limit.error();
        give_up = base::SystemClock().now() + std::chrono::milliseconds(*limit);
    }
    auto client = connect(context);
    if (!client)
        return client.error();
    const std::string target = "/v1/groups/" + encode(options.name);
    auto body =
        options.wait ? wait_for_end(context, *client, target, give_up) : client->get(target);
    if (!body)
        return body.error();
    int code = base::exit_code::ok;
    auto group = parse_document(*body);
    if (!group)
        return group.error();
    if (options.wait)
        code = exit_code_after_wait(*group);
    auto shown = show(context, *body, [&](const boost::json::value& document) {
        if (context.mode == OutputMode::quiet)
            return print(text_of(document, "state"));
        Table table = table_of_groups();
        table.row(row_of(document));
        table.print();
    });
    return shown ? CommandResult(code) : shown;
}

CommandResult group_ask(const Context& context,
                        const std::string& name,
                        const std::string& what,
                        const std::string& reason) {
    auto client = connect(context);
    if (!client)
        return client.error();
    watch_for_interrupt();
    std::string request = "{}";
    if (!reason.empty()) {
        request.clear();
        wire::json::Writer(request).begin_object().member("reason", reason).end_object();
    }
    std::uint64_t changed = 0;
    std::uint64_t refused = 0;
    bool more = true;
    while (more && !interrupted()) {
        auto body = client->post("/v1/groups/" + encode(name) + '/' + what, request);
        if (!body)
            return body.error();
        auto answer = parse_document(*body);
        if (!answer)
            return answer.error();
        const auto now = static_cast<std::uint64_t>(number_of(*answer, "changed"));
        changed += now;
        refused = static_cast<std::uint64_t>(number_of(*answer, "refused"));
        // Those that refuse stay in the way: who goes on would ask them for ever.
        more = now != 0 && text_of(*answer, "more") == "true";
    }
    if (context.mode == OutputMode::json)
        print("{\"changed\":" + std::to_string(changed) +
              ",\"refused\":" + std::to_string(refused) + '}');
    else
        print(context.mode == OutputMode::quiet ? std::to_string(changed)
                                                : name + ": " + what + " " + grouped(changed) +
                                                      " tasks, " + grouped(refused) + " refused");
    if (interrupted())
        return base::exit_code::interrupted;
    return refused != 0 ? base::exit_code::refused : base::exit_code::ok;
}

}  // namespace distributo::coordinator::cli
