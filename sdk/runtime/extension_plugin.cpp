#include "runtime/extension_plugin.hpp"

#include "runtime/abi_text.hpp"
#include "runtime/call_guard.hpp"
#include "runtime/contained.hpp"
#include "runtime/host_table.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace distributo::runtime {
namespace {

dto_status DTO_CALL emit(dto_call* call, const dto_task_spec* spec) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return spec ? owner.feed(call, *spec) : dto_status{DTO_PERMANENT};
    });
}

dto_status DTO_CALL checkpoint(dto_call* call, dto_bytes token) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return owner.checkpoint(call, {static_cast<const char*>(token.ptr), token.len});
    });
}

dto_feed feed_with(std::uint32_t room) {
    return {
        .struct_size = sizeof(dto_feed), .room = room, .emit = &emit, .checkpoint = &checkpoint};
}

FeedBook book_with(std::uint32_t room) {
    return {.tasks = FollowUps({.count = room, .bytes = wire::limits::feed_bytes}),
            .checkpoint = {}};
}

dto_result_view view_of(const OutcomeView& outcome) {
    dto_result_view view{};
    view.struct_size = sizeof view;
    view.attempt = outcome.attempt;
    view.seq = outcome.sequence;
    view.status = outcome.status;
    view.task_id = abi_text(outcome.task_id);
    view.task_type = abi_text(outcome.task_type);
    view.dedupe_key = abi_text(outcome.dedupe_key);
    view.group = abi_text(outcome.group);
    view.host_id = abi_text(outcome.host_id);
    view.message = abi_text(outcome.message);
    view.media_type = abi_text(outcome.result.empty() ? "" : "application/json");
    view.data = {outcome.result.data(), outcome.result.size()};
    view.state = abi_text(outcome.state);
    view.reason = abi_text(outcome.reason);
    view.payload_json = abi_text(outcome.payload);
    view.generator = abi_text(outcome.generator);
    view.host_name = abi_text(outcome.host_name);
    view.created_ms = outcome.created_ms;
    view.finished_ms = outcome.finished_ms;
    return view;
}

bool failed(const ExtensionAnswer& answer) {
    using Status = ExtensionAnswer::Status;
    return answer.status == Status::retry || answer.status == Status::permanent;
}

}  // namespace

ExtensionPlugin::ExtensionPlugin(PluginLibrary library,
                                 ExtensionTables tables,
                                 const std::filesystem::path& work_root,
                                 CallReporter& reporter)
    : library_(std::move(library)),
      tables_(std::move(tables)),
      reporter_(reporter),
      root_(reporter, {}),
      context_(reporter, work_root),
      host_(make_host_table()) {
    host_.root = root_.begin(0, base::TimePoint::max(), Call::Kind::root);
}

base::Result<std::unique_ptr<ExtensionPlugin>> ExtensionPlugin::load(
    const std::filesystem::path& file,
    const std::filesystem::path& work_root,
    CallReporter& reporter) {
    auto library = PluginLibrary::load(file);
    if (!library)
        return library.error();
    auto tables = check_extension(library->module());
    if (!tables)
        return tables.error();
    return std::unique_ptr<ExtensionPlugin>(
        new ExtensionPlugin(std::move(*library), std::move(*tables), work_root, reporter));
}

void ExtensionPlugin::cancel(CallId call) noexcept {
    for (CallId before = cancelled_; before < call;)
        if (cancelled_.compare_exchange_weak(before, call))
            break;
    context_.cancel(call, [](dto_call*) {});
}

/// One that was to end before it began.
void ExtensionPlugin::observe_cancel(CallId call) {
    if (cancelled_ >= call)
        context_.cancel(call, [](dto_call*) {});
}

template <typename Function>
ExtensionAnswer ExtensionPlugin::called(CallId call,
                                        dto_call* handle,
                                        Reply reply,
                                        const Function& function) {
    observe_cancel(call);
    auto status = contained(reporter_, 0, [&] { return function(handle); });
    ExtensionAnswer answer;
    if (reply == Reply::feed && (status == DTO_IDLE || status == DTO_END)) {
        answer.status =
            status == DTO_IDLE ? ExtensionAnswer::Status::idle : ExtensionAnswer::Status::end;
        status = DTO_OK;
    }
    CallResult result;
    static_cast<void>(context_.end(status, result));
    if (result.status == CallResult::Status::ok)
        return answer;
    answer.status = result.status == CallResult::Status::permanent
                        ? ExtensionAnswer::Status::permanent
                        : ExtensionAnswer::Status::retry;
    answer.message = std::move(result.message);
    answer.retry_after_ms = result.retry_after_ms;
    return answer;
}

ExtensionAnswer ExtensionPlugin::misplaced(std::string_view function) {
    return {.status = ExtensionAnswer::Status::permanent,
            .message = std::string(function) + " of something that is not open",
            .retry_after_ms = 0};
}

