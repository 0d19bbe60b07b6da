#include "runtime/task_plugin.hpp"

#include "runtime/abi_text.hpp"
#include "runtime/contained.hpp"
#include "runtime/host_table.hpp"

#include <utility>
#include <vector>

namespace distributo::runtime {
namespace {

using base::Errc;

base::Error failed(std::string_view where, CallResult result) {
    return base::error(Errc::unavailable, std::string(where) + " failed: " + result.message);
}

}  // namespace

TaskPlugin::TaskPlugin(PluginLibrary library, TaskModule module, CallReporter& reporter)
    : library_(std::move(library)),
      module_(std::move(module)),
      reporter_(reporter),
      root_(reporter, {}),
      host_(make_host_table()) {
    host_.root = root_.begin(0, base::TimePoint::max(), Call::Kind::root);
}

TaskPlugin::~TaskPlugin() {
    tear_down();
}

base::Result<std::unique_ptr<TaskPlugin>> TaskPlugin::load(const std::filesystem::path& file,
                                                           CallReporter& reporter) {
    auto library = PluginLibrary::load(file);
    if (!library)
        return library.error();
    auto module = check_module(library->module());
    if (!module)
        return module.error();
    std::unique_ptr<TaskPlugin> plugin(
        new TaskPlugin(std::move(*library), std::move(*module), reporter));
    if (auto created = plugin->create(); !created)
        return created.error();
    return plugin;
}

bool TaskPlugin::reentrant(std::uint32_t type) const noexcept {
    return (module_.flags[type] & DTO_TASK_REENTRANT) != 0;
}

base::Result<void> TaskPlugin::create() {
    Call context(reporter_, {});
    dto_call* const call = context.begin(0, base::TimePoint::max(), Call::Kind::service);
    const auto status =
        contained(reporter_, 0, [&] { return module_.api.create(&host_, call, &instance_); });
    CallResult result;
    static_cast<void>(context.end(status, result));
    if (result.status != CallResult::Status::ok)
        return failed("create", std::move(result));
    state_ = State::created;
    return {};
}

base::Result<void> TaskPlugin::set_up(const SetupRequest& request) {
    Call context(reporter_, request.work_root);
    dto_call* const call = context.begin(0, base::TimePoint::max(), Call::Kind::service);
    dto_setup setup{};
    setup.struct_size = sizeof setup;
    setup.cpu_slots = request.threads;
    setup.config_json = abi_text(request.config);
    setup.data_dir = abi_text(request.data_dir.native());
    setup.host_id = abi_text(request.host_id);
    const auto status =
        contained(reporter_, 0, [&] { return module_.api.setup(instance_, call, &setup); });
    CallResult result;
    static_cast<void>(context.end(status, result));
    if (result.status != CallResult::Status::ok)
        return failed("setup", std::move(result));
    state_ = State::ready;
    return module_.api.discover ? discover() : base::Result<void>();
}

base::Result<void> TaskPlugin::discover() {
    Call context(reporter_, {});
    dto_call* const call = context.begin(0, base::TimePoint::max(), Call::Kind::service);
    const dto_task_type* const* types = nullptr;
    std::uint32_t count = 0;
    const auto status = contained(
        reporter_, 0, [&] { return module_.api.discover(instance_, call, &types, &count); });
    CallResult result;
    static_cast<void>(context.end(status, result));
    if (result.status != CallResult::Status::ok)
        return failed("discover", std::move(result));
    return add_types(module_, types, count);
}

void TaskPlugin::run(Call& context,
                     const Work& work,
                     dto_execute& request,
                     base::TimePoint now,
                     CallResult& result) noexcept {
    const auto status = enter(context, work, request, now);
    static_cast<void>(context.end(status, result));
}

Call::Kind TaskPlugin::kind_of(const Work& work) const noexcept {
    if (work.kind != WorkKind::execute)
        return Call::Kind::service;
    return module_.info.types[work.type].async ? Call::Kind::async_task : Call::Kind::task;
}

dto_status TaskPlugin::enter(Call& context,
                             const Work& work,
                             dto_execute& request,
                             base::TimePoint now) noexcept {
    const auto deadline =
        work.timeout > base::Duration::zero() ? now + work.timeout : base::TimePoint::max();
    dto_call* const call = context.begin(work.id, deadline, kind_of(work));
    return contained(reporter_, work.id, [&] { return enter_function(call, work, request); });
}

dto_status TaskPlugin::enter_function(dto_call* call, const Work& work, dto_execute& request) {
    switch (work.kind) {
        case WorkKind::execute:
            describe(work, request);
            return module_.api.execute(instance_, call, &request);
        case WorkKind::probe:
            return module_.api.probe ? module_.api.probe(instance_, call) : dto_status{DTO_OK};
        case WorkKind::install:
        case WorkKind::verify:
            break;
    }
    return install(call, work);
}

void TaskPlugin::enter_batch(std::span<BatchCall> calls, base::TimePoint deadline) noexcept {
    const auto returned = contained(reporter_, calls.front().work->id, [&] {
        std::vector<dto_call*> handles;
        std::vector<const dto_execute*> requests;
        std::vector<dto_status> statuses(calls.size(), DTO_PENDING);
        for (auto& call : calls) {
            describe(*call.work, *call.request);
            handles.push_back(call.context->begin(call.work->id, deadline, kind_of(*call.work)));
            requests.push_back(call.request);
        }
        const auto status = module_.api.execute_batch(instance_,
                                                      handles.data(),
                                                      requests.data(),
                                                      static_cast<std::uint32_t>(calls.size()),
                                                      statuses.data());
        for (std::size_t i = 0; i < calls.size(); ++i)
            calls[i].status = statuses[i];
        return status;
    });
    // OK leaves what is pending as it is; anything else is the end of it.
    for (auto& call : calls)
        if (call.status == DTO_PENDING && returned != DTO_OK)
            call.status = returned;
}

void TaskPlugin::describe(const Work& work, dto_execute& request) const {
    request = {};
    request.struct_size = sizeof request;
    request.attempt = work.attempt;
    request.task_id = abi_text(work.task_id);
    request.task_type = abi_text(module_.info.types[work.type].name);
    request.payload_json = abi_text(work.body);
    request.content_key = abi_text(work.content_key);
    request.install_dir = abi_text(work.directory);
}

dto_status TaskPlugin::install(dto_call* call, const Work& work) {
    const auto function = work.kind == WorkKind::verify ? module_.api.verify : module_.api.install;
    if (!function)
        return DTO_OK;
    dto_install request{};
    request.struct_size = sizeof request;
    request.attempt = work.attempt;
    request.task_type = abi_text(module_.info.types[work.type].name);
    request.content_key = abi_text(work.content_key);
    request.spec_json = abi_text(work.body);
    request.staging_dir = abi_text(work.directory);
    return function(instance_, call, &request);
}

bool TaskPlugin::cancel(Call& context, CallId id) noexcept {
    return context.cancel(id, [&](dto_call* call) {
        if (module_.api.cancel)
            static_cast<void>(contained(reporter_, id, [&] {
                module_.api.cancel(instance_, call);
                return dto_status{DTO_OK};
            }));
    });
}

void TaskPlugin::tear_down() noexcept {
    const auto state = std::exchange(state_, State::gone);
    if (state == State::ready) {
        Call context(reporter_, {});
        dto_call* const call = context.begin(0, base::TimePoint::max(), Call::Kind::service);
        const auto status = contained(reporter_, 0, [&] {
            module_.api.teardown(instance_, call);
            return dto_status{DTO_OK};
        });
        CallResult ignored;
        static_cast<void>(context.end(status, ignored));
    }
    if (state == State::ready || state == State::created)
        static_cast<void>(contained(reporter_, 0, [&] {
            module_.api.destroy(instance_);
            return dto_status{DTO_OK};
        }));
}

}  // namespace distributo::runtime
