#include "coordinator/extensions/extensions.hpp"

#include "base/base64.hpp"
#include "base/config.hpp"
#include "coordinator/api/extension_text.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/members.hpp"
#include "coordinator/extensions/definition_json.hpp"

#include <filesystem>
#include <system_error>

namespace distributo::coordinator::api {
namespace {

using extensions::Definition;
using extensions::DefinitionFault;
using extensions::ExtensionKind;
using extensions::Extensions;
using wire::json::Writer;

/// A checkpoint is as long as its plugin makes it, and 3 MiB is the longest body.
constexpr std::size_t max_checkpoint = 2 * 1024 * 1024;

ExtensionKind kind_of(const Request& request) {
    return request.head.path.starts_with("/v1/sinks") ? ExtensionKind::sink
                                                      : ExtensionKind::generator;
}

std::string_view word_of(ExtensionKind kind) {
    return kind == ExtensionKind::sink ? "sink" : "generator";
}

/// Hands the coordinator's generators and sinks to `then`, or answers that there are none.
template <typename Then>
void with_extensions(Context& context, const net::Respond& respond, Then then) {
    if (context.extensions)
        return then(*context.extensions);
    respond(to_response({.status = Status::unavailable,
                         .code = "no_extensions",
                         .detail = "this coordinator runs no generators and sinks",
                         .hint = "start distributo-coordinator, which does",
                         .faults = {},
                         .extra = {}}));
}

net::Response shown(const extensions::Status& status, unsigned code = 200) {
    std::string body;
    append_extension(body, status);
    return json_response(std::move(body), code);
}

Problem instance_problem(ExtensionKind kind, const base::Error& error) {
    Problem problem = to_problem(error);
    const bool sink = kind == ExtensionKind::sink;
    if (error.code != base::Errc::not_found)
        return problem;
    problem.code = sink ? "sink_not_found" : "generator_not_found";
    if (problem.hint.empty())
        problem.hint = "GET /v1/" + std::string(word_of(kind)) + "s lists them";
    return problem;
}

Problem no_such_instance(const Extensions& all, ExtensionKind kind, const std::string& name) {
    std::vector<std::string> known;
    for (const auto& one : all.list(kind))
        known.push_back(one.definition.name);
    const std::string near = base::nearest(name, known);
    return instance_problem(kind,
                            base::error(base::Errc::not_found,
                                        "no " + std::string(word_of(kind)) + " has the name \"" +
                                            name.substr(0, 128) + '"',
                                        near.empty() ? "" : "did you mean '" + near + "'?"));
}

Extensions::Answer answer_with(ExtensionKind kind, net::Respond respond) {
    return [kind, respond = std::move(respond)](base::Result<extensions::Status> status) {
        respond(status ? shown(*status) : to_response(instance_problem(kind, status.error())));
    };
}

/// Asks something of the instance that the path names.
template <typename Ask>
void ask_instance(Context& context, const Request& request, net::Respond respond, Ask ask) {
    with_extensions(context, respond, [&](Extensions& all) {
        const auto kind = kind_of(request);
        const std::string& name = request.captured[0];
        if (all.find(kind, name))
            ask(all, kind, name, answer_with(kind, respond));
        else
            respond(to_response(no_such_instance(all, kind, name)));
    });
}

// ---- creating ----------------------------------------------------------------------------------

Problem fault_problem(ExtensionKind kind, const DefinitionFault& fault) {
    if (fault.kind == DefinitionFault::Kind::malformed)
        return malformed(to_error(fault));
    Problem problem = invalid_member(fault.pointer, fault.message);
    problem.hint = fault.hint;
    const std::string member = fault.pointer.empty() ? std::string() : fault.pointer.substr(1);
    if (fault.kind == DefinitionFault::Kind::unknown) {
        problem.code = "unknown_member";
        problem.detail = "a " + std::string(word_of(kind)) + " has no member \"" + member + '"';
    } else if (fault.kind == DefinitionFault::Kind::missing) {
        problem.code = "missing_member";
        problem.detail = "a " + std::string(word_of(kind)) + " needs the member \"" + member + '"';
    }
    return problem;
}

/// The name of its plugin, or that one with a number behind it: the first that is free.
std::string free_name(const Extensions& all, const Definition& definition) {
    std::string name = definition.plugin;
    for (std::uint32_t number = 2; all.find(definition.kind, name); ++number)
        name = definition.plugin + '-' + std::to_string(number);
    return name;
}

/// Fills in what was left out.
Checked<> complete(const Extensions& all, Definition& definition) {
    if (definition.name.empty())
        definition.name = free_name(all, definition);
    if (!extensions::is_extension_name(definition.name))
        return fault_problem(definition.kind,
                             {DefinitionFault::Kind::missing,
                              "/name",
                              "required, since the plugin's name is none for a " +
                                  std::string(word_of(definition.kind)),
                              "up to 64 of a-z, 0-9, '.', '_' and '-'"});
    std::error_code failed;
    if (definition.directory.empty())
        definition.directory = std::filesystem::current_path(failed).string();
    else if (!std::filesystem::is_directory(definition.directory, failed))
        return invalid_member(
            "/directory",
            "there is no folder " + definition.directory + " on the coordinator's machine");
    return {};
}

/// Checks the configuration against what the plugin says of it, if it is known now.
Checked<> check_config(Context& context, const Definition& definition) {
    for (const auto& file : context.extensions->plugins()) {
        const bool sink = definition.kind == ExtensionKind::sink;
        const std::string& offered = sink ? file.sink : file.generator;
        const std::string& text = sink ? file.sink_schema : file.generator_schema;
        if (offered != definition.plugin || !file.refused.empty())
            continue;
        const auto schema = context.schemas.compiled(text);
        const auto violations =
            schema ? schema->check(definition.config) : std::vector<wire::SchemaViolation>();
        if (violations.empty())
            return {};
        Problem problem{.status = Status::unprocessable,
                        .code = "schema_mismatch",
                        .detail = "config does not match the schema of the plugin " + offered,
                        .hint = "GET /v1/extensions shows the schema",
                        .faults = {},
                        .extra = {}};
        for (const auto& violation : violations)
            problem.faults.push_back({"/config" + violation.pointer, violation.message});
        return problem;
    }
    return {};
}

Problem creation_problem(const Extensions& all,
                         ExtensionKind kind,
                         const std::string& plugin,
                         const base::Error& error) {
    Problem problem = to_problem(error);
    if (error.code == base::Errc::conflict) {
        problem.code = "name_taken";
        problem.faults.push_back({"/name", "is taken"});
    } else if (error.code == base::Errc::not_found) {
        problem.status = Status::unprocessable;
        problem.code = "unknown_plugin";
        problem.faults.push_back({"/plugin", "there is none of that name"});
        std::vector<std::string> known;
        for (const auto& file : all.plugins())
            known.push_back(kind == ExtensionKind::sink ? file.sink : file.generator);
        if (const auto near = base::nearest(plugin, known); !near.empty())
            problem.hint = "did you mean '" + near + "'?";
    } else if (error.code == base::Errc::invalid_argument) {
        problem.status = Status::unprocessable;
        problem.code = "invalid_definition";
    }
    return problem;
}

void create(Context& context, Extensions& all, const Request& request, net::Respond respond) {
    const auto kind = kind_of(request);
    auto definition = extensions::read_definition(kind, request.body);
    if (!definition) {
        respond(to_response(fault_problem(kind, definition.error())));
        return;
    }
    auto good = complete(all, *definition);
    if (good)
        good = check_config(context, *definition);
    if (!good) {
        respond(to_response(good.error()));
        return;
    }
    const std::string plugin = definition->plugin;
    all.create(std::move(*definition),
               [&all, kind, plugin, respond = std::move(respond)](
                   base::Result<extensions::Status> status) {
                   if (!status) {
                       respond(to_response(creation_problem(all, kind, plugin, status.error())));
                       return;
                   }
                   net::Response response = shown(*status, 201);
                   response.headers.emplace_back(
                       "Location",
                       "/v1/" + std::string(word_of(kind)) + "s/" + status->definition.name);
                   respond(std::move(response));
               });
}

// ---- setting back ------------------------------------------------------------------------------

/// What the body of a reset says.
struct Reset {
    std::string checkpoint;
    std::uint64_t sequence = 0;
};

Problem unknown_reset_member(std::string_view key, std::string_view known) {
    return invalid_member('/' + std::string(key.substr(0, 64)),
                          "the members known here: " + std::string(known));
}

Checked<Reset> read_generator_reset(std::span<const Member> members) {
    Reset reset;
    bool encoded = false;
    for (const Member& member : members) {
        const bool is_encoding = member.key == "checkpoint_encoding";
        if (!is_encoding && member.key != "checkpoint")
            return unknown_reset_member(member.key, "checkpoint, checkpoint_encoding");
        auto text = read_text('/' + std::string(member.key), member.value, max_checkpoint);
        if (!text)
            return text.error();
        if (!is_encoding)
            reset.checkpoint = std::move(*text);
        else if (*text != "base64")
            return invalid_member("/checkpoint_encoding", "expected \"base64\", or leave it out");
        encoded = encoded || is_encoding;
    }
    if (!encoded)
        return reset;
    auto bytes = base::from_base64(reset.checkpoint);
    if (!bytes)
        return invalid_member("/checkpoint", "is not base64");
    reset.checkpoint = std::move(*bytes);
    return reset;
}

Checked<Reset> read_sink_reset(std::span<const Member> members) {
    Reset reset;
    for (const Member& member : members) {
        if (member.key != "sequence")
            return unknown_reset_member(member.key, "sequence");
        const auto sequence =
            read_integer("/sequence", member.value, 0, std::numeric_limits<std::int64_t>::max());
        if (!sequence)
            return sequence.error();
        reset.sequence = static_cast<std::uint64_t>(*sequence);
    }
    return reset;
}

Checked<Reset> read_reset(ExtensionKind kind, std::string_view body) {
    std::vector<Member> members;
    if (body.find_first_not_of(" \t\r\n") != std::string_view::npos)
        if (auto read = read_object(body, members); !read)
            return read.error();
    return kind == ExtensionKind::sink ? read_sink_reset(members) : read_generator_reset(members);
}

}  // namespace

void list_instances(Context& context, const Request& request, net::Respond respond) {
    with_extensions(context, respond, [&](const Extensions& all) {
        std::string body = "{\"items\":[";
        for (const auto& status : all.list(kind_of(request))) {
            if (body.back() != '[')
                body += ',';
            append_extension(body, status);
        }
        respond(json_response(body + "]}"));
    });
}

void create_instance(Context& context, const Request& request, net::Respond respond) {
    with_extensions(
        context, respond, [&](Extensions& all) { create(context, all, request, respond); });
}

void get_instance(Context& context, const Request& request, net::Respond respond) {
    with_extensions(context, respond, [&](const Extensions& all) {
        const auto kind = kind_of(request);
        const auto status = all.find(kind, request.captured[0]);
        respond(status ? shown(*status)
                       : to_response(no_such_instance(all, kind, request.captured[0])));
    });
}

void remove_instance(Context& context, const Request& request, net::Respond respond) {
    ask_instance(context, request, std::move(respond), [](Extensions& all, auto&&... what) {
        all.remove(what...);
    });
}

void pause_instance(Context& context, const Request& request, net::Respond respond) {
    ask_instance(context, request, std::move(respond), [](Extensions& all, auto&&... what) {
        all.pause(what...);
    });
}

void resume_instance(Context& context, const Request& request, net::Respond respond) {
    ask_instance(context, request, std::move(respond), [](Extensions& all, auto&&... what) {
        all.resume(what...);
    });
}

void run_instance(Context& context, const Request& request, net::Respond respond) {
    ask_instance(context, request, std::move(respond), [](Extensions& all, auto&&... what) {
        all.run_now(what...);
    });
}

void reset_instance(Context& context, const Request& request, net::Respond respond) {
    auto reset = read_reset(kind_of(request), request.body);
    if (!reset) {
        respond(to_response(reset.error()));
        return;
    }
    ask_instance(context,
                 request,
                 std::move(respond),
                 [&](Extensions& all,
                     ExtensionKind kind,
                     const std::string& name,
                     const Extensions::Answer& answer) {
                     if (kind == ExtensionKind::sink)
                         all.reset_sink(name, reset->sequence, answer);
                     else
                         all.reset_generator(name, std::move(reset->checkpoint), answer);
                 });
}

void list_plugin_files(Context& context, const Request&, net::Respond respond) {
    with_extensions(context, respond, [&](const Extensions& all) {
        std::string body = "{\"items\":[";
        for (const auto& file : all.plugins()) {
            if (body.back() != '[')
                body += ',';
            append_plugin_file(body, file);
        }
        respond(json_response(body + "]}"));
    });
}

}  // namespace distributo::coordinator::api
