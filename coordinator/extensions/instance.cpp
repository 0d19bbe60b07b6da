#include "coordinator/extensions/instance.hpp"

#include "base/log.hpp"
#include "wire/schema.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace distributo::coordinator::extensions {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// Lines of one extension that reach the log per second; who writes more is cut short.
constexpr std::uint32_t most_lines = 50;
constexpr std::uint32_t longest_back_off_shift = 16;

}  // namespace

Instance::Instance(const Surroundings& around,
                   Definition definition,
                   core::ExtensionRecord record,
                   core::Cursor cursor)
    : around_(around),
      definition_(std::move(definition)),
      record_(std::move(record)),
      cursor_(std::move(cursor)),
      timer_(around.io) {
    cursor_.extension = record_.number;
}

Instance::~Instance() {
    *alive_ = false;
}

// ---- what comes next -------------------------------------------------------------------------

bool Instance::rests() const {
    return record_.paused || given_up_ || over();
}

void Instance::tend() {
    timer_due_ = base::TimePoint::max();
    if (stopping_)
        return close_runner();
    const auto library = choose();
    if (given_up_ && library && library->digest != failed_digest_)
        forget_failures();
    if (rests() || !library || (runner_ && in_use_->digest != library->digest)) {
        // A call that runs is to come to its end, and what it gives is to be kept.
        if (!busy_)
            close_runner();
        return;
    }
    const auto now = around_.clock.now();
    if (not_before_ > now)
        return tend_after(not_before_ - now);
    if (!settled())
        return;
    if (!runner_)
        return start(*library);
    if (is_open() && !busy_)
        go();
}

void Instance::tend_soon() {
    if (std::exchange(tending_soon_, true))
        return;
    asio::post(around_.io, [this, alive = alive_] {
        if (!*alive)
            return;
        tending_soon_ = false;
        tend();
    });
}

void Instance::tend_after(base::Duration time) {
    const auto due = around_.clock.now() + time;
    if (due >= timer_due_)
        return;
    timer_due_ = due;
    timer_.expires_after(time);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& failed) {
        if (!failed && *alive)
            tend();
    });
}

std::optional<Library> Instance::choose() const {
    const Library* const found = around_.libraries.find(definition_.kind, definition_.plugin);
    if (!found)
        return std::nullopt;
    if (found->digest == refused_digest_ && proven_)
        return proven_;
    return *found;
}

std::string Instance::config_fault(const Library& library) const {
    const auto& schema = library.offer(definition_.kind)->config_schema;
    if (schema.empty())
        return {};
    const auto compiled = wire::Schema::compile(schema);
    if (!compiled)
        return "its plugin's config_schema is no JSON Schema: " + compiled.error().message;
    const auto violations = compiled->check(definition_.config, 1);
    if (violations.empty())
        return {};
    return "config" + violations.front().pointer + ": " + violations.front().message;
}

// ---- its process -----------------------------------------------------------------------------

void Instance::start(Library library) {
    in_use_ = std::move(library);
    if (const auto fault = config_fault(*in_use_); !fault.empty())
        return give_up(fault);
    const auto own = around_.options.data / (kind_name(definition_.kind) + '-' + definition_.name);
    runtime::ExtensionRunnerOptions options;
    options.library = in_use_->copy;
    options.data_dir = own / "data";
    options.work_root = own / "work";
    options.directory = definition_.directory;
    options.runner_program = around_.options.runner_program;
    options.host_id = around_.engine.coordinator_id();
    options.sandbox.plugin = definition_.name;
    options.sandbox.memory = definition_.memory;
    options.sandbox.landlock = false;  // it reads and writes what its configuration names
    options.call_timeout = definition_.timeout;
    std::error_code error;
    fs::create_directories(options.data_dir, error);
    fs::create_directories(options.work_root, error);
    open_ = closing_ = busy_ = false;
    runner_ = around_.options.make_runner(around_.io, std::move(options), *this);
}

void Instance::close_runner() {
    if (runner_ && !std::exchange(closing_, true))
        runner_->close();
    if (!runner_ && stopping_ && on_stopped_)
        asio::post(around_.io, std::exchange(on_stopped_, nullptr));
}

void Instance::on_ready(const runtime::ExtensionModule&) {
    if (rests() || stopping_)
        return close_runner();
    begin().open(definition_.kind == ExtensionKind::generator ? runtime::ExtensionKind::generator
                                                              : runtime::ExtensionKind::sink,
                 definition_.config,
                 checkpoint());
}

void Instance::on_opened(runtime::ExtensionOpened result) {
    using Ended = runtime::ExtensionAnswer::Status;
    const bool fine = result.answer.status == Ended::ok;
    if (!fine && go_back("open: " + result.answer.message)) {
        busy_ = false;
        return close_runner();
    }
    if (!end(result.answer, true))
        return;
    open_ = true;
    proven_ = in_use_;
    base::log::info("extension.open",
                    {{"kind", kind_name(definition_.kind)},
                     {"name", definition_.name},
                     {"file", in_use_->file.native()},
                     {"version", in_use_->offer(definition_.kind)->version}});
    opened(result.last_stored);
    tend();
}

void Instance::on_more() {
    run_now();
}

void Instance::on_log(std::string_view stream, std::string_view text) {
    const auto now = around_.clock.now();
    if (now - log_second_ >= std::chrono::seconds(1)) {
        log_second_ = now;
        log_lines_ = 0;
    }
    if (++log_lines_ > most_lines + 1)
        return;
    const std::string_view shown =
        log_lines_ > most_lines ? "(more lines in this second are left out)" : text;
    base::log::info("extension.log",
                    {{"kind", kind_name(definition_.kind)},
                     {"name", definition_.name},
                     {"stream", stream},
                     {"text", shown}});
}