ExtensionOpened ExtensionPlugin::open(CallId call,
                                      base::TimePoint deadline,
                                      ExtensionKind kind,
                                      std::string_view config,
                                      std::string_view token) {
    const bool generator = kind == ExtensionKind::generator;
    const bool offered = generator ? info().generator.has_value() : info().sink.has_value();
    if (state_ != State::loaded || !offered)
        return {misplaced("open"), 0};
    ExtensionOpened opened;
    dto_call* const handle = context_.begin(call, deadline, Call::Kind::service);
    opened.answer = called(call, handle, Reply::plain, [&](dto_call* context) {
        if (generator)
            return tables_.generator.open(
                &host_, context, abi_text(config), {token.data(), token.size()}, &instance_);
        return tables_.sink.open(
            &host_, context, abi_text(config), &opened.last_stored, &instance_);
    });
    if (opened.answer.status == ExtensionAnswer::Status::ok)
        state_ = generator ? State::generator : State::sink;
    return opened;
}

ExtensionBatch ExtensionPlugin::next(CallId call, base::TimePoint deadline, std::uint32_t room) {
    ExtensionBatch batch;
    if (state_ != State::generator) {
        batch.answer = misplaced("next_batch");
        return batch;
    }
    auto book = book_with(room);
    const auto feed = feed_with(room);
    dto_call* const handle = context_.begin_feed(call, deadline, book);
    batch.answer = called(call, handle, Reply::feed, [&](dto_call* context) {
        return tables_.generator.next_batch(instance_, context, &feed, room);
    });
    if (failed(batch.answer))
        return batch;
    batch.count = book.tasks.count();
    batch.emitted = book.tasks.take();
    batch.checkpoint = std::move(book.checkpoint);
    return batch;
}

ExtensionBatch ExtensionPlugin::deliver(CallId call,
                                        base::TimePoint deadline,
                                        std::span<const OutcomeView> outcomes,
                                        std::uint32_t room) {
    ExtensionBatch batch;
    if (state_ != State::generator || !tables_.generator.on_result) {
        batch.answer = misplaced("on_result");
        return batch;
    }
    auto book = book_with(room);
    for (const auto& outcome : outcomes) {
        const auto mark = book.tasks.mark();
        const auto checkpoint_before = book.checkpoint;
        const auto feed = feed_with(room - mark.count);
        const auto view = view_of(outcome);
        dto_call* const handle = context_.begin_feed(call, deadline, book);
        auto answer = called(call, handle, Reply::feed, [&](dto_call* context) {
            return tables_.generator.on_result(instance_, context, &feed, &view);
        });
        if (failed(answer)) {
            book.tasks.back_to(mark);
            book.checkpoint = checkpoint_before;
            if (answer.status == ExtensionAnswer::Status::retry) {
                batch.answer = std::move(answer);
                break;
            }
            reporter_.log(0,
                          "plugin",
                          "error: the outcome of task " + std::string(outcome.task_id) +
                              " is of no use: " + answer.message);
        } else if (answer.status == ExtensionAnswer::Status::end) {
            batch.answer.status = ExtensionAnswer::Status::end;
        }
        ++batch.acknowledged;
    }
    batch.count = book.tasks.count();
    batch.emitted = book.tasks.take();
    batch.checkpoint = std::move(book.checkpoint);
    return batch;
}

ExtensionWritten ExtensionPlugin::write(CallId call,
                                        base::TimePoint deadline,
                                        std::span<const OutcomeView> outcomes) {
    ExtensionWritten written;
    if (state_ != State::sink) {
        written.answer = misplaced("write");
        return written;
    }
    std::vector<dto_result_view> views;
    std::vector<const dto_result_view*> pointers;
    views.reserve(outcomes.size());
    for (const auto& outcome : outcomes)
        pointers.push_back(&views.emplace_back(view_of(outcome)));
    const auto count = static_cast<std::uint32_t>(views.size());
    dto_call* const handle = context_.begin(call, deadline, Call::Kind::service);
    written.answer = called(call, handle, Reply::plain, [&](dto_call* context) {
        return tables_.sink.write(instance_, context, pointers.data(), count, &written.stored);
    });
    written.stored = std::min(written.stored, count);
    return written;
}

ExtensionWritten ExtensionPlugin::flush(CallId call, base::TimePoint deadline) {
    ExtensionWritten written;
    if (state_ != State::sink) {
        written.answer = misplaced("flush");
        return written;
    }
    dto_call* const handle = context_.begin(call, deadline, Call::Kind::service);
    written.answer = called(call, handle, Reply::plain, [&](dto_call* context) {
        return tables_.sink.flush(instance_, context);
    });
    return written;
}

void ExtensionPlugin::close() noexcept {
    const auto state = std::exchange(state_, State::gone);
    if (state != State::generator && state != State::sink)
        return;
    dto_call* const handle = context_.begin(0, base::TimePoint::max(), Call::Kind::service);
    const auto status = contained(reporter_, 0, [&] {
        (state == State::sink ? tables_.sink.close : tables_.generator.close)(instance_, handle);
        return dto_status{DTO_OK};
    });
    CallResult ignored;
    static_cast<void>(context_.end(status, ignored));
}

}  // namespace distributo::runtime
