#include "runtime/inproc_runner.hpp"

#include "runtime/value_cache.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t spare_threads = 64;
/// A probe is a question to a plugin that should know the answer.
constexpr base::Duration probe_limit = std::chrono::seconds(10);
constexpr base::Duration patience = std::chrono::milliseconds(200);

CallResult& abort(CallResult& result) {
    result.status = CallResult::Status::aborted;
    result.message = "the plugin was stopped";
    return result;
}

}  // namespace

/// What the threads have to say since the last turn.
struct InprocRunner::News {
    struct Log {
        OpenCalls::Ticket call;
        std::string stream, text;
    };
    struct Progress {
        OpenCalls::Ticket call;
        double fraction;
        std::string text;
    };
    std::vector<CallResult> results;
    std::vector<Log> logs;
    std::vector<Progress> progress;
    std::optional<ModuleInfo> module;
    std::optional<std::string> failure;
    bool capabilities_changed = false;
    bool stopped = false;
};

/// Between the threads and the io_context; outlives the runner as long as a thread lives.
class InprocRunner::Bridge final : public ExecutorOutput,
                                   public std::enable_shared_from_this<Bridge> {
public:
    Bridge(asio::io_context& io,
           InprocRunner& runner,
           std::size_t slots,
           std::shared_ptr<ValueCache> cache)
        : io_(io), runner_(&runner), cache_(std::move(cache)), slots_(slots) {}

    /// The runner is gone. On the io_context.
    void close() {
        const std::lock_guard lock(mutex_);
        runner_ = nullptr;
    }
    [[nodiscard]] SlotTable slots() noexcept { return {.all = slots_, .used = &used_}; }

    template <typename Add>
    void add(const Add& add) {
        const std::lock_guard lock(mutex_);
        add(news_);
        post();
    }

    void result(CallResult&& result) override {
        const std::lock_guard lock(mutex_);
        news_.results.push_back(std::move(result));
    }
    void flush() override {
        const std::lock_guard lock(mutex_);
        if (!news_.results.empty())
            post();
    }
    /// What is printed goes to the output of this process.
    bool long_call_ended(CallId) override { return false; }
    void stopped() override {
        add([](News& news) { news.stopped = true; });
    }
    void log(CallId call, std::string_view stream, std::string_view text) override {
        add([&](News& news) {
            news.logs.push_back({call, std::string(stream), std::string(text)});
        });
    }
    bool cache_get(std::string_view key, std::string& value) override {
        const auto found = cache_->get(key, std::chrono::steady_clock::now());
        if (found)
            value = *found;
        return found != nullptr;
    }
    void cache_put(std::string_view key, std::string_view value, std::int64_t ttl_ms) override {
        cache_->put(key,
                    std::string(value),
                    std::chrono::milliseconds(ttl_ms),
                    std::chrono::steady_clock::now());
    }
    void capabilities_changed() override {
        add([](News& news) { news.capabilities_changed = true; });
    }
    void progress(CallId call, double fraction, std::string_view text) override {
        add([&](News& news) { news.progress.push_back({call, fraction, std::string(text)}); });
    }

private:
    /// One at a time: what comes until it runs goes with it.
    void post() {
        if (!runner_ || std::exchange(posted_, true))
            return;
        asio::post(io_, [self = shared_from_this()] { self->deliver(); });
    }
    void deliver() {
        News news;
        {
            const std::lock_guard lock(mutex_);
            posted_ = false;
            if (!runner_)
                return;
            std::swap(news, news_);
        }
        // Only the io_context's own thread, this one, takes the runner away.
        runner_->on_news(std::move(news));
    }

    asio::io_context& io_;
    std::mutex mutex_;  // of the following
    InprocRunner* runner_;
    News news_;
    bool posted_ = false;

    const std::shared_ptr<ValueCache> cache_;
    std::vector<CallSlot> slots_;
    std::atomic<std::uint32_t> used_{0};
};

InprocRunner::InprocRunner(asio::io_context& io, RunnerOptions options, RunnerEvents& events)
    : io_(io), options_(std::move(options)), events_(events), calls_(io, *this), timer_(io) {
    const std::uint32_t threads = std::max(options_.threads, 1U);
    const Executor::Options running{.threads = threads,
                                    .spare_threads = spare_threads,
                                    .work_root = options_.work_root,
                                    .source = nullptr};
    bridge_ = std::make_shared<Bridge>(
        io, *this, Executor::thread_slots(running) + most_units, options_.cache);
    executor_ = std::make_shared<Executor>(bridge_, bridge_->slots(), running);
    executor_->start();
    SetupRequest request{.data_dir = options_.data_dir,
                         .work_root = options_.work_root,
                         .host_id = options_.host_id,
                         .config = options_.config,
                         .threads = threads};
    std::thread([bridge = bridge_,
                 executor = executor_,
                 library = options_.library,
                 own_process = options_.own_process,
                 request = std::move(request)] {
        auto plugin = TaskPlugin::load(library, *bridge);
        if (plugin && (*plugin)->info().needs_isolation && !own_process)
            return bridge->add([&](News& news) { news.module = (*plugin)->info(); });
        auto ready = plugin ? (*plugin)->set_up(request) : base::Result<void>(plugin.error());
        if (!ready)
            return bridge->add([&](News& news) { news.failure = ready.error().message; });
        const ModuleInfo module = (*plugin)->info();
        executor->open(std::move(*plugin));
        bridge->add([&](News& news) { news.module = module; });
    }).detach();
    limit(options_.setup_timeout, false, "setup took longer than ");
}

InprocRunner::~InprocRunner() {
    *alive_ = false;
    bridge_->close();
    executor_->abort();
    executor_->wait_stopped(patience);
}

