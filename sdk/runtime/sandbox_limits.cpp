#include "runtime/sandbox_limits.hpp"

#include "runtime/sandbox.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

base::Result<void> limit(__rlimit_resource resource, std::uint64_t value, const char* what) {
    rlimit now{};
    getrlimit(resource, &now);
    // Without privileges a limit cannot be more than the host's own.
    const rlimit wanted{.rlim_cur = std::min<rlim_t>(value, now.rlim_max),
                        .rlim_max = std::min<rlim_t>(value, now.rlim_max)};
    if (setrlimit(resource, &wanted) != 0)
        return base::error(base::Errc::io,
                           std::string("cannot limit ") + what + ": " + std::strerror(errno));
    return {};
}

/// Threads of the user in the whole system: the limit counts those, not the children of one
/// process.
std::uint64_t threads_of(uid_t user) {
    std::uint64_t threads = 0;
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        const auto task = entry->path() / "task";
        struct stat about {};
        // A directory there has one link for each thread, besides the usual two.
        if (stat(task.c_str(), &about) == 0 && about.st_uid == user && about.st_nlink > 2)
            threads += about.st_nlink - 2;
    }
    return threads;
}

struct MemoryUse {
    std::uint64_t address_space = 0;
    std::uint64_t data = 0;
};

/// Of this process, in bytes.
MemoryUse memory_use() {
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128];
    const auto size = read(file, text, sizeof(text));
    close(file);
    std::uint64_t fields[6]{};  // size resident shared text lib data, in pages
    const char* at = text;
    const char* const end = text + std::max<ssize_t>(size, 0);
    for (auto& field : fields) {
        const auto [next, failure] = std::from_chars(at, end, field);
        if (failure != std::errc())
            break;
        at = next == end ? end : next + 1;
    }
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return {.address_space = fields[0] * page, .data = fields[5] * page};
}

}  // namespace

base::Result<void> set_limits(const SandboxPolicy& policy) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    const auto open_files = policy.open_files != 0 ? policy.open_files : files.rlim_cur;
    if (auto set = limit(RLIMIT_NOFILE, open_files, "open files"); !set)
        return set;
    if (policy.file_size != 0)
        if (auto set = limit(RLIMIT_FSIZE, policy.file_size, "the size of files"); !set)
            return set;
    if (policy.max_processes != 0)
        return limit(RLIMIT_NPROC, threads_of(getuid()) + policy.max_processes, "processes");
    return {};
}

void limit_memory(const SandboxPolicy& policy) {
    if (policy.memory == 0 || policy.memory_by == MemoryBy::rss)
        return;
    const auto use = memory_use();
    const bool all = policy.memory_by == MemoryBy::as;
    const rlim_t most = (all ? use.address_space : use.data) + policy.memory;
    const rlimit wanted{.rlim_cur = most, .rlim_max = most};
    setrlimit(all ? RLIMIT_AS : RLIMIT_DATA, &wanted);
}

void drop_privileges() {
    constexpr std::uint32_t kept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE |
                                   1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER | 1U << CAP_FSETID;
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct sets[2]{};
    if (syscall(SYS_capget, &header, sets) != 0)
        return;
    for (auto* const set : {&sets[0].effective, &sets[0].permitted, &sets[0].inheritable})
        *set &= kept;
    sets[1] = {};
    syscall(SYS_capset, &header, sets);
}

}  // namespace distributo::runtime
