#include "runtime/abi_text.hpp"
#include "runtime/check/probe/subject.hpp"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace distributo::runtime::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Where the tables of version 1.0 end.
constexpr std::size_t first_setup = offsetof(dto_setup, host_id) + sizeof(dto_str);
constexpr std::size_t first_install = offsetof(dto_install, staging_dir) + sizeof(dto_str);
constexpr std::size_t first_execute = offsetof(dto_execute, trace_parent) + sizeof(dto_str);

constexpr std::string_view content_key = "check";

/// Between the fork of the work and its end; outlives both when the plugin hangs.
struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    Outcome outcome;
};

std::filesystem::path made(std::filesystem::path folder) {
    std::filesystem::create_directories(folder);
    return folder;
}

}  // namespace

Instance::Instance(Subject& subject, Age age, const std::string& name)
    : subject_(subject),
      age_(age),
      folder_(made(subject.request().folder / name)),
      host_(age, folder_) {}

Outcome Instance::finish(ProbeCall& call, dto_status status, std::string thrown) {
    Outcome outcome;
    {
        std::unique_lock lock(call.mutex);
        // A call that was completed on another thread may be completed before this is reached.
        if (status == DTO_PENDING && call.is_async && thrown.empty()) {
            call.changed.wait(lock, [&] { return call.completed; });
            status = call.completion;
        }
        outcome.status = status;
        outcome.result = call.result;
        outcome.message = call.message;
        outcome.result_lost = call.result_lost;
        outcome.thrown = std::move(thrown);
    }
    host_.end(call);
    return outcome;
}

Outcome Instance::called(bool async, const Function& function) {
    return called(host_.begin(async), function);
}

Outcome Instance::called(ProbeCall& call, const Function& function) {
    dto_status status = DTO_PERMANENT;
    std::string thrown;
    try {
        status = function(call);
    } catch (const std::exception& error) {
        thrown = std::string("\"") + error.what() + '"';
    } catch (...) {
        thrown = "something that is no std::exception";
    }
    return finish(call, status, std::move(thrown));
}

Outcome Instance::create() {
    return called(false, [&](ProbeCall& call) {
        return subject_.module().api.create(host_.table(), call.abi(), &instance_);
    });
}

Outcome Instance::set_up(const std::string& config) {
    const std::string data = made(folder_ / "data").string();
    Outcome ready = called(false, [&](ProbeCall& call) {
        dto_setup setup{};
        setup.cpu_slots = 1;
        setup.config_json = abi_text(config);
        setup.data_dir = abi_text(data);
        setup.host_id = abi_text("check");
        const Placed placed(setup, first_setup, age_);
        return subject_.module().api.setup(instance_, call.abi(), placed.as<dto_setup>());
    });
    return ready.ok() && subject_.module().api.discover ? discover() : ready;
}

Outcome Instance::discover() {
    return called(false, [&](ProbeCall& call) {
        const dto_task_type* const* types = nullptr;
        std::uint32_t count = 0;
        const dto_status status =
            subject_.module().api.discover(instance_, call.abi(), &types, &count);
        if (status != DTO_OK)
            return status;
        if (const auto learned = subject_.learn(types, count); !learned) {
            const std::lock_guard lock(call.mutex);
            call.message = learned.error().message;
            return dto_status{DTO_PERMANENT};
        }
        return status;
    });
}

Outcome Instance::start() {
    Outcome created = create();
    return created.ok() ? set_up(subject_.request().config) : created;
}

Outcome Instance::probe() {
    return called(
        false, [&](ProbeCall& call) { return subject_.module().api.probe(instance_, call.abi()); });
}

void Instance::tear_down() {
    called(false, [&](ProbeCall& call) {
        subject_.module().api.teardown(instance_, call.abi());
        return dto_status{DTO_OK};
    });
}

void Instance::destroy() {
    subject_.module().api.destroy(instance_);
}

bool Instance::needs_install(const Sample& sample) const {
    const auto& module = subject_.module();
    return module.api.install &&
           (!sample.install.empty() ||
            module.info.types[subject_.type_index(sample.type)].needs_install);
}

bool Instance::is_async(const Sample& sample) const {
    return (subject_.module().flags[subject_.type_index(sample.type)] & DTO_TASK_ASYNC) != 0;
}

dto_status Instance::installing(ProbeCall& call,
                                const Sample& sample,
                                const std::filesystem::path& folder,
                                bool verify) {
    const auto& api = subject_.module().api;
    dto_install request{};
    request.attempt = 1;
    request.task_type = abi_text(sample.type);
    request.content_key = abi_text(content_key);
    request.spec_json = abi_text(sample.install.empty() ? std::string_view("{}") : sample.install);
    request.staging_dir = abi_text(folder.native());
    const Placed placed(request, first_install, age_);
    return (verify ? api.verify : api.install)(instance_, call.abi(), placed.as<dto_install>());
}

Outcome Instance::install(const Sample& sample, const std::filesystem::path& folder) {
    return called(false, [&](ProbeCall& call) { return installing(call, sample, folder, false); });
}

