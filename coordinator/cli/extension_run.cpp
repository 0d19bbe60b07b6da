#include "base/config.hpp"
#include "base/config_file.hpp"
#include "coordinator/cli/extension_options.hpp"
#include "coordinator/cli/listing.hpp"
#include "coordinator/cli/payload.hpp"
#include "coordinator/cli/progress.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace distributo::coordinator::cli {

using base::Errc;
namespace json = boost::json;

namespace {

/// The configuration as a JSON text, wherever it stands.
base::Result<std::string> config_text(const std::string& argument) {
    if (argument.empty())
        return std::string("{}");
    if (argument.ends_with(".toml"))
        return base::read_toml_as_json(argument);
    const bool is_file = argument.ends_with(".json") && argument.front() != '@';
    return read_payload(is_file ? '@' + argument : argument);
}

/// "files=[\"a\"]": a value that is JSON stays it, anything else is a string.
base::Result<void> set_member(json::object& config, const std::string& set) {
    const auto equals = set.find('=');
    if (equals == std::string::npos || equals == 0)
        return base::error(Errc::invalid_argument,
                           "--set expects key=value, got \"" + set + '"',
                           "for example: --set files='[\"words.txt\"]'");
    const std::string text = set.substr(equals + 1);
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    config[set.substr(0, equals)] = failed ? json::value(text) : std::move(value);
    return {};
}

base::Result<json::object> config_of(const ExtensionRunOptions& options) {
    auto text = config_text(options.config);
    if (!text)
        return text.error();
    boost::system::error_code failed;
    const auto parsed = json::parse(*text, failed);
    if (failed || !parsed.is_object())
        return base::error(Errc::invalid_argument, "--config expects a JSON object");
    json::object config = parsed.get_object();
    for (const std::string& set : options.sets)
        if (auto done = set_member(config, set); !done)
            return done.error();
    return config;
}

void add_text(json::object& definition, std::string_view member, const std::string& text) {
    if (!text.empty())
        definition[member] = text;
}

void add_number(json::object& definition, std::string_view member, std::uint64_t number) {
    if (number != 0)
        definition[member] = number;
}

void add_texts(json::object& definition,
               std::string_view member,
               const std::vector<std::string>& texts) {
    if (!texts.empty())
        definition[member] = json::value_from(texts);
}

/// How the tasks of one generator have ended, from the results that come after its making.
class Outcomes {
public:
    Outcomes(Client& client, const std::string& name, std::string cursor)
        : client_(client), name_(name), cursor_(std::move(cursor)) {}

    /// Reads one page, waiting for it so long: "1s".
    base::Result<void> read(const std::string& wait) {
        std::string target = "/v1/results?limit=1000&fields=brief";
        append_parameter(target, "wait", wait);
        append_parameter(target, "generator", name_);
        append_parameter(target, "cursor", cursor_);
        auto page = client_.get(target);
        if (!page && page.error().code == Errc::not_found) {
            cursor_.clear();  // forgotten meanwhile: go on with the oldest that is kept
            return {};
        }
        if (!page)
            return page.error();
        auto document = parse_document(*page);
        if (!document)
            return document.error();
        cursor_ = text_of(*document, "next_cursor");
        const auto& items = items_of(*document, "items");
        last_page_ = items.empty();
        for (const auto& item : items)
            ++(text_of(item, "state") == "completed" ? completed : failed);
        return {};
    }
    /// Was there nothing more, when it was asked last?
    [[nodiscard]] bool all_read() const noexcept { return last_page_; }

    std::uint64_t completed = 0, failed = 0;

private:
    Client& client_;
    const std::string& name_;
    std::string cursor_;
    bool last_page_ = false;
};

std::string figure_of(const json::value& generator, std::string_view member) {
    return grouped(static_cast<std::uint64_t>(number_of(generator, member)));
}

std::string progress_line(const json::value& generator, const Outcomes& outcomes) {
    std::string line = "  emitted " + figure_of(generator, "emitted") + "   waiting " +
                       figure_of(generator, "waiting") + "   running " +
                       figure_of(generator, "running") + "   completed " +
                       grouped(outcomes.completed);
    if (outcomes.failed != 0)
        line += "   failed " + grouped(outcomes.failed);
    return line + "   " + text_of(generator, "state");
}

/// Watches a generator until it has ended and its tasks have.
class Watch {
public:
    Watch(const Context& context,
          Client& client,
          std::string name,
          std::string cursor,
          base::TimePoint give_up)
        : context_(context),
          client_(client),
          name_(std::move(name)),
          outcomes_(client, name_, std::move(cursor)),
          start_(clock_.now()),
          give_up_(give_up),
          progress_(context.mode == OutputMode::human, start_) {}

