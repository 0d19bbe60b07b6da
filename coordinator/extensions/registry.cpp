#include "coordinator/extensions/registry.hpp"

#include "base/log.hpp"
#include "coordinator/extensions/definition_json.hpp"
#include "coordinator/extensions/generator.hpp"
#include "coordinator/extensions/sink.hpp"
#include "wire/schema.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <filesystem>

namespace distributo::coordinator::extensions {

namespace asio = boost::asio;
using base::Errc;

namespace {

/// Nobody sees a lag change faster, and a question for it costs a read.
constexpr auto newest_pace = std::chrono::milliseconds(250);

/// Each is a process, and a person has to know what it is for.
constexpr std::size_t most_instances = 1'000;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

Registry::Registry(asio::io_context& io,
                   const base::Clock& clock,
                   engine::Engine& engine,
                   ExtensionsOptions options)
    : io_(io),
      engine_(engine),
      options_(std::move(options)),
      libraries_(io, options_, [this] { tend_all(); }),
      around_{.io = io,
              .clock = clock,
              .engine = engine,
              .options = options_,
              .libraries = libraries_,
              .generator_name =
                  [this](core::ExtensionNumber number) {
                      const auto known = generator_names_.find(number);
                      return known == generator_names_.end() ? std::string() : known->second;
                  },
              .needs_changed = [this] { update_needs(); }},
      newest_timer_(io) {}

// ---- start and stop --------------------------------------------------------------------------

base::Result<void> Registry::start() {
    recover();
    for (const auto& declaration : options_.declarations)
        declare(declaration);
    update_needs();
    return libraries_.start();
}

/// Those that people made, and the names of all that there ever were.
void Registry::recover() {
    for (const auto& record : engine_.known_extensions()) {
        if (record.kind == ExtensionKind::generator)
            generator_names_[record.number] = record.name;
        if (record.removed || record.definition.empty())
            continue;
        auto definition = read_definition(record.kind, record.definition);
        if (!definition) {
            base::log::error("extension.not_understood",
                             {{"kind", kind_name(record.kind)},
                              {"name", record.name},
                              {"why", to_error(definition.error()).message}});
            continue;
        }
        core::Cursor cursor;
        for (const auto& known : engine_.known_cursors())
            if (known.extension == record.number)
                cursor = known;
        add(std::move(*definition), record, std::move(cursor));
    }
}

void Registry::declare(const Declaration& declaration) {
    const auto& definition = declaration.definition;
    if (instance(definition.kind, definition.name)) {
        base::log::warn("extension.declared_twice",
                        {{"kind", kind_name(definition.kind)},
                         {"name", definition.name},
                         {"place", declaration.place},
                         {"note", "it was made by the API before; that definition stays"}});
        return;
    }
    for (const auto& record : engine_.known_extensions()) {
        if (record.removed || record.kind != definition.kind || record.name != definition.name)
            continue;
        core::Cursor cursor;
        for (const auto& known : engine_.known_cursors())
            if (known.extension == record.number)
                cursor = known;
        add(definition, record, std::move(cursor)).tend();
        return;
    }
    core::ExtensionRecord record;
    record.kind = definition.kind;
    record.name = definition.name;
    keep_declared(declaration, std::move(record));
}

void Registry::keep_declared(const Declaration& declaration, core::ExtensionRecord record) {
    engine_.keep_extension(record,
                           [this, declaration, record, alive = alive_](auto number) mutable {
                               if (!*alive || stopping_ || !number)
                                   return;
                               record.number = *number;
                               add(declaration.definition, record, {}).tend();
                           });
}

Instance& Registry::add(Definition definition, core::ExtensionRecord record, core::Cursor cursor) {
    const Key key(definition.kind, record.name);
    definition.name = record.name;
    if (definition.directory.empty())
        definition.directory = options_.directory.native();
    std::unique_ptr<Instance> made;
    if (definition.kind == ExtensionKind::generator) {
        generator_names_[record.number] = record.name;
        made = std::make_unique<Generator>(
            around_, std::move(definition), std::move(record), std::move(cursor));
    } else {
        made = std::make_unique<Sink>(
            around_, std::move(definition), std::move(record), std::move(cursor));
    }
    auto& place = instances_[key];
    place = std::move(made);
    update_needs();
    watch_newest();
    return *place;
}

void Registry::stop(std::function<void()> done) {
    stopping_ = true;
    libraries_.stop();
    const auto left = std::make_shared<std::size_t>(instances_.size());
    if (*left == 0)
        return asio::post(io_, std::move(done));
    for (const auto& [key, instance] : instances_)
        instance->stop([left, done] {
            if (--*left == 0)
                done();
        });
}

void Registry::tend_all() {
    if (!stopping_)
        for (const auto& [key, instance] : instances_)
            instance->tend();
}

void Registry::update_needs() {
    auto needed = ~std::uint64_t{0};
    for (const auto& [key, instance] : instances_)
        needed = std::min(needed, instance->needed_after());
    if (std::exchange(needed_, needed) != needed)
        engine_.keep_outcomes_after(needed);
}

/// Also sinks that rest have a lag that people want to see.
void Registry::watch_newest() {
    if (watching_newest_ || stopping_ || std::ranges::none_of(instances_, [](const auto& one) {
            return one.first.first == ExtensionKind::sink;
        }))
        return;
    watching_newest_ = true;
    store::ResultsQuery query;
    query.after = around_.newest;
    query.limit = 1;
    engine_.results(query, longest_results_wait, [this, alive = alive_](auto page) {
        if (!*alive)
            return;
        watching_newest_ = false;
        if (page)
            around_.newest = page->newest;
        newest_timer_.expires_after(newest_pace);
        newest_timer_.async_wait([this, alive](const boost::system::error_code& failed) {
            if (!failed && *alive)
                watch_newest();
        });
    });
}

// ---- questions -------------------------------------------------------------------------------

Instance* Registry::instance(ExtensionKind kind, std::string_view name) const {
    const auto found = instances_.find({kind, std::string(name)});
    return found == instances_.end() ? nullptr : found->second.get();
}

std::vector<Status> Registry::list(ExtensionKind kind) const {
    std::vector<Status> all;
    for (const auto& [key, instance] : instances_)
        if (key.first == kind)
            all.push_back(instance->status());
    return all;
}

std::optional<Status> Registry::find(ExtensionKind kind, std::string_view name) const {
    const auto* const found = instance(kind, name);
    return found ? std::optional(found->status()) : std::nullopt;
}

std::vector<PluginFile> Registry::plugins() const {
    return libraries_.files();
}

// ---- what people ask -------------------------------------------------------------------------

void Registry::answer_later(Answer answer, base::Result<Status> result) {
    asio::post(io_, [answer = std::move(answer), result = std::move(result)] { answer(result); });
}

template <typename Use>
void Registry::with(ExtensionKind kind, std::string_view name, Answer answer, Use use) {
    if (auto* const found = instance(kind, name))
        return use(*found, std::move(answer));
    answer_later(std::move(answer),
                 base::error(Errc::not_found,
                             "there is no " + kind_name(kind) + " '" + std::string(name) + "'",
                             "distributo " + kind_name(kind) + " list"));
}

base::Result<void> Registry::check(Definition& definition) const {
    const auto kind = kind_name(definition.kind);
    if (definition.name.empty())
        definition.name = definition.plugin;
    if (!is_extension_name(definition.name))
        return base::error(Errc::invalid_argument,
                           "name: '" + definition.name + "' is no name for a " + kind,
                           "up to 64 of a-z 0-9 . _ -, a letter or digit first");
    const Key key(definition.kind, definition.name);
    if (instances_.contains(key) || being_made_.contains(key))
        return base::error(Errc::conflict,
                           "there is a " + kind + " '" + definition.name + "' already",
                           "choose another name, or remove it first");
    if (instances_.size() + being_made_.size() >= most_instances)
        return base::error(
            Errc::limit,
            "there are " + std::to_string(most_instances) + " generators and sinks already",
            "remove some");
    const auto* const library = libraries_.find(definition.kind, definition.plugin);
    if (!library) {
        const auto names = libraries_.names(definition.kind);
        return base::error(
            Errc::not_found,
            "no plugin folder of the coordinator has a " + kind + " '" + definition.plugin + "'",
            names.empty() ? "there are none at all: see --plugin-dir"
                          : "there are: " + joined(names));
    }
    std::error_code error;
    if (!definition.directory.empty() &&
        !std::filesystem::is_directory(definition.directory, error))
        return base::error(Errc::invalid_argument,
                           "directory: the coordinator has no folder " + definition.directory);
    const auto& schema = library->offer(definition.kind)->config_schema;
    const auto compiled = schema.empty()
                              ? base::Result<wire::Schema>(base::error(Errc::internal, ""))
                              : wire::Schema::compile(schema);
    if (!compiled)
        return {};
    const auto violations = compiled->check(definition.config, 1);
    if (violations.empty())
        return {};
    return base::error(Errc::invalid_argument,
                       "config" + violations.front().pointer + ": " + violations.front().message,
                       "GET /v1/extensions shows the schema of its configuration");
}

void Registry::create(Definition definition, Answer answer) {
    if (auto checked = check(definition); !checked)
        return answer_later(std::move(answer), checked.error());
    const Key key(definition.kind, definition.name);
    core::ExtensionRecord record;
    record.kind = definition.kind;
    record.name = definition.name;
    if (definition.directory.empty())
        definition.directory = options_.directory.native();
    record.definition = definition_text(definition);
    being_made_[key] = true;
    engine_.keep_extension(
        record, [this, key, definition, record, answer, alive = alive_](auto number) mutable {
            if (!*alive)
                return;
            being_made_.erase(key);
            if (!number)
                return answer(number.error());
            record.number = *number;
            auto& made = add(std::move(definition), std::move(record), {});
            if (!stopping_)
                made.tend();
            answer(made.status());
        });
}

void Registry::set_paused(Instance& target, bool paused, Answer answer) {
    auto record = target.record();
    if (record.paused == paused) {
        if (!paused)
            target.set_paused(false);  // ends a failure, too
        return answer_later(std::move(answer), target.status());
    }
    record.paused = paused;
    engine_.keep_extension(
        record,
        [this, key = Key(record.kind, record.name), paused, answer, alive = alive_](auto kept) {
            if (!*alive)
                return;
            if (!kept)
                return answer(kept.error());
            const auto found = instances_.find(key);
            if (found == instances_.end())
                return answer(base::error(Errc::not_found, "it was removed meanwhile"));
            found->second->set_paused(paused);
            answer(found->second->status());
        });
}

void Registry::pause(ExtensionKind kind, std::string_view name, Answer answer) {
    with(kind, name, std::move(answer), [this](Instance& target, Answer done) {
        set_paused(target, true, std::move(done));
    });
}

void Registry::resume(ExtensionKind kind, std::string_view name, Answer answer) {
    with(kind, name, std::move(answer), [this](Instance& target, Answer done) {
        set_paused(target, false, std::move(done));
    });
}

void Registry::run_now(ExtensionKind kind, std::string_view name, Answer answer) {
    with(kind, name, std::move(answer), [this, kind](Instance& target, Answer done) {
        const auto status = target.status();
        if (status.state == State::paused || status.state == State::failed ||
            status.state == State::ended)
            return answer_later(std::move(done),
                                base::error(Errc::conflict,
                                            "it is " + std::string(state_name(status.state)),
                                            status.state == State::ended
                                                ? "reset it to have it begin again"
                                                : "distributo " + kind_name(kind) + " resume " +
                                                      status.definition.name));
        target.run_now();
        answer_later(std::move(done), target.status());
    });
}

void Registry::reset(Instance& target, core::Cursor cursor, Answer answer) {
    if (!target.may_be_reset())
        return answer_later(
            std::move(answer),
            base::error(Errc::conflict,
                        "it is " + std::string(state_name(target.status().state)) +
                            ", and can be reset only when it is paused, failed or ended",
                        "distributo " + kind_name(target.record().kind) + " pause " +
                            target.record().name));
    const Key key(target.record().kind, target.record().name);
    engine_.keep_cursor(
        cursor, [this, key, cursor, answer, alive = alive_](base::Result<void> kept) {
            if (!*alive)
                return;
            if (!kept)
                return answer(kept.error());
            const auto found = instances_.find(key);
            if (found == instances_.end())
                return answer(base::error(Errc::not_found, "it was removed meanwhile"));
            found->second->move_to(cursor);
            update_needs();
            answer(found->second->status());
        });
}

void Registry::reset_generator(std::string_view name, std::string checkpoint, Answer answer) {
    with(ExtensionKind::generator,
         name,
         std::move(answer),
         [this, checkpoint = std::move(checkpoint)](Instance& target, Answer done) mutable {
             auto cursor = target.status().cursor;
             cursor.checkpoint = std::move(checkpoint);
             cursor.ended = false;
             cursor.tasks = 0;  // max_tasks counts anew
             reset(target, std::move(cursor), std::move(done));
         });
}

void Registry::reset_sink(std::string_view name, std::uint64_t sequence, Answer answer) {
    with(ExtensionKind::sink,
         name,
         std::move(answer),
         [this, sequence](Instance& target, Answer done) {
             auto cursor = target.status().cursor;
             cursor.sequence = sequence;
             reset(target, std::move(cursor), std::move(done));
         });
}

void Registry::remove(ExtensionKind kind, std::string_view name, Answer answer) {
    with(kind, name, std::move(answer), [this](Instance& target, Answer done) {
        auto record = target.record();
        if (record.definition.empty())
            return answer_later(std::move(done),
                                base::error(Errc::conflict,
                                            "the configuration file declares it",
                                            "take it out there, and restart the coordinator"));
        record.removed = true;
        engine_.keep_extension(
            record, [this, key = Key(record.kind, record.name), done, alive = alive_](auto kept) {
                if (!*alive)
                    return;
                if (!kept)
                    return done(kept.error());
                const auto found = instances_.find(key);
                if (found == instances_.end())
                    return done(base::error(Errc::not_found, "it was removed meanwhile"));
                auto last = found->second->status();
                instances_.erase(found);  // ends its process at once
                update_needs();
                done(std::move(last));
            });
    });
}

std::unique_ptr<RunningExtensions> make_extensions(asio::io_context& io,
                                                   const base::Clock& clock,
                                                   engine::Engine& engine,
                                                   ExtensionsOptions options) {
    return std::make_unique<Registry>(io, clock, engine, std::move(options));
}

}  // namespace distributo::coordinator::extensions
