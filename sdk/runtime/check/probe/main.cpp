// distributo-check: one check of one plugin, in a process of its own. Started by
// `distributo plugin check` only, as
//
//     distributo-check <id> <library> <folder> <limit in ms>
//
// The folder holds samples.json and config.json, and is this probe's to write in. The verdict goes
// to descriptor 3 as one JSON object; without one the check has failed by the way it ended. The id
// "describe" answers with what the module declares.
#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe_verdict.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/// A fault must end this process as it would without the sanitizer: by the signal.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
           "detect_leaks=0";
}
#endif

namespace distributo::runtime::check {
namespace {

/// What no plugin needs in a check, so that a runaway one harms nobody.
void restrict_process() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_CORE, &no_core);
    constexpr rlim_t largest_file = rlim_t{1} << 30U;
    const rlimit file{.rlim_cur = largest_file, .rlim_max = largest_file};
    setrlimit(RLIMIT_FSIZE, &file);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // A generated payload may ask for any amount: it gets bad_alloc, and the machine stays usable.
    constexpr rlim_t most_memory = rlim_t{2} << 30U;
    const rlimit memory{.rlim_cur = most_memory, .rlim_max = most_memory};
    setrlimit(RLIMIT_DATA, &memory);
#endif
    fcntl(verdict_descriptor, F_SETFD, FD_CLOEXEC);
}

[[noreturn]] void on_terminate() {
    if (const auto thrown = std::current_exception()) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "an exception has no handler: %s\n", error.what());
        } catch (...) {
            std::fputs("an exception has no handler\n", stderr);
        }
    }
    std::abort();
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

void answer(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
        const ssize_t count = write(verdict_descriptor, text.data() + sent, text.size() - sent);
        if (count <= 0)
            return;
        sent += static_cast<std::size_t>(count);
    }
}

std::string run_check(std::string_view id, const ProbeRequest& request) {
    if (id == describe_id) {
        Subject subject(request);
        auto loaded = subject.open();
        if (loaded)
            loaded = subject.enter();
        if (loaded && subject.offers_tasks())
            loaded = subject.understand();
        if (!loaded)
            return verdict_text(broken("loading", loaded.error()));
        Instance instance(subject, Age::ordinary, "host");
        if (subject.module().api.discover)
            static_cast<void>(instance.start());  // lifecycle.setup says why it names no types
        return describe_module(subject);
    }
    for (const auto group : {load_checks(),
                             table_checks(),
                             lifecycle_checks(),
                             abuse_checks(),
                             execute_checks(),
                             limit_checks(),
                             negotiation_checks(),
                             install_checks(),
                             extension_checks()})
        for (const ProbeCheck& check : group)
            if (check.id == id)
                return verdict_text(check.run(request));
    return verdict_text(Verdict::failed("there is no such check"));
}

int run(int argc, char** argv) {
    if (argc != 5 || fcntl(verdict_descriptor, F_GETFD) < 0) {
        std::fputs("error: distributo-check is started by 'distributo plugin check', not by hand\n",
                   stderr);
        return 2;
    }
    restrict_process();
    std::set_terminate(&on_terminate);
    ProbeRequest request;
    request.library = argv[2];
    request.folder = argv[3];
    request.config = text_of(request.folder / config_file);
    if (auto samples = parse_samples(text_of(request.folder / samples_file)))
        request.samples = std::move(*samples);
    std::int64_t limit = 0;
    std::from_chars(argv[4], argv[4] + std::strlen(argv[4]), limit);
    request.limit = std::chrono::milliseconds(limit);
    if (chdir(argv[3]) != 0)
        return 2;
    answer(run_check(argv[1], request));
    std::fflush(nullptr);
    // Not exit(): what the plugin registered for the end may hang or crash, and is not in question.
    _exit(0);
}

}  // namespace
}  // namespace distributo::runtime::check

int main(int argc, char** argv) {
    return distributo::runtime::check::run(argc, argv);
}
