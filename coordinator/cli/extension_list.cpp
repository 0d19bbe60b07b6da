#include "coordinator/cli/extension_options.hpp"
#include "coordinator/cli/listing.hpp"

#include <boost/json.hpp>

namespace distributo::coordinator::cli {
namespace {

using boost::json::value;

std::string figure(const value& object, std::string_view member) {
    return grouped(static_cast<std::uint64_t>(number_of(object, member)));
}

std::vector<std::string> headings(Extension kind) {
    return kind == Extension::generator
               ? std::vector<std::string>{"generator",
                                          "plugin",
                                          "state",
                                          "emitted",
                                          "duplicates",
                                          "waiting",
                                          "running",
                                          "errors",
                                          "tasks/s"}
               : std::vector<std::string>{
                     "sink", "plugin", "state", "outcomes", "lag", "errors", "outcomes/s"};
}

std::vector<std::string> row_of(Extension kind, const value& one) {
    const auto name = text_of(one, "name");
    const auto plugin = text_of(one, "plugin");
    const auto state = text_of(one, "state");
    const auto errors = figure(one, "errors");
    const auto rate = decimal(number_of(one, "per_second"));
    if (kind == Extension::sink)
        return {name, plugin, state, figure(one, "outcomes"), figure(one, "lag"), errors, rate};
    return {name,
            plugin,
            state,
            figure(one, "emitted"),
            figure(one, "duplicates"),
            figure(one, "waiting"),
            figure(one, "running"),
            errors,
            rate};
}

void print_instances(Extension kind, const value& document) {
    Table table(headings(kind));
    std::vector<std::string> notes;
    for (const auto& one : items_of(document, "items")) {
        table.row(row_of(kind, one));
        if (const auto reason = text_of(one, "reason"); !reason.empty())
            notes.push_back(text_of(one, "name") + " " + text_of(one, "state") + ": " + reason);
    }
    table.print();
    for (const std::string& note : notes)
        print(note);
}

std::string offers_of(const value& file) {
    std::string text;
    if (const auto name = text_of(file, "generator"); !name.empty())
        text = "generator " + name;
    if (const auto name = text_of(file, "sink"); !name.empty())
        text += (text.empty() ? "sink " : ", sink ") + name;
    if (text_of(file, "tasks") == "true")
        text += text.empty() ? "tasks (for hosts)" : ", tasks (for hosts)";
    return text;
}

/// Gets a document and prints it: all of it as JSON, else as `human` does.
template <typename Human>
CommandResult get_and_show(const Context& context, const std::string& target, Human human) {
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->get(target);
    if (!body)
        return body.error();
    return show(context, *body, human);
}

}  // namespace

std::string_view word_of(Extension kind) noexcept {
    return kind == Extension::sink ? "sink" : "generator";
}

std::string path_of(Extension kind, std::string_view name) {
    const std::string path = "/v1/" + std::string(word_of(kind)) + 's';
    return name.empty() ? path : path + '/' + encode(name);
}

CommandResult extension_list(const Context& context, Extension kind) {
    return get_and_show(context, path_of(kind), [&](const value& document) {
        if (context.mode != OutputMode::quiet)
            return print_instances(kind, document);
        for (const auto& one : items_of(document, "items"))
            print(text_of(one, "name"));
    });
}

CommandResult extension_show(const Context& context, Extension kind, const std::string& name) {
    return get_and_show(context, path_of(kind, name), [&](const value& one) {
        if (context.mode == OutputMode::quiet)
            return print(text_of(one, "state"));
        for (const auto& [member, content] : one.as_object())
            if (const auto text = text_of(one, member); !text.empty() && text != "[]") {
                const std::size_t column = 16;
                const std::size_t gap =
                    member.size() < column - 1 ? column - member.size() : std::size_t{1};
                print(std::string(member) + std::string(gap, ' ') + text);
            }
    });
}

CommandResult extension_plugins(const Context& context, Extension kind) {
    return get_and_show(context, "/v1/extensions", [&](const value& document) {
        Table table({"plugin", "version", "offers", "file"});
        std::vector<std::string> refused;
        for (const auto& file : items_of(document, "items")) {
            if (const auto name = text_of(file, word_of(kind));
                context.mode == OutputMode::quiet && !name.empty())
                print(name);
            table.row({text_of(file, "plugin"),
                       text_of(file, "version"),
                       offers_of(file),
                       text_of(file, "file")});
            if (const auto why = text_of(file, "refused"); !why.empty())
                refused.push_back("refused " + text_of(file, "file") + ": " + why);
        }
        if (context.mode == OutputMode::quiet)
            return;
        table.print();
        for (const std::string& line : refused)
            print(line);
    });
}

CommandResult show_state(const Context& context, const std::string& body) {
    return show(context, body, [&](const value& one) {
        const auto name = text_of(one, "name");
        print(context.mode == OutputMode::quiet ? name : name + "  " + text_of(one, "state"));
    });
}

CommandResult extension_ask(const Context& context,
                            Extension kind,
                            const std::string& what,
                            const std::vector<std::string>& names) {
    auto client = connect(context);
    if (!client)
        return client.error();
    for (const std::string& name : names) {
        const std::string target = path_of(kind, name);
        auto body = what == "remove" ? client->remove(target) : client->post(target + '/' + what);
        if (!body)
            return body.error();
        if (what == "remove" && context.mode == OutputMode::human)
            print(name + "  removed");
        else if (auto shown = show_state(context, *body); !shown)
            return shown;
    }
    return base::exit_code::ok;
}

CommandResult extension_reset(const Context& context,
                              Extension kind,
                              const ExtensionResetOptions& options) {
    auto client = connect(context);
    if (!client)
        return client.error();
    boost::json::object request;
    if (kind == Extension::sink)
        request["sequence"] = options.sequence;
    else if (!options.checkpoint.empty())
        request["checkpoint"] = options.checkpoint;
    if (options.base64)
        request["checkpoint_encoding"] = "base64";
    auto body =
        client->post(path_of(kind, options.name) + "/reset", boost::json::serialize(request));
    return body ? show_state(context, *body) : body.error();
}

}  // namespace distributo::coordinator::cli
