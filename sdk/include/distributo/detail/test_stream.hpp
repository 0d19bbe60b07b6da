#pragma once

#include <distributo/detail/test_generator.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {
namespace detail {

/// So many tasks of a generator are looked at, which may have no end.
inline constexpr std::size_t stream_length = 1000;
/// The room per call that it is tried with, beside default_room: one task alone, and a number that
/// divides few others.
inline constexpr std::uint32_t rooms[] = {1, 7};

/// It is resumed after each of the first tasks, then after one in so many: each costs a stream.
inline constexpr std::size_t resumed_each = 100;
inline constexpr std::size_t resumed_then = 13;

using Tasks = std::span<const EmittedTask>;

inline std::string text_of(const EmittedTask& task) {
    std::string text = task.type + ' ' + task.payload;
    for (const auto& [name, value] : {std::pair(" key ", &task.dedupe_key),
                                      std::pair(" group ", &task.group),
                                      std::pair(" requires ", &task.requirements),
                                      std::pair(" install ", &task.install)}) {
        if (!value->empty()) {
            text += name + *value;
        }
    }
    return text;
}

/// What a generator should emit.
struct Expected {
    Tasks tasks;
    bool complete = false;  ///< nothing comes behind them
};

/// Where two streams differ; empty: nowhere within stream_length tasks.
inline std::string difference(Tasks got, const Expected& wanted, const std::string& how) {
    for (std::size_t i = 0; i < std::min(wanted.tasks.size(), stream_length); ++i) {
        if (i == got.size() || got[i] != wanted.tasks[i]) {
            return how + ": task " + std::to_string(i) + " is " +
                   (i == got.size() ? "missing" : text_of(got[i])) + "; it was " +
                   text_of(wanted.tasks[i]);
        }
    }
    if (wanted.complete && got.size() > wanted.tasks.size()) {
        return how + ": one task more, " + text_of(got[wanted.tasks.size()]);
    }
    return {};
}

inline std::string failure(const Outcome& outcome, const std::string& how) {
    return commits(outcome.status)
               ? ""
               : how + ": " + (outcome.message.empty() ? "no reason given" : outcome.message);
}

/// What a fresh generator emits from a checkpoint, against what it should.
template <class Library>
std::string compare(const Library& library,
                    std::string_view config,
                    std::string_view checkpoint,
                    std::uint32_t room,
                    const Expected& wanted,
                    const std::string& how) {
    Generator generator(library);
    if (std::string wrong = failure(generator.open(config, checkpoint), how + ": open");
        !wrong.empty()) {
        return wrong;
    }
    const Outcome all = generator.run(room, stream_length);
    std::string wrong = failure(all, how);
    return wrong.empty() ? difference(all.emitted, wanted, how) : wrong;
}

/// Opens it at each checkpoint that it sets when it may emit one task per call.
template <class Library>
std::string resume_fault(const Library& library,
                         std::string_view config,
                         const Expected& expected) {
    Generator slow(library);
    static_cast<void>(slow.open(config));
    for (std::size_t done = 0; done < std::min(expected.tasks.size(), stream_length);) {
        const Outcome step = slow.next(1);
        done += step.emitted.size();
        if (!step.ok() && step.emitted.empty()) {
            return "with room for 1, a second time: it stops after " + std::to_string(done) +
                   " tasks";
        }
        if (done > resumed_each && done % resumed_then != 0) {
            continue;
        }
        const std::string how = "from the checkpoint after " + std::to_string(done) + " tasks, " +
                                (slow.checkpoint().empty() ? "none" : slow.checkpoint());
        if (std::string wrong = compare(library,
                                        config,
                                        slow.checkpoint(),
                                        default_room,
                                        {expected.tasks.subspan(done), expected.complete},
                                        how);
            !wrong.empty()) {
            return wrong;
        }
    }
    return {};
}

}  // namespace detail

/// Drives the generator of a library: with room for 1, 7 and 1000 tasks per call, and stopped in
/// between and opened anew from its checkpoint. What is wrong when it does not always emit the
/// same tasks in the same order; empty: nothing. The first 1000 tasks are looked at; what it reads
/// must not change meanwhile, nor tasks contain the time. It is opened up to 175 times.
template <class Library>
[[nodiscard]] std::string stream_fault(const Library& library,
                                       std::string_view config_json = "{}") {
    Generator generator(library);
    if (std::string wrong = detail::failure(generator.open(config_json), "open"); !wrong.empty()) {
        return wrong;
    }
    const Outcome all = generator.run(default_room, detail::stream_length);
    if (std::string wrong = detail::failure(all, "next"); !wrong.empty()) {
        return wrong;
    }
    const detail::Expected expected{all.emitted, !all.ok()};
    for (const std::uint32_t room : detail::rooms) {
        const std::string how = "with room for " + std::to_string(room);
        if (std::string wrong = detail::compare(library, config_json, {}, room, expected, how);
            !wrong.empty()) {
            return wrong;
        }
    }
    return detail::resume_fault(library, config_json, expected);
}

}  // namespace distributo::testing
