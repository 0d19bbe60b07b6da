#include "runtime/extension_frames.hpp"

#include <utility>

namespace distributo::runtime {
namespace {

FrameHeader header_of(FrameKind kind, CallId call, std::uint8_t status = 0) {
    return {.size = 0, .kind = kind, .status = status, .type = 0, .id = call};
}

void write_outcome(FrameWriter& out, const OutcomeView& outcome) {
    out.number(static_cast<std::int64_t>(outcome.sequence))
        .number(outcome.attempt)
        .number(outcome.status)
        .number(outcome.created_ms)
        .number(outcome.finished_ms);
    for (const auto text : {outcome.task_id,
                            outcome.task_type,
                            outcome.dedupe_key,
                            outcome.group,
                            outcome.generator,
                            outcome.host_id,
                            outcome.host_name,
                            outcome.state,
                            outcome.reason,
                            outcome.message,
                            outcome.payload,
                            outcome.result})
        out.text(text);
}

OutcomeView read_outcome(Frame& frame) {
    OutcomeView outcome;
    outcome.sequence = static_cast<std::uint64_t>(frame.number());
    outcome.attempt = static_cast<std::uint32_t>(frame.number());
    outcome.status = static_cast<std::int32_t>(frame.number());
    outcome.created_ms = frame.number();
    outcome.finished_ms = frame.number();
    for (auto* const text : {&outcome.task_id,
                             &outcome.task_type,
                             &outcome.dedupe_key,
                             &outcome.group,
                             &outcome.generator,
                             &outcome.host_id,
                             &outcome.host_name,
                             &outcome.state,
                             &outcome.reason,
                             &outcome.message,
                             &outcome.payload,
                             &outcome.result})
        *text = frame.text();
    return outcome;
}

void write_interface(FrameWriter& out, const std::optional<ExtensionInterface>& found) {
    out.number(found ? 1 : 0);
    if (found)
        out.text(found->name)
            .text(found->version)
            .text(found->config_schema)
            .number(found->takes_results ? 1 : 0);
}

std::optional<ExtensionInterface> read_interface(Frame& frame) {
    if (frame.number() == 0)
        return std::nullopt;
    ExtensionInterface found;
    found.name = frame.text();
    found.version = frame.text();
    found.config_schema = frame.text();
    found.takes_results = frame.number() != 0;
    return found;
}

void write_answer(FrameWriter& out, const ExtensionAnswer& answer) {
    out.text(answer.message).number(answer.retry_after_ms);
}

std::uint8_t status_of(const ExtensionAnswer& answer) {
    return static_cast<std::uint8_t>(answer.status);
}

ExtensionAnswer read_answer(Frame& frame) {
    ExtensionAnswer answer;
    frame.bad |=
        frame.header.status > static_cast<std::uint8_t>(ExtensionAnswer::Status::permanent);
    answer.status = static_cast<ExtensionAnswer::Status>(frame.header.status);
    answer.message = frame.text();
    answer.retry_after_ms = frame.number();
    return answer;
}

template <typename Message>
std::optional<Message> unless_bad(const Frame& frame, Message message) {
    if (frame.bad)
        return std::nullopt;
    return message;
}

}  // namespace

void write_open(std::string& out,
                CallId call,
                base::Duration timeout,
                ExtensionKind kind,
                std::string_view config,
                std::string_view checkpoint) {
    FrameWriter(out, header_of(FrameKind::open, call, static_cast<std::uint8_t>(kind)))
        .number(timeout.count())
        .text(config)
        .text(checkpoint);
}

void write_extension_call(std::string& out,
                          FrameKind kind,
                          CallId call,
                          base::Duration timeout,
                          std::uint32_t room,
                          std::span<const OutcomeView> outcomes) {
    FrameWriter frame(out, header_of(kind, call));
    frame.number(timeout.count()).number(room).number(static_cast<std::int64_t>(outcomes.size()));
    for (const auto& outcome : outcomes)
        write_outcome(frame, outcome);
}

std::optional<ExtensionWork> read_extension_work(Frame& frame) {
    ExtensionWork work;
    work.kind = frame.header.kind;
    work.call = frame.header.id;
    work.timeout = base::Duration(frame.number());
    if (work.kind == FrameKind::open) {
        work.extension = static_cast<ExtensionKind>(frame.header.status);
        work.config = frame.text();
        work.checkpoint = frame.text();
        return unless_bad(frame, std::move(work));
    }
    work.room = static_cast<std::uint32_t>(frame.number());
    for (auto left = frame.number(); left > 0 && !frame.bad; --left)
        work.outcomes.push_back(read_outcome(frame));
    return unless_bad(frame, std::move(work));
}

void write_extension(std::string& out, const ExtensionModule& module) {
    FrameWriter frame(out, header_of(FrameKind::extension, 0));
    frame.text(module.name).text(module.version).number(module.tasks ? 1 : 0);
    write_interface(frame, module.generator);
    write_interface(frame, module.sink);
}

std::optional<ExtensionModule> read_extension(Frame& frame) {
    ExtensionModule module;
    module.name = frame.text();
    module.version = frame.text();
    module.tasks = frame.number() != 0;
    module.generator = read_interface(frame);
    module.sink = read_interface(frame);
    return unless_bad(frame, std::move(module));
}

void write_opened(std::string& out, CallId call, const ExtensionOpened& opened) {
    FrameWriter frame(out, header_of(FrameKind::opened, call, status_of(opened.answer)));
    write_answer(frame, opened.answer);
    frame.number(static_cast<std::int64_t>(opened.last_stored));
}

std::optional<ExtensionOpened> read_opened(Frame& frame) {
    ExtensionOpened opened;
    opened.answer = read_answer(frame);
    opened.last_stored = static_cast<std::uint64_t>(frame.number());
    return unless_bad(frame, std::move(opened));
}

void write_batch(std::string& out, CallId call, const ExtensionBatch& batch) {
    FrameWriter frame(out, header_of(FrameKind::batch, call, status_of(batch.answer)));
    write_answer(frame, batch.answer);
    frame.text(batch.emitted)
        .number(batch.count)
        .number(batch.acknowledged)
        .number(batch.checkpoint ? 1 : 0)
        .text(batch.checkpoint ? std::string_view(*batch.checkpoint) : std::string_view());
}

std::optional<ExtensionBatch> read_batch(Frame& frame) {
    ExtensionBatch batch;
    batch.answer = read_answer(frame);
    batch.emitted = frame.text();
    batch.count = static_cast<std::uint32_t>(frame.number());
    batch.acknowledged = static_cast<std::uint32_t>(frame.number());
    const bool moved = frame.number() != 0;
    const auto checkpoint = frame.text();
    if (moved)
        batch.checkpoint = checkpoint;
    return unless_bad(frame, std::move(batch));
}

void write_written(std::string& out, CallId call, const ExtensionWritten& written) {
    FrameWriter frame(out, header_of(FrameKind::written, call, status_of(written.answer)));
    write_answer(frame, written.answer);
    frame.number(written.stored);
}

std::optional<ExtensionWritten> read_written(Frame& frame) {
    ExtensionWritten written;
    written.answer = read_answer(frame);
    written.stored = static_cast<std::uint32_t>(frame.number());
    return unless_bad(frame, std::move(written));
}

}  // namespace distributo::runtime