void InprocRunner::limit(base::Duration time, bool expected, std::string why) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    timer_.expires_after(time);
    timer_.async_wait([this, alive = alive_, expected, why = why + std::to_string(seconds) + " s"](
                          const boost::system::error_code& error) {
        if (!error && *alive)
            gone(expected, why);
    });
}

// ---- calls -----------------------------------------------------------------------------------

void InprocRunner::refuse(CallId call, CallResult::Status status, std::string message) {
    CallResult result;
    result.call = call;
    result.status = status;
    result.message = std::move(message);
    refused_.push_back(std::move(result));
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            deliver_refused();
    });
}

void InprocRunner::deliver_refused() {
    if (!refused_.empty())
        events_.on_results(std::exchange(refused_, {}));
}

void InprocRunner::add(const std::string& type, CallId call, base::Duration timeout, Work work) {
    if (gone_ || stop_asked_)
        return refuse(call, CallResult::Status::aborted, "the plugin was stopped before the call");
    const auto index = types_.find(type);
    if (!index)
        return refuse(call,
                      CallResult::Status::permanent,
                      "the plugin " + types_.module().name + " has no task type " + type);
    work.type = *index;
    work.timeout = timeout;
    work.id = calls_.open(call, timeout, types_.grace(*index, options_.cancel_grace));
    waiting_.push_back(std::move(work));
}

void InprocRunner::execute(ExecuteCall call) {
    add(call.type,
        call.call,
        call.timeout,
        {.attempt = call.attempt,
         .body = std::move(call.payload),
         .task_id = std::move(call.task_id),
         .content_key = std::move(call.content_key),
         .directory = std::move(call.install_dir)});
}

void InprocRunner::execute_alone(ExecuteCall call) {
    asio::post(io_, [this, alive = alive_, id = call.call] {
        if (*alive)
            events_.on_started(id);
    });
    execute(std::move(call));
}

void InprocRunner::install(InstallCall call) {
    add(call.type,
        call.call,
        call.timeout,
        {.attempt = call.attempt,
         .kind = call.verify ? WorkKind::verify : WorkKind::install,
         .body = std::move(call.spec),
         .task_id = {},
         .content_key = std::move(call.content_key),
         .directory = std::move(call.staging_dir)});
}

void InprocRunner::probe(CallId call) {
    Work work;
    work.kind = WorkKind::probe;
    add(types_.module().types.front().name, call, probe_limit, std::move(work));
}

void InprocRunner::flush() {
    if (!waiting_.empty())
        executor_->submit(waiting_);
}

void InprocRunner::cancel(CallId call) {
    calls_.cancel(call);
}

void InprocRunner::ask_to_end(OpenCalls::Ticket call) {
    flush();
    executor_->cancel(call);
}

void InprocRunner::on_overdue(OpenCalls::Ticket call) {
    executor_->replace(call);
    CallResult result;
    result.status = CallResult::Status::cancelled;
    result.message = "did not end within its grace time; its thread was left behind";
    if (!calls_.close(call, result))
        return;
    const auto alive = alive_;
    events_.on_results({std::move(result)});
    if (*alive)
        go_on();
}

std::span<const CallSlot> InprocRunner::slots() const {
    return bridge_->slots().live();
}

// ---- what the threads say --------------------------------------------------------------------

void InprocRunner::on_news(News news) {
    const auto alive = alive_;
    for (const auto& log : news.logs) {
        events_.on_log(calls_.find(log.call).value_or(0), log.stream, log.text);
        if (!*alive)
            return;
    }
    for (const auto& progress : news.progress) {
        if (const auto call = calls_.find(progress.call))
            events_.on_progress(*call, progress.fraction, progress.text);
        if (!*alive)
            return;
    }
    if (news.module || news.failure)
        on_loaded(news);
    if (!*alive)
        return;
    std::erase_if(news.results, [this](CallResult& result) {
        const auto ticket = result.call;
        return !calls_.close(ticket, result);
    });
    if (!news.results.empty())
        events_.on_results(std::move(news.results));
    if (!*alive)
        return;
    if (news.capabilities_changed)
        events_.on_capabilities_changed();
    if (!*alive)
        return;
    if (news.stopped && stopping_)
        return gone(true, {});
    go_on();
}

void InprocRunner::on_loaded(const News& news) {
    timer_.cancel();
    if (news.failure)
        return gone(stop_asked_, stop_asked_ ? std::string() : *news.failure);
    if (gone_ || stop_asked_)
        return;
    ready_ = true;
    events_.on_process({.kind = ProcessNews::Kind::ready,
                        .setup = std::chrono::steady_clock::now() - started_,
                        .tasks = 0,
                        .growth = {},
                        .reason = {}});
    types_.set(*news.module);
    events_.on_ready(types_.module());
}

void InprocRunner::stop() {
    if (gone_ || std::exchange(stop_asked_, true))
        return;
    flush();
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            go_on();
    });
}

/// After stop(): ends the threads as soon as no call is open.
void InprocRunner::go_on() {
    if (!stop_asked_ || stopping_ || gone_ || calls_.size() > 0)
        return;
    stopping_ = true;
    executor_->stop();
    limit(options_.cancel_grace, true, "teardown took longer than ");
}

void InprocRunner::gone(bool expected, const std::string& why) {
    if (std::exchange(gone_, true))
        return;
    timer_.cancel();
    calls_.disarm();
    for (const auto ticket : calls_.tickets())
        if (CallResult result; calls_.close(ticket, abort(result)))
            refused_.push_back(std::move(result));
    const auto alive = alive_;
    deliver_refused();
    if (*alive)
        events_.on_gone(expected, why);
}

}  // namespace distributo::runtime
