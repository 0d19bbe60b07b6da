// distributo-runner: one plugin in a process of its own. Started by a host only, with
//   0 /dev/null   1, 2 pipes   3 the socket to the supervisor   4 memory that both share
//   5, 6 the read ends of the pipes 1 and 2
// Of these, 4 is closed before the plugin is loaded, and its children inherit 0 to 2 only.
#include "runtime/executor.hpp"
#include "runtime/frame_messages.hpp"
#include "runtime/runner/extension_main.hpp"
#include "runtime/runner/last_sweep.hpp"
#include "runtime/runner/link.hpp"
#include "runtime/runner_descriptors.hpp"
#include "runtime/sandbox.hpp"
#include "runtime/shared_page.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <malloc.h>
#include <memory>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// A fault must end this process as it would without the sanitizer: by the signal.
#define FAULTS_BY_SIGNAL \
    "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return FAULTS_BY_SIGNAL ":detect_leaks=0";
}
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return FAULTS_BY_SIGNAL;
}
#endif

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

/// The supervisor's thread is gone: nobody is left to run for.
void end_all(int) {
    end_everything();
}

void restrict_process() {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, end_all);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_CORE, &none);
    for (const int descriptor : {descriptors::socket, descriptors::out_end, descriptors::error_end})
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    // A line that was printed before a crash has left the process.
    setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

SharedPage map_page() {
    struct stat about {};
    if (fstat(descriptors::memory, &about) != 0)
        return {};
    const auto size = static_cast<std::size_t>(about.st_size);
    void* const memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors::memory, 0);
    close(descriptors::memory);
    if (memory == MAP_FAILED)
        return {};
    return SharedPage::at(memory, size);
}

/// Programs ask these where they may write: the plugin's own directories, which is where the
/// sandbox lets them, and not what the host's user has.
base::Result<SandboxPaths> own_directories(const StartMessage& start) {
    const auto& setup = start.setup;
    const fs::path temporary = setup.work_root / "tmp";
    std::error_code error;
    fs::create_directories(temporary, error);
    if (error)
        return base::error(base::Errc::io,
                           "cannot create " + temporary.string() + ": " + error.message());
    setenv("TMPDIR", temporary.c_str(), 1);
    setenv("HOME", setup.data_dir.c_str(), 1);
    return SandboxPaths{.writable = {setup.data_dir, setup.work_root},
                        .readable = {fs::path(start.library).parent_path()}};
}

base::Result<SandboxReport> confine(const StartMessage& start) {
    // Every arena reserves 64 MiB of address space, which would count as the plugin's.
    if (start.sandbox.memory != 0 && start.sandbox.memory_by == MemoryBy::as)
        mallopt(M_ARENA_MAX, 1);
    const auto paths = own_directories(start);
    if (!paths)
        return paths.error();
    auto report = enter_sandbox(start.sandbox, *paths);
    // Entering a namespace may reset the one, and so does dropping privileges; the other keeps
    // processes of the same user from looking into this one.
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    prctl(PR_SET_DUMPABLE, 0);
    return report;
}

bool set_up(Executor& executor,
            Link& link,
            const StartMessage& start,
            const SandboxReport& sandbox) {
    auto plugin = TaskPlugin::load(start.library, link);
    if (!plugin) {
        report_failure(link, plugin.error().message);
        return false;
    }
    if (auto ready = (*plugin)->set_up(start.setup); !ready) {
        report_failure(link, ready.error().message);
        return false;
    }
    link.drain();
    std::string frame;
    ModuleInfo info = (*plugin)->info();
    info.sandbox = sandbox;
    write_ready(frame, info);
    executor.open(std::move(*plugin));
    link.send(frame);
    return true;
}

bool go_to_work(Link& link, const StartMessage& start) {
    if (start.directory.empty())
        return chdir(start.setup.data_dir.c_str()) == 0 || chdir("/") == 0;
    if (chdir(start.directory.c_str()) == 0)
        return true;
    report_failure(link, "cannot work in " + start.directory + ": " + std::strerror(errno));
    return false;
}

/// Before anything else: a runner that loses its supervisor kills its process group, which must
/// not be somebody's shell.
bool started_by_supervisor() {
    struct stat about {};
    return getpgrp() == getpid() && fstat(descriptors::socket, &about) == 0 &&
           S_ISSOCK(about.st_mode) && fcntl(descriptors::error_end, F_GETFD) >= 0;
}

int run() {
    if (!started_by_supervisor()) {
        std::fputs("error: distributo-runner is started by distributo-host, not by hand\n", stderr);
        return 2;
    }
    restrict_process();
    const auto page = map_page();
    if (page.slots.all.empty())
        return 2;
    const auto link = std::make_shared<Link>(
        descriptors::socket, descriptors::out_end, descriptors::error_end, page);
    auto first = link->next_frame();
    if (!first || first->header.kind != FrameKind::start)
        return 2;
    const auto start = read_start(*first);
    if (!start || start->setup.threads == 0 || page.slots.all.size() < start->setup.threads + 1)
        return 2;
    if (!go_to_work(*link, *start))
        return 1;
    // Before any other thread starts: they inherit it.
    link->confined_by(start->sandbox);
    const auto sandbox = confine(*start);
    if (!sandbox) {
        report_failure(*link, sandbox.error().message);
        return 1;
    }

    if (start->extension)
        _exit(run_extension(*link, *start));  // its threads go with it
    const auto executor =
        std::make_shared<Executor>(link,
                                   page.slots,
                                   Executor::Options{.threads = start->setup.threads,
                                                     .work_root = start->setup.work_root,
                                                     .source = link.get()});
    // Threads first: they see the supervisor go, and read what setup prints.
    executor->start();
    limit_memory(start->sandbox);
    if (!set_up(*executor, *link, *start, *sandbox))
        _exit(1);  // the threads are still reading
    while (!executor->wait_stopped(std::chrono::hours(1))) {
    }
    return 0;
}

}  // namespace
}  // namespace distributo::runtime

int main() {
    return distributo::runtime::run();
}
