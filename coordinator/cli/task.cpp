#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/listing.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <map>

namespace distributo::coordinator::cli {
namespace {

std::string path_of(const std::string& id) {
    return "/v1/tasks/" + encode(id);
}

void print_member(const boost::json::value& task, std::string_view name) {
    if (const std::string text = text_of(task, name); !text.empty())
        print(std::string(name) + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') + text);
}

void print_attempts(const boost::json::value& document) {
    Table table({"attempt",
                 "generation",
                 "host",
                 "version",
                 "status",
                 "counts as",
                 "started",
                 "execute µs",
                 "message"});
    for (const auto& attempt : items_of(document, "items"))
        table.row({text_of(attempt, "number"),
                   text_of(attempt, "generation"),
                   text_of(attempt, "host"),
                   text_of(attempt, "version"),
                   text_of(attempt, "status"),
                   text_of(attempt, "charge"),
                   text_of(attempt, "started"),
                   text_of(attempt.as_object().contains("times") ? attempt.at("times") : attempt,
                           "execute_us"),
                   text_of(attempt, "message")});
    table.print();
}

/// What people asked of the task, a line each.
void print_controls(const boost::json::value& document) {
    for (const auto& control : items_of(document, "controls")) {
        const auto reason = text_of(control, "reason");
        print(text_of(control, "time") + " " + text_of(control, "action") + " after attempt " +
              text_of(control, "after_attempt") + (reason.empty() ? "" : ": " + reason));
    }
}

/// "echo, render@2.0.0, render@1.2.0": with the version where a type has several.
std::string offers_of(const boost::json::value& host) {
    std::map<std::string, int> versions;
    for (const auto& type : items_of(host, "types"))
        ++versions[text_of(type, "type")];
    std::string offers;
    for (const auto& type : items_of(host, "types")) {
        const std::string name = text_of(type, "type");
        offers += (offers.empty() ? "" : ", ") + name;
        if (versions[name] > 1)
            offers += '@' + text_of(type, "version");
    }
    return offers.empty() ? "nothing" : offers;
}

/// One POST per thing; the first failure decides the exit code, the others still get their turn.
CommandResult act(const Context& context,
                  const std::vector<std::string>& names,
                  std::string_view collection,
                  std::string_view action,
                  std::string_view body = "{}") {
    auto client = connect(context);
    if (!client)
        return client.error();
    int code = base::exit_code::ok;
    for (const std::string& name : names) {
        auto answer =
            client->post(std::string(collection) + encode(name) + '/' + std::string(action), body);
        if (!answer) {
            base::print_error(answer.error());
            code = code == base::exit_code::ok ? exit_code_of(answer.error()) : code;
            continue;
        }
        if (context.mode == OutputMode::json) {
            print(*answer);
            continue;
        }
        auto document = parse_document(*answer);
        if (!document)
            return document.error();
        print(context.mode == OutputMode::quiet ? name : name + " " + text_of(*document, "state"));
    }
    return code;
}

}  // namespace

CommandResult task_show(const Context& context, const std::string& id) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get(path_of(id));
    if (!body)
        return body.error();
    auto attempts = client->get(path_of(id) + "/attempts");
    if (!attempts)
        return attempts.error();
    return show(context, *body, [&](const boost::json::value& task) {
        if (context.mode == OutputMode::quiet) {
            print(text_of(task, "state"));
            return;
        }
        for (const auto* name :
             {"id",         "type",        "version_range", "state",      "phase",
              "reason",     "hold_reason", "group",         "unique_key", "parent",
              "generation", "host",        "version",       "attempts",   "priority",
              "created",    "finished",    "error",         "payload",    "result"})
            print_member(task, name);
        if (auto document = parse_document(*attempts);
            document && !items_of(*document, "items").empty()) {
            print("");
            print_attempts(*document);
            print_controls(*document);
        }
    });
}

CommandResult task_logs(const Context& context, const std::string& id) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get(path_of(id) + "/logs" +
                            (context.mode == OutputMode::json ? "?format=json" : ""));
    if (!body)
        return body.error();
    if (!body->empty())
        print(*body);
    return base::exit_code::ok;
}

CommandResult task_explain(const Context& context, const std::string& id) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get(path_of(id) + "/explain");
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        print(id + ": " + text_of(document, "summary"));
        if (context.mode == OutputMode::quiet)
            return;
        Table table({"host", "obstacle", "detail"});
        for (const auto& host : items_of(document, "hosts"))
            table.row({text_of(host, "name"), text_of(host, "code"), text_of(host, "detail")});
        if (!items_of(document, "hosts").empty())
            table.print();
        if (const auto hint = text_of(document, "hint"); !hint.empty())
            print("hint: " + hint);
    });
}

CommandResult task_cancel(const Context& context, const std::vector<std::string>& ids) {
    return act(context, ids, "/v1/tasks/", "cancel");
}

CommandResult task_retry(const Context& context, const std::vector<std::string>& ids) {
    return act(context, ids, "/v1/tasks/", "retry");
}

