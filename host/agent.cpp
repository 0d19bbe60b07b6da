#include "host/agent.hpp"

#include "base/log.hpp"
#include "runtime/value_cache.hpp"

#include <csignal>
#include <random>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

constexpr base::Duration drain_time = std::chrono::seconds(30);
/// What cancelled tasks get to end by themselves, before they go back as interrupted.
constexpr base::Duration cancel_time = std::chrono::seconds(12);
constexpr base::Duration teardown_time = std::chrono::seconds(5);
constexpr base::Duration idle_time = std::chrono::seconds(1);

PluginSetOptions plugin_options(const Options& options, const DataDir& directory) {
    PluginSetOptions set;
    set.cache = directory.plugins();
    set.folders = options.plugin_dirs;
    set.data = directory.data();
    set.isolation = options.isolation;
    set.min_isolation = options.min_isolation;
    set.plugins = options.plugins;
    set.drain_limit = options.plugin_drain_limit;
    set.quarantine = options.quarantine;
    set.runner.work_root = directory.work();
    set.runner.runner_program = options.runner_program;
    set.runner.host_id = directory.host_id();
    set.runner.cache = std::make_shared<runtime::ValueCache>();
    set.runner.threads = options.slots;
    set.runner.sandbox.readable = options.readable;
    set.runner.sandbox.readable.push_back(directory.installs().string());
    set.runner.sandbox.writable = options.writable;
    set.runner.sandbox.writable.push_back(directory.staging().string());
    return set;
}

std::function<double()> random_source() {
    return [engine = std::mt19937_64(std::random_device{}())]() mutable {
        return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
    };
}

}  // namespace

Agent::Agent(asio::io_context& io, const base::Clock& clock, Options options, DataDir directory)
    : io_(io),
      clock_(clock),
      options_(std::move(options)),
      directory_(std::move(directory)),
      desk_(io, clock, options_, directory_),
      signals_(io),
      timer_(io) {}

Agent::~Agent() = default;

base::Result<void> Agent::start() {
    plugins_.emplace(io_, clock_, plugin_options(options_, directory_), desk_);
    LinkOptions link;
    link.coordinator = options_.coordinator;
    link.service_type = options_.service_type;
    link.discovery_timeout = options_.discovery_timeout;
    link_.emplace(io_, clock_, link, random_source(), static_cast<LinkEvents&>(*this));
    desk_.connect(*link_, *plugins_);
    desk_.on_settled = [this] { on_settled(); };
    desk_.on_drain_requested = [this] {
        if (state_ == State::running)
            stop();
    };
    watch_.emplace(io_, options_.plugin_dirs, [this](const runtime::PluginChanges& changes) {
        plugins_->apply(changes);
    });
    if (auto watching = watch_->start(); !watching)
        return watching;
    wait_for_signal();
    return link_->start();
}

void Agent::wait_for_signal() {
    boost::system::error_code ignored;
    signals_.add(SIGTERM, ignored);
    signals_.add(SIGINT, ignored);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error)
            return;
        wait_for_signal();
        stop();
    });
}

// ---- the link --------------------------------------------------------------------------------

std::string Agent::hello() {
    return desk_.hello();
}

void Agent::on_message(std::string_view text) {
    if (auto read = desk_.receive(text); !read) {
        log::error("coordinator.malformed", {{"why", read.error().message}});
        link_->fail(read.error());
    }
}

void Agent::on_writable() {
    desk_.wake();
}

void Agent::on_disconnected() {
    desk_.on_disconnected();
}

void Agent::on_hopeless(const base::Error& error) {
    base::print_error(error);
    exit_code_ = base::exit_code::unreachable;
    stop_plugins();
}

void Agent::on_closed() {
    stop_plugins();
}

// ---- leaving ---------------------------------------------------------------------------------

void Agent::stop() {
    if (state_ == State::running) {
        state_ = State::draining;
        log::info("host.draining",
                  {{"running", desk_.open_tasks()}, {"hint", "again to stop at once"}});
        desk_.close();
        limit_drain();
        return;
    }
    if (state_ == State::draining) {
        exit_code_ = base::exit_code::interrupted;
        desk_.abandon_all();
        leave("stopped");
    }
}

void Agent::limit_drain() {
    timer_.expires_after(drain_time);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || state_ != State::draining)
            return;
        log::warn("host.cancelling", {{"running", desk_.open_tasks()}});
        desk_.cancel_all();
        timer_.expires_after(cancel_time);
        timer_.async_wait([this](const boost::system::error_code& second_error) {
            if (second_error || state_ != State::draining)
                return;
            desk_.abandon_all();
            leave("drained");
        });
    });
}

void Agent::on_settled() {
    if (state_ == State::draining) {
        // Without a coordinator nobody can acknowledge: what is on disk waits for the next start.
        if (desk_.idle() || (desk_.open_tasks() == 0 && !link_->up() && desk_.results_kept()))
            leave("drained");
        return;
    }
    if (!options_.exit_when_idle || state_ != State::running)
        return;
    const bool idle = link_->up() && desk_.offered_something() && desk_.idle();
    if (!idle || idle_at_count_ == desk_.assigned()) {
        if (!idle)
            idle_at_count_.reset();
        return;
    }
    idle_at_count_ = desk_.assigned();
    timer_.expires_after(idle_time);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || state_ != State::running || idle_at_count_ != desk_.assigned())
            return;
        log::info("host.idle", {{"why", "--exit-when-idle and no task for 1 s"}});
        leave("idle");
    });
}

void Agent::leave(std::string_view reason) {
    if (state_ == State::leaving || state_ == State::done)
        return;
    state_ = State::leaving;
    link_->close(reason);
}

void Agent::stop_plugins() {
    if (state_ == State::done)
        return;
    state_ = State::done;
    if (exit_code_ == base::exit_code::interrupted)
        return finish();  // what still runs is killed with its process
    timer_.expires_after(teardown_time);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            finish();
    });
    plugins_->stop([this] { finish(); });
}

void Agent::finish() {
    log::info("host.stopped");
    io_.stop();
}

}  // namespace distributo::host