Outcome Instance::verify(const Sample& sample, const std::filesystem::path& folder) {
    return called(false, [&](ProbeCall& call) { return installing(call, sample, folder, true); });
}

/// Installs once, as a host does: into a folder that gets another name afterwards.
Outcome Instance::prepare(const Sample& sample) {
    if (!needs_install(sample) || !installed_.empty())
        return {};
    const std::filesystem::path staging = made(folder_ / "staging");
    Outcome outcome = install(sample, staging);
    if (outcome.ok()) {
        installed_ = folder_ / "installed";
        std::filesystem::rename(staging, installed_);
    }
    return outcome;
}

dto_status Instance::execute(ProbeCall& call, const Sample& sample) {
    dto_execute request{};
    request.attempt = 1;
    request.task_id = abi_text("check-1");
    request.task_type = abi_text(sample.type);
    request.payload_json = abi_text(sample.payload);
    if (!installed_.empty()) {
        request.content_key = abi_text(content_key);
        request.install_dir = abi_text(installed_.native());
    }
    // A call that stays pending may look at its task until it is complete.
    const auto placed = std::make_shared<Placed>(request, first_execute, age_);
    const dto_status status =
        subject_.module().api.execute(instance_, call.abi(), placed->as<dto_execute>());
    if (status == DTO_PENDING && call.is_async) {
        std::unique_lock lock(call.mutex);
        call.changed.wait(lock, [&] { return call.completed; });
    }
    return status;
}

Outcome Instance::run_here(const Sample& sample) {
    if (Outcome prepared = prepare(sample); !prepared.ok())
        return prepared;
    return called(is_async(sample), [&](ProbeCall& call) { return execute(call, sample); });
}

/// The plugin's own cancel function, while the call cannot end.
void Instance::wake(ProbeCall& call) {
    const std::lock_guard ending(call.ending);
    if (subject_.module().api.cancel && call.alive)
        subject_.module().api.cancel(instance_, call.abi());
}

Outcome Instance::run(const Sample& sample) {
    constexpr std::chrono::milliseconds enough{100};  // it runs often, and shows nothing by waiting
    RunOptions options;
    if (sample.made_up)
        options.cancel_after = enough;
    return run(sample, options);
}

Outcome Instance::run(const Sample& sample, const RunOptions& options) {
    if (Outcome prepared = prepare(sample); !prepared.ok())
        return prepared;
    ProbeCall& call = host_.begin(is_async(sample));
    call.cancelled = options.cancelled;
    if (options.deadline.count() > 0)
        call.deadline = steady_clock::now() + options.deadline;
    const auto shared = std::make_shared<Shared>();
    std::thread([this, &call, sample, shared] {
        Outcome outcome = called(call, [&](ProbeCall& of) { return execute(of, sample); });
        const std::lock_guard lock(shared->mutex);
        shared->outcome = std::move(outcome);
        shared->done = true;
        shared->changed.notify_all();
    }).detach();

    const auto done = [&] { return shared->done; };
    std::unique_lock lock(shared->mutex);
    if (options.cancel_after.count() > 0 &&
        !shared->changed.wait_for(lock, options.cancel_after, done)) {
        lock.unlock();
        call.cancel();
        wake(call);
        lock.lock();
    }
    const bool limited =
        options.cancelled || options.cancel_after.count() > 0 || options.deadline.count() > 0;
    if (!limited)
        shared->changed.wait(lock, done);
    else if (!shared->changed.wait_for(lock, options.deadline + grace_of(subject_, sample), done))
        return {
            .status = DTO_PENDING, .result = {}, .message = {}, .thrown = {}, .returned = false};
    return shared->outcome;
}

std::vector<Outcome> Instance::run_batch(const Sample& sample, std::uint32_t count) {
    std::vector<ProbeCall*> calls;
    std::vector<dto_call*> handles;
    std::vector<dto_execute> requests(count);
    std::vector<const dto_execute*> tasks;
    std::vector<dto_status> statuses(count, DTO_PENDING);
    for (dto_execute& request : requests) {
        request.struct_size = sizeof request;
        request.attempt = 1;
        request.task_id = abi_text("check-1");
        request.task_type = abi_text(sample.type);
        request.payload_json = abi_text(sample.payload);
        if (!installed_.empty()) {
            request.content_key = abi_text(content_key);
            request.install_dir = abi_text(installed_.native());
        }
        calls.push_back(&host_.begin(is_async(sample)));
        handles.push_back(calls.back()->abi());
        tasks.push_back(&request);
    }
    std::string thrown;
    dto_status whole = DTO_PERMANENT;
    try {
        whole = subject_.module().api.execute_batch(
            instance_, handles.data(), tasks.data(), count, statuses.data());
    } catch (...) {
        thrown = "out of execute_batch";
    }
    std::vector<Outcome> outcomes;
    for (std::uint32_t i = 0; i < count; ++i) {
        const bool open = statuses[i] == DTO_PENDING && whole != DTO_OK;
        outcomes.push_back(finish(*calls[i], open ? whole : statuses[i], thrown));
    }
    return outcomes;
}

}  // namespace distributo::runtime::check
