#include "coordinator/extensions/libraries.hpp"

#include "base/log.hpp"
#include "base/semver.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace distributo::coordinator::extensions {

namespace fs = std::filesystem;
namespace asio = boost::asio;

namespace {

/// A library says what it is at once; until then nobody waits for it but its own users.
constexpr base::Duration longest_question = std::chrono::seconds(20);

bool is_newer(const std::string& left, const std::string& right) {
    const auto a = base::parse_version(left);
    const auto b = base::parse_version(right);
    return a && b && *b < *a;
}

}  // namespace

const runtime::ExtensionInterface* Library::offer(ExtensionKind kind) const noexcept {
    const auto& found = kind == ExtensionKind::generator ? module.generator : module.sink;
    return found ? &*found : nullptr;
}

/// A process that is asked what a library offers, and nothing else.
class Libraries::Question final : runtime::ExtensionEvents {
public:
    using Answer = std::function<void(base::Result<runtime::ExtensionModule>)>;

    Question(Libraries& owner, const Library& library, Answer answer) : answer_(std::move(answer)) {
        runtime::ExtensionRunnerOptions options;
        options.library = library.copy;
        options.data_dir = options.work_root = owner.options_.data / "asking";
        options.runner_program = owner.options_.runner_program;
        options.open_timeout = longest_question;
        std::error_code error;
        fs::create_directories(options.data_dir, error);
        runner_ = owner.options_.make_runner(owner.io_, std::move(options), *this);
    }

private:
    void on_ready(const runtime::ExtensionModule& module) override {
        module_ = module;
        runner_->close();
    }
    void on_opened(runtime::ExtensionOpened) override {}
    void on_batch(runtime::ExtensionBatch) override {}
    void on_written(runtime::ExtensionWritten) override {}
    void on_log(std::string_view, std::string_view) override {}
    void on_more() override {}
    void on_gone(bool, const std::string& why) override {
        if (module_)
            answer_(std::move(*module_));
        else
            answer_(base::error(base::Errc::unavailable, why));
    }

    Answer answer_;
    std::optional<runtime::ExtensionModule> module_;
    std::unique_ptr<runtime::ExtensionRunner> runner_;
};

Libraries::Libraries(asio::io_context& io,
                     const ExtensionsOptions& options,
                     std::function<void()> on_change)
    : io_(io),
      options_(options),
      on_change_(std::move(on_change)),
      copies_(io, options.cache),
      watch_(io, options.folders, [this](const auto& changes) { apply(changes); }) {}

Libraries::~Libraries() {
    *alive_ = false;
}

base::Result<void> Libraries::start() {
    if (options_.folders.empty())
        return {};
    return watch_.start();
}

void Libraries::stop() {
    stopped_ = true;
    files_.clear();
}

bool Libraries::loading() const noexcept {
    return std::ranges::any_of(files_, [](const auto& file) { return file.second.loading; });
}

void Libraries::apply(const runtime::PluginChanges& changes) {
    if (stopped_)
        return;
    for (const auto& path : changes.removed)
        files_.erase(path);
    for (const auto& path : changes.present)
        // Scripts, and what runs them, have tasks, which are for hosts.
        if (!runtime::is_script(path) && path.filename() != runtime::script_library)
            load(path);
    if (!changes.removed.empty())
        changed();
}

void Libraries::load(const fs::path& path) {
    File& file = files_[path];
    file.version = ++versions_;
    file.loading = true;
    file.question.reset();
    copies_.make(path, [this, path, version = file.version](auto copy) {
        copied(path, version, std::move(copy));
    });
}

void Libraries::copied(const fs::path& path,
                       std::uint64_t version,
                       base::Result<runtime::CachedPlugin> copy) {
    const auto found = files_.find(path);
    if (found == files_.end() || found->second.version != version)
        return;
    if (!copy)
        return refuse(path, copy.error().message);
    File& file = found->second;
    if (file.library && file.library->digest == copy->digest) {
        file.loading = false;
        return;
    }
    Library library{.file = path, .copy = copy->library, .digest = copy->digest, .module = {}};
    file.question = std::make_unique<Question>(
        *this, library, [this, path, version, library, alive = alive_](auto answer) {
            // Later: the question is not to go while it speaks.
            asio::post(io_, [this, path, version, library, alive, answer] {
                const auto file_now = *alive ? files_.find(path) : files_.end();
                if (*alive && file_now != files_.end() && file_now->second.version == version)
                    answered(path, library, answer);
            });
        });
}

void Libraries::answered(const fs::path& path,
                         Library library,
                         base::Result<runtime::ExtensionModule> answer) {
    if (!answer)
        return refuse(path, answer.error().message);
    File& file = files_[path];
    file.question.reset();
    file.loading = false;
    file.refusal.clear();
    library.module = std::move(*answer);
    const auto name_of = [](const auto& offer) { return offer ? offer->name : std::string(); };
    if (library.module.generator || library.module.sink)
        base::log::info("extension.plugin_found",
                        {{"file", path.native()},
                         {"version", library.module.version},
                         {"generator", name_of(library.module.generator)},
                         {"sink", name_of(library.module.sink)}});
    file.library = std::move(library);
    changed();
}

/// What a file was before stays in use as long as nothing better is there.
void Libraries::refuse(const fs::path& path, const std::string& why) {
    File& file = files_[path];
    file.question.reset();
    file.loading = false;
    if (file.refusal != why)
        base::log::warn("extension.plugin_refused", {{"file", path.native()}, {"why", why}});
    file.refusal = why;
    changed();
}

void Libraries::changed() {
    // Once, at the start: later somebody may run, or go back to, what is in no folder any more.
    if (!loading() && !std::exchange(pruned_, true)) {
        std::set<std::string> digests;
        for (const auto& [path, file] : files_)
            if (file.library)
                digests.insert(file.library->digest);
        copies_.keep_only(std::move(digests));
    }
    on_change_();
}

const Library* Libraries::find(ExtensionKind kind, std::string_view name) const {
    const Library* best = nullptr;
    for (const auto& [path, file] : files_) {
        const auto* const offer = file.library ? file.library->offer(kind) : nullptr;
        if (!offer || offer->name != name)
            continue;
        if (!best || is_newer(offer->version, best->offer(kind)->version))
            best = &*file.library;
    }
    return best;
}

std::vector<std::string> Libraries::names(ExtensionKind kind) const {
    std::set<std::string> names;
    for (const auto& [path, file] : files_)
        if (const auto* const offer = file.library ? file.library->offer(kind) : nullptr)
            names.insert(offer->name);
    return {names.begin(), names.end()};
}

std::vector<PluginFile> Libraries::files() const {
    std::vector<PluginFile> files;
    for (const auto& [path, file] : files_) {
        PluginFile& shown = files.emplace_back();
        shown.file = path.native();
        shown.refused = file.refusal;
        if (!file.library)
            continue;
        const auto& module = file.library->module;
        shown.name = module.name;
        shown.version = module.version;
        shown.tasks = module.tasks;
        if (module.generator) {
            shown.generator = module.generator->name;
            shown.generator_schema = module.generator->config_schema;
        }
        if (module.sink) {
            shown.sink = module.sink->name;
            shown.sink_schema = module.sink->config_schema;
        }
    }
    return files;
}

}  // namespace distributo::coordinator::extensions