    CommandResult run() {
        for (;;) {
            auto body = client_.get(path_of(Extension::generator, name_));
            if (!body)
                return body.error();
            auto generator = parse_document(*body);
            if (!generator)
                return generator.error();
            note_reason(*generator);
            progress_.show_text(progress_line(*generator, outcomes_), clock_.now());
            const std::string state = text_of(*generator, "state");
            const bool idle =
                number_of(*generator, "waiting") + number_of(*generator, "running") == 0;
            const bool over = state == "failed" || (state == "ended" && idle && read_after_end_);
            if (over || interrupted() || clock_.now() >= give_up_)
                return finish(*body, *generator, state);
            const bool no_more = state == "ended" && idle;
            if (auto read = outcomes_.read(no_more ? "0s" : "1s"); !read)
                return read.error();
            read_after_end_ = no_more && outcomes_.all_read();
        }
    }

private:
    /// Says once why it does not run.
    void note_reason(const json::value& generator) {
        const std::string reason = text_of(generator, "reason");
        if (reason == reason_)
            return;
        reason_ = reason;
        if (reason.empty() || context_.mode != OutputMode::human)
            return;
        progress_.finish();
        std::fprintf(stderr,
                     "%s %s: %s\n",
                     name_.c_str(),
                     text_of(generator, "state").c_str(),
                     reason.c_str());
    }

    CommandResult finish(const std::string& body,
                         const json::value& generator,
                         const std::string& state) {
        progress_.finish();
        if (context_.mode != OutputMode::human)
            if (auto shown = show_state(context_, body); !shown)
                return shown;
        if (state == "failed")
            return failure(generator);
        summary(generator);
        if (interrupted()) {
            std::fprintf(stderr,
                         "interrupted: %s goes on\n  hint: distributo generator show %s, or "
                         "distributo generator pause %s\n",
                         name_.c_str(),
                         name_.c_str(),
                         name_.c_str());
            return base::exit_code::interrupted;
        }
        if (!read_after_end_)
            return base::exit_code::timeout;
        return outcomes_.failed != 0 ? base::exit_code::task_failed : base::exit_code::ok;
    }

    [[nodiscard]] CommandResult failure(const json::value& generator) const {
        base::print_error({Errc::conflict,
                           name_ + " failed: " + text_of(generator, "reason"),
                           "distributo generator resume " + name_ + " tries it again"});
        return base::exit_code::task_failed;
    }

    void summary(const json::value& generator) const {
        if (context_.mode != OutputMode::human)
            return;
        std::fprintf(stderr,
                     "%s: %s tasks emitted in %.1f s · completed %s · failed %s\n",
                     name_.c_str(),
                     figure_of(generator, "emitted").c_str(),
                     std::chrono::duration<double>(clock_.now() - start_).count(),
                     grouped(outcomes_.completed).c_str(),
                     grouped(outcomes_.failed).c_str());
    }

    const Context& context_;
    Client& client_;
    const std::string name_;
    Outcomes outcomes_;
    base::SystemClock clock_;
    base::TimePoint start_, give_up_;
    Progress progress_;
    std::string reason_;
    bool read_after_end_ = false;  ///< no outcome was left when everything had ended
};

base::Result<base::TimePoint> end_of_watching(const std::string& timeout) {
    if (timeout.empty())
        return base::TimePoint::max();
    auto limit = base::parse_duration(timeout);
    if (!limit)
        return limit.error();
    return base::SystemClock().now() + std::chrono::milliseconds(*limit);
}

}  // namespace

base::Result<std::string> definition_of(Extension kind, const ExtensionRunOptions& options) {
    auto config = config_of(options);
    if (!config)
        return config.error();
    std::error_code failed;
    json::object definition;
    definition["plugin"] = options.plugin;
    add_text(definition, "name", options.name);
    definition["config"] = std::move(*config);
    definition["directory"] = options.directory.empty()
                                  ? std::filesystem::current_path(failed).string()
                                  : std::filesystem::absolute(options.directory, failed).string();
    add_text(definition, "timeout", options.call_timeout);
    add_text(definition, "memory", options.memory);
    if (kind == Extension::generator) {
        add_text(definition, "group", options.group);
        add_number(definition, "low_water", options.low_water);
        add_number(definition, "high_water", options.high_water);
        add_number(definition, "max_tasks", options.max_tasks);
        if (options.max_rate != 0)
            definition["max_rate"] = options.max_rate;
    } else {
        add_texts(definition, "types", options.types);
        add_texts(definition, "groups", options.groups);
        add_texts(definition, "generators", options.generators);
        add_texts(definition, "states", options.states);
        add_text(definition, "start", options.start);
    }
    return json::serialize(definition);
}

CommandResult generator_run(const Context& context, const ExtensionRunOptions& options) {
    auto definition = definition_of(Extension::generator, options);
    if (!definition)
        return definition.error();
    const auto give_up = end_of_watching(options.timeout);
    if (!give_up)
        return give_up.error();
    auto client = connect(context);
    if (!client)
        return client.error();
    watch_for_interrupt();
    auto before = client->get("/v1/results?limit=1&fields=brief");
    if (!before)
        return before.error();
    auto results = parse_document(*before);
    if (!results)
        return results.error();
    auto body = client->post(path_of(Extension::generator), *definition);
    if (!body)
        return body.error();
    auto made = parse_document(*body);
    if (!made)
        return made.error();
    if (options.detach)
        return show_state(context, *body);
    Watch watch(context, *client, text_of(*made, "name"), text_of(*results, "newest"), *give_up);
    return watch.run();
}

CommandResult sink_run(const Context& context, const ExtensionRunOptions& options) {
    auto definition = definition_of(Extension::sink, options);
    if (!definition)
        return definition.error();
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->post(path_of(Extension::sink), *definition);
    return body ? show_state(context, *body) : body.error();
}

}  // namespace distributo::coordinator::cli
