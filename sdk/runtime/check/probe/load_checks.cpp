#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace distributo::runtime::check {
namespace {

constexpr std::string_view at_setup =
    "do it in setup(), the process may never be asked to run a task";

Verdict opens(const ProbeRequest& request) {
    Subject subject(request);
    const auto begin = std::chrono::steady_clock::now();
    if (auto opened = subject.open(); !opened)
        return Verdict::failed(opened.error().message,
                               "link it with -Wl,-z,defs to see this earlier");
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
    return Verdict::ok("in " + std::to_string(took.count()) + " µs");
}

Verdict starts_no_thread(const ProbeRequest& request) {
    Subject subject(request);
    const std::size_t before = thread_count();
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    const std::size_t after = thread_count();
    if (after == before)
        return Verdict::ok();
    return Verdict::failed(std::to_string(after - before) + " thread(s) run after loading",
                           std::string(at_setup));
}

Verdict opens_no_descriptor(const ProbeRequest& request) {
    Subject subject(request);
    const auto before = open_descriptors();
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    for (const int descriptor : open_descriptors())
        if (!before.contains(descriptor))
            return Verdict::failed("loading opens " + descriptor_target(descriptor),
                                   std::string(at_setup));
    return Verdict::ok();
}

Verdict prints_nothing(const ProbeRequest& request) {
    const int sink = memfd_create("output", MFD_CLOEXEC);
    if (sink < 0 || dup2(sink, STDOUT_FILENO) < 0 || dup2(sink, STDERR_FILENO) < 0)
        return Verdict::skipped(std::string("cannot redirect output: ") + std::strerror(errno));
    Subject subject(request);
    const auto opened = subject.open();
    if (opened)
        static_cast<void>(subject.enter());
    std::fflush(nullptr);
    if (!opened)
        return broken("loading", opened.error());
    char text[64];
    const ssize_t got = pread(sink, text, sizeof text, 0);
    if (got <= 0)
        return Verdict::ok();
    return Verdict::failed(
        "loading prints \"" + std::string(text, static_cast<std::size_t>(got)) + '"',
        "write to the log of a call, or print in a task");
}

Verdict keeps_signals(const ProbeRequest& request) {
    Subject subject(request);
    const auto before = ProcessState::take();
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    const auto after = ProcessState::take();
    for (std::size_t i = 0; i < before.handlers.size(); ++i)
        if (before.handlers[i] != after.handlers[i]) {
            const char* name = sigabbrev_np(static_cast<int>(i) + 1);
            return Verdict::failed(
                "loading changes the handler of " +
                    (name ? "SIG" + std::string(name) : "signal " + std::to_string(i + 1)),
                "signals belong to the host's process");
        }
    return Verdict::ok();
}

Verdict keeps_process(const ProbeRequest& request) {
    Subject subject(request);
    const auto before = ProcessState::take();
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    const auto after = ProcessState::take();
    std::string changed;
    if (before.folder != after.folder)
        changed = "the current directory, to " + after.folder;
    else if (before.locale != after.locale)
        changed = "the locale, to " + after.locale;
    else if (before.umask != after.umask)
        changed = "the umask";
    else if (before.environment != after.environment)
        changed = "the environment";
    if (changed.empty())
        return Verdict::ok();
    return Verdict::failed("loading changes " + changed, "these belong to the host's process");
}

/// Whether what is needed was found says the loader itself, in another process.
constexpr ProbeCheck checks[] = {
    {"load.opens", &opens},
    {"load.threads", &starts_no_thread},
    {"load.descriptors", &opens_no_descriptor},
    {"load.output", &prints_nothing},
    {"load.signals", &keeps_signals},
    {"load.process", &keeps_process},
};

}  // namespace

std::span<const ProbeCheck> load_checks() {
    return checks;
}

Verdict broken(std::string_view what, const base::Error& error) {
    return Verdict::failed(std::string(what) + " failed: " + error.message, error.hint);
}

Verdict broken(std::string_view what, const Outcome& outcome) {
    return Verdict::failed(std::string(what) + " " + describe(outcome));
}

}  // namespace distributo::runtime::check