CommandResult task_hold(const Context& context,
                        const std::vector<std::string>& ids,
                        const std::string& reason) {
    std::string body = "{}";
    if (!reason.empty()) {
        body.clear();
        wire::json::Writer(body).begin_object().member("reason", reason).end_object();
    }
    return act(context, ids, "/v1/tasks/", "hold", body);
}

CommandResult task_release(const Context& context, const std::vector<std::string>& ids) {
    return act(context, ids, "/v1/tasks/", "release");
}

CommandResult host_release(const Context& context, const std::vector<std::string>& names) {
    return act(context, names, "/v1/hosts/", "release");
}

namespace {

/// Why a host does not offer a plugin, and until when.
std::string note_of(const boost::json::value& host, const boost::json::value& plugin) {
    return text_of(plugin, "state") + " on " + text_of(host, "name") + ": " +
           text_of(plugin, "file") + ": " + text_of(plugin, "reason") + next_attempt(plugin);
}

}  // namespace

CommandResult host_list(const Context& context) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get("/v1/hosts");
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        if (context.mode == OutputMode::quiet) {
            for (const auto& host : items_of(document, "items"))
                print(text_of(host, "name"));
            return;
        }
        Table table({"name", "state", "slots", "running", "completed", "failed", "offers"});
        std::vector<std::string> notes;
        for (const auto& host : items_of(document, "items")) {
            table.row({text_of(host, "name"),
                       text_of(host, "state"),
                       text_of(host, "slots"),
                       text_of(host, "in_flight"),
                       text_of(host, "completed"),
                       text_of(host, "failed"),
                       offers_of(host)});
            if (const auto* quarantine = host.as_object().if_contains("quarantine"))
                notes.push_back(text_of(host, "name") + " is left alone for " +
                                decimal(number_of(*quarantine, "left_s")) +
                                " s: " + text_of(*quarantine, "reason"));
            for (const auto& refused : items_of(host, "refused"))
                notes.push_back(note_of(host, refused));
        }
        table.print();
        for (const std::string& note : notes)
            print(note);
    });
}

namespace {

std::string megabytes(const boost::json::value& object, std::string_view member) {
    constexpr double bytes_per_megabyte = 1024 * 1024;
    return decimal(number_of(object, member) / bytes_per_megabyte) + " MiB";
}

/// Where tasks are kept, and what stands in the way.
void print_store(const boost::json::value& status) {
    const auto* object = status.if_object();
    if (const auto* store = object ? object->if_contains("store") : nullptr) {
        if (text_of(*store, "durable") == "true")
            print("store        " + megabytes(*store, "bytes") + " on disk   " +
                  megabytes(*store, "free_bytes") + " free   last commit " +
                  decimal(number_of(*store, "commit_ms")) + " ms");
        if (text_of(*store, "disk_full") == "true")
            print("attention    the disk is full: no task is accepted");
    }
    if (const auto* recovery = object ? object->if_contains("recovery") : nullptr) {
        std::string hosts;
        for (const auto& host : items_of(*recovery, "waits_for"))
            hosts += (hosts.empty() ? "" : ", ") + std::string(host.as_string());
        print("recovery     waits for host " + hosts + ", " +
              decimal(number_of(*recovery, "left_s")) + " s left, for " +
              text_of(*recovery, "tasks") + " tasks");
    }
}

}  // namespace

namespace {

/// "generators   running 2   idle 1"; nothing when there are none.
void print_instances(const boost::json::value& status, const std::string& name) {
    const auto* const found = status.as_object().if_contains(name);
    if (!found || !found->is_object())
        return;
    std::string line = name + std::string(13 - name.size(), ' ');
    for (const auto& [state, count] : found->at("states").as_object())
        line += std::string(state) + ' ' + boost::json::serialize(count) + "   ";
    print(line + "largest lag " + text_of(*found, "largest_lag"));
}

}  // namespace

CommandResult status(const Context& context) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get("/v1/status");
    if (!body)
        return body.error();
    return show(context, *body, [&](const boost::json::value& document) {
        const auto* counts = document.as_object().if_contains("tasks");
        const auto count = [&](std::string_view name) {
            return counts ? text_of(*counts, name) : std::string();
        };
        print("coordinator  " + client->server().host + ":" +
              std::to_string(client->server().port) + "   up " + text_of(document, "uptime_s") +
              " s   " + text_of(document, "version"));
        print("tasks        pending " + count("pending") + "   running " + count("running") +
              "   scheduled " + count("scheduled") + "   retrying " + count("retrying") +
              "   held " + count("held"));
        print("ended        completed " + count("completed") + "   failed " + count("failed") +
              "   cancelled " + count("cancelled") + "   expired " + count("expired"));
        print("hosts        " + text_of(document, "hosts"));
        print_instances(document, "generators");
        print_instances(document, "sinks");
        print_store(document);
    });
}

}  // namespace distributo::coordinator::cli