void Instance::on_gone(bool expected, const std::string& why) {
    // The runner is not to go while it speaks.
    asio::post(around_.io, [this, expected, why, alive = alive_] {
        if (*alive)
            gone(expected, why);
    });
}

void Instance::gone(bool expected, const std::string& why) {
    runner_.reset();
    const bool was_open = std::exchange(open_, false);
    closing_ = busy_ = false;
    closed();
    if (!expected && !stopping_) {
        ++crashes_;
        note_failure(why);
        if (!was_open && go_back(why))
            return tend();
        if (crashed_too_often())
            give_up("its process ended " + std::to_string(around_.options.pace.crashes) +
                    " times in a short time, the last time: " + why);
        else
            back_off({});
    }
    tend();
}

// ---- how calls go ----------------------------------------------------------------------------

runtime::ExtensionRunner& Instance::begin() {
    busy_ = true;
    ++calls_;
    return *runner_;
}

bool Instance::end(const runtime::ExtensionAnswer& answer, bool reopen) {
    using Ended = runtime::ExtensionAnswer::Status;
    busy_ = false;
    if (answer.status != Ended::retry && answer.status != Ended::permanent) {
        failures_in_a_row_ = 0;
        reason_.clear();
        last_success_at_ = around_.clock.wall();
        return true;
    }
    if (closing_)  // it was asked to end
        return false;
    note_failure(answer.message);
    if (answer.status == Ended::permanent) {
        give_up(answer.message);
        return false;
    }
    back_off(std::chrono::milliseconds(answer.retry_after_ms));
    if (reopen)
        close_runner();
    else
        tend();
    return false;
}

void Instance::note_failure(const std::string& why) {
    ++errors_;
    reason_ = last_error_ = why;
    last_error_at_ = around_.clock.wall();
    base::log::warn(
        "extension.failed",
        {{"kind", kind_name(definition_.kind)}, {"name", definition_.name}, {"why", why}});
}

void Instance::back_off(base::Duration wanted) {
    const auto& pace = around_.options.pace;
    const auto shift = std::min(failures_in_a_row_++, longest_back_off_shift);
    const auto own = std::min<base::Duration>(pace.retry_last, pace.retry_first * (1U << shift));
    not_before_ = around_.clock.now() + (wanted > base::Duration::zero() ? wanted : own);
}

bool Instance::crashed_too_often() {
    const auto& pace = around_.options.pace;
    const auto now = around_.clock.now();
    crash_times_.push_back(now);
    while (crash_times_.front() + pace.crash_window < now)
        crash_times_.pop_front();
    return crash_times_.size() >= pace.crashes;
}

bool Instance::go_back(const std::string& why) {
    if (!proven_ || proven_->digest == in_use_->digest)
        return false;
    refused_digest_ = in_use_->digest;
    base::log::warn("extension.gone_back",
                    {{"kind", kind_name(definition_.kind)},
                     {"name", definition_.name},
                     {"file", in_use_->file.native()},
                     {"why", why}});
    return true;
}

void Instance::give_up(std::string why) {
    given_up_ = true;
    failed_digest_ = in_use_ ? in_use_->digest : std::string();
    reason_ = std::move(why);
    base::log::error(
        "extension.given_up",
        {{"kind", kind_name(definition_.kind)},
         {"name", definition_.name},
         {"why", reason_},
         {"hint", "distributo " + kind_name(definition_.kind) + " resume " + definition_.name}});
    close_runner();
}

// ---- what people ask -------------------------------------------------------------------------

void Instance::set_paused(bool paused) {
    record_.paused = paused;
    if (!paused)
        forget_failures();
    tend_soon();
}

void Instance::forget_failures() {
    given_up_ = false;
    reason_.clear();
    refused_digest_.clear();
    crash_times_.clear();
    failures_in_a_row_ = 0;
    not_before_ = {};
}

void Instance::run_now() {
    not_before_ = {};
    tend_soon();
}

bool Instance::may_be_reset() {
    return !runner_ && rests() && settled();
}

void Instance::move_to(core::Cursor cursor) {
    cursor_ = std::move(cursor);
    moved();
    forget_failures();
    tend_soon();
}

void Instance::stop(std::function<void()> done) {
    stopping_ = true;
    on_stopped_ = std::move(done);
    tend_soon();
}

State Instance::state() const {
    if (record_.paused)
        return State::paused;
    if (given_up_)
        return State::failed;
    if (over())
        return State::ended;
    if (!choose())
        return around_.libraries.loading() ? State::starting : State::no_plugin;
    if (not_before_ > around_.clock.now())
        return State::retrying;
    return is_open() ? state_when_open() : State::starting;
}

Status Instance::status() const {
    Status status;
    status.definition = definition_;
    status.from_file = record_.definition.empty();
    status.state = state();
    status.reason = reason_;
    if (status.state == State::no_plugin)
        status.reason = "no plugin folder has a " + kind_name(definition_.kind) + " '" +
                        definition_.plugin + "'";
    if (in_use_) {
        status.plugin_file = in_use_->file.native();
        status.version = in_use_->offer(definition_.kind)->version;
    }
    status.cursor = cursor_;
    status.calls = calls_;
    status.errors = errors_;
    status.crashes = crashes_;
    status.last_error = last_error_;
    status.last_error_at = last_error_at_;
    status.last_success_at = last_success_at_;
    const auto now = around_.clock.now();
    const auto next = std::max(
        not_before_, timer_due_ == base::TimePoint::max() ? base::TimePoint() : timer_due_);
    status.next_call_in = std::max(base::Duration::zero(), next - now);
    status.per_second = rate_.rate(now);
    fill(status);
    return status;
}

}  // namespace distributo::coordinator::extensions
