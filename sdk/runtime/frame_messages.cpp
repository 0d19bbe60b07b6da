#include "runtime/frame_messages.hpp"

#include <bit>

namespace distributo::runtime {
namespace {

void write_type(FrameWriter& out, const TypeInfo& type) {
    out.text(type.name).text(type.version).text(type.summary);
    out.text(type.payload_schema).text(type.result_schema).text(type.install_schema);
    out.number(type.max_concurrency)
        .number(type.timeout_ms)
        .number(type.cancel_grace_ms)
        .number(type.install_timeout_ms)
        .number(type.reentrant ? 1 : 0)
        .number(type.needs_install ? 1 : 0)
        .number(type.deterministic ? 1 : 0)
        .number(type.verifies ? 1 : 0)
        .number(type.async ? 1 : 0)
        .number(type.max_batch);
}

TypeInfo read_type(Frame& frame) {
    TypeInfo type;
    type.name = frame.text();
    type.version = frame.text();
    type.summary = frame.text();
    type.payload_schema = frame.text();
    type.result_schema = frame.text();
    type.install_schema = frame.text();
    type.max_concurrency = static_cast<std::uint32_t>(frame.number());
    type.timeout_ms = frame.number();
    type.cancel_grace_ms = frame.number();
    type.install_timeout_ms = frame.number();
    type.reentrant = frame.number() != 0;
    type.needs_install = frame.number() != 0;
    type.deterministic = frame.number() != 0;
    type.verifies = frame.number() != 0;
    type.async = frame.number() != 0;
    type.max_batch = static_cast<std::uint32_t>(frame.number());
    return type;
}

WorkKind kind_of(FrameKind kind) {
    switch (kind) {
        case FrameKind::install:
            return WorkKind::install;
        case FrameKind::verify:
            return WorkKind::verify;
        case FrameKind::probe:
            return WorkKind::probe;
        default:
            return WorkKind::execute;
    }
}

void write_list(FrameWriter& out, const std::vector<std::string>& list) {
    out.number(static_cast<std::int64_t>(list.size()));
    for (const auto& text : list)
        out.text(text);
}

std::vector<std::string> read_list(Frame& frame) {
    std::vector<std::string> list;
    const auto size = frame.number();
    for (std::int64_t i = 0; i < size && !frame.bad; ++i)
        list.emplace_back(frame.text());
    return list;
}

void write_policy(FrameWriter& out, const SandboxPolicy& policy) {
    out.text(policy.plugin)
        .number(static_cast<std::int64_t>(policy.memory))
        .number(static_cast<std::int64_t>(policy.memory_by))
        .number(policy.network ? 1 : 0)
        .number(policy.open_files)
        .number(policy.max_processes)
        .number(static_cast<std::int64_t>(policy.file_size))
        .number(policy.landlock ? 1 : 0)
        .number(policy.seccomp ? 1 : 0);
    write_list(out, policy.readable);
    write_list(out, policy.writable);
}

SandboxPolicy read_policy(Frame& frame) {
    SandboxPolicy policy;
    policy.plugin = frame.text();
    policy.memory = static_cast<std::uint64_t>(frame.number());
    policy.memory_by = static_cast<MemoryBy>(frame.number());
    policy.network = frame.number() != 0;
    policy.open_files = static_cast<std::uint32_t>(frame.number());
    policy.max_processes = static_cast<std::uint32_t>(frame.number());
    policy.file_size = static_cast<std::uint64_t>(frame.number());
    policy.landlock = frame.number() != 0;
    policy.seccomp = frame.number() != 0;
    policy.readable = read_list(frame);
    policy.writable = read_list(frame);
    return policy;
}

void write_report(FrameWriter& out, const SandboxReport& report) {
    out.number(report.active.bits()).number(static_cast<std::int64_t>(report.missing.size()));
    for (const auto& missing : report.missing)
        out.number(static_cast<std::int64_t>(missing.layer)).text(missing.why);
}

SandboxReport read_report(Frame& frame) {
    SandboxReport report;
    report.active = wire::Layers::of_bits(static_cast<std::uint32_t>(frame.number()));
    const auto missing = frame.number();
    for (std::int64_t i = 0; i < missing && !frame.bad; ++i) {
        const auto layer = frame.number();
        const auto why = frame.text();
        if (layer >= 0 && layer < static_cast<std::int64_t>(wire::layer_count))
            report.missing.push_back({static_cast<wire::Layer>(layer), std::string(why)});
    }
    return report;
}

FrameHeader header(FrameKind kind, CallId id = 0, std::uint16_t type = 0) {
    return {.size = 0, .kind = kind, .status = 0, .type = type, .id = id};
}

}  // namespace

void write_start(std::string& out, const StartMessage& message) {
    const auto& setup = message.setup;
    auto start = header(FrameKind::start);
    start.status = message.extension ? 1 : 0;
    FrameWriter frame(out, start);
    frame.text(message.library)
        .text(setup.data_dir.native())
        .text(setup.work_root.native())
        .text(message.directory)
        .text(setup.host_id)
        .text(setup.config)
        .number(setup.threads);
    write_policy(frame, message.sandbox);
}

std::optional<StartMessage> read_start(Frame& frame) {
    StartMessage message;
    message.library = frame.text();
    message.setup.data_dir = frame.text();
    message.setup.work_root = frame.text();
    message.directory = frame.text();
    message.extension = frame.header.status == 1;
    message.setup.host_id = frame.text();
    message.setup.config = frame.text();
    message.setup.threads = static_cast<std::uint32_t>(frame.number());
    message.sandbox = read_policy(frame);
    if (frame.bad)
        return std::nullopt;
    return message;
}

void write_execute(std::string& out, CallId id, std::uint16_t type, const ExecuteCall& call) {
    FrameWriter(out, header(FrameKind::execute, id, type))
        .number(call.attempt)
        .number(call.timeout.count())
        .text(call.payload)
        .text(call.task_id)
        .text(call.content_key)
        .text(call.install_dir);
}

void write_install(std::string& out, CallId id, std::uint16_t type, const InstallCall& call) {
    const auto kind = call.verify ? FrameKind::verify : FrameKind::install;
    FrameWriter(out, header(kind, id, type))
        .number(call.attempt)
        .number(call.timeout.count())
        .text(call.spec)
        .text({})
        .text(call.content_key)
        .text(call.staging_dir);
}

void write_probe(std::string& out, CallId id, base::Duration timeout) {
    FrameWriter(out, header(FrameKind::probe, id))
        .number(1)
        .number(timeout.count())
        .text({})
        .text({})
        .text({})
        .text({});
}

std::optional<Work> read_work(Frame& frame) {
    Work work;
    work.id = frame.header.id;
    work.type = frame.header.type;
    work.kind = kind_of(frame.header.kind);
    work.attempt = static_cast<std::uint32_t>(frame.number());
    work.timeout = base::Duration(frame.number());
    work.body = frame.text();
    work.task_id = frame.text();
    work.content_key = frame.text();
    work.directory = frame.text();
    if (frame.bad)
        return std::nullopt;
    return work;
}

void write_ready(std::string& out, const ModuleInfo& module) {
    FrameWriter frame(out, header(FrameKind::ready));
    frame.text(module.name).text(module.version).text(module.vendor).text(module.license);
    frame.number(module.keep_loaded ? 1 : 0).number(module.needs_isolation ? 1 : 0);
    frame.number(module.probes ? 1 : 0);
    write_report(frame, module.sandbox);
    frame.number(static_cast<std::int64_t>(module.types.size()));
    for (const auto& type : module.types)
        write_type(frame, type);
}

std::optional<ModuleInfo> read_ready(Frame& frame) {
    ModuleInfo module;
    module.name = frame.text();
    module.version = frame.text();
    module.vendor = frame.text();
    module.license = frame.text();
    module.keep_loaded = frame.number() != 0;
    module.needs_isolation = frame.number() != 0;
    module.probes = frame.number() != 0;
    module.sandbox = read_report(frame);
    const auto types = frame.number();
    for (std::int64_t i = 0; i < types && !frame.bad; ++i)
        module.types.push_back(read_type(frame));
    if (frame.bad)
        return std::nullopt;
    return module;
}

void write_result(std::string& out, const CallResult& result) {
    auto head = header(FrameKind::result, result.call);
    head.status = static_cast<std::uint8_t>(result.status);
    FrameWriter(out, head)
        .number(result.elapsed_us)
        .number(result.retry_after_ms)
        .text(result.result)
        .text(result.message)
        .text(result.detail)
        .text(result.emitted);
}

std::optional<CallResult> read_result(Frame& frame) {
    CallResult result;
    result.call = frame.header.id;
    // timeout, crashed and aborted are the supervisor's to say.
    if (frame.header.status > static_cast<std::uint8_t>(CallResult::Status::cancelled))
        return std::nullopt;
    result.status = static_cast<CallResult::Status>(frame.header.status);
    result.elapsed_us = frame.number();
    result.retry_after_ms = frame.number();
    result.result = frame.text();
    result.message = frame.text();
    result.detail = frame.text();
    result.emitted = frame.text();
    if (frame.bad)
        return std::nullopt;
    return result;
}

void write_log(std::string& out, CallId id, std::string_view stream, std::string_view text) {
    FrameWriter(out, header(FrameKind::log, id)).text(stream).text(text);
}

void write_progress(std::string& out, CallId id, double fraction, std::string_view text) {
    FrameWriter(out, header(FrameKind::progress, id))
        .number(std::bit_cast<std::int64_t>(fraction))
        .text(text);
}

}  // namespace distributo::runtime
