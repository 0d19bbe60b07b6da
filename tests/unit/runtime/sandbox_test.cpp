#include "runtime/frame_messages.hpp"
#include "runtime/sandbox_hints.hpp"
#include "runtime/sandbox_seccomp.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace distributo::runtime {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#endif
constexpr int allowed = 0;

/// What the filter says to a call, as the kernel would run it: an error number, or `allowed`.
int verdict(const std::vector<sock_filter>& lines,
            long call,
            std::initializer_list<std::uint64_t> arguments = {},
            std::uint32_t arch = machine) {
    seccomp_data data{};
    data.nr = static_cast<int>(call);
    data.arch = arch;
    std::size_t next = 0;
    for (const auto argument : arguments)
        data.args[next++] = argument;
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < lines.size(); ++at) {
        const auto& line = lines[at];
        bool yes = false;
        switch (line.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + line.k, 4);
                continue;
            case BPF_RET | BPF_K:
                return (line.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW
                           ? allowed
                           : static_cast<int>(line.k & SECCOMP_RET_DATA);
            case BPF_JMP | BPF_JA | BPF_K:
                at += line.k;
                continue;
            case BPF_JMP | BPF_JEQ | BPF_K:
                yes = accumulator == line.k;
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                yes = accumulator >= line.k;
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                yes = (accumulator & line.k) != 0;
                break;
            default:
                ADD_FAILURE() << "unknown instruction " << line.code;
                return -1;
        }
        at += yes ? line.jt : line.jf;
    }
    ADD_FAILURE() << "the program has no end";
    return -1;
}

TEST(SyscallFilterTest, RefusesWhatNoTaskNeeds) {
    const auto filter = syscall_filter(false);
    for (const long call : {SYS_ptrace,
                            SYS_mount,
                            SYS_bpf,
                            SYS_kexec_load,
                            SYS_keyctl,
                            SYS_unshare,
                            SYS_setns,
                            SYS_process_vm_writev,
                            SYS_perf_event_open,
                            SYS_io_uring_setup})
        EXPECT_EQ(verdict(filter, call), EPERM) << call;
    for (const long call : {SYS_read, SYS_mmap, SYS_execve, SYS_kill, SYS_futex, SYS_exit_group})
        EXPECT_EQ(verdict(filter, call), allowed) << call;
}

TEST(SyscallFilterTest, LetsThreadsStartButNoNamespaces) {
    const auto filter = syscall_filter(false);
    EXPECT_EQ(verdict(filter, SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}), allowed);
    EXPECT_EQ(verdict(filter, SYS_clone, {CLONE_NEWUSER | SIGCHLD}), EPERM);
    EXPECT_EQ(verdict(filter, SYS_clone, {CLONE_NEWNET}), EPERM);
    EXPECT_EQ(verdict(filter, SYS_clone3), ENOSYS) << "callers then use clone";
}

TEST(SyscallFilterTest, KeepsTheMarkAndTheLimitsOfOthers) {
    const auto filter = syscall_filter(false);
    constexpr std::uint64_t somewhere = 0x7fff'0000'0000;
    EXPECT_EQ(verdict(filter, SYS_prlimit64, {0, RLIMIT_LOCKS, somewhere, 0}), EPERM);
    EXPECT_EQ(verdict(filter, SYS_prlimit64, {0, RLIMIT_LOCKS, 0, somewhere}), allowed);
    EXPECT_EQ(verdict(filter, SYS_prlimit64, {0, RLIMIT_NOFILE, somewhere, 0}), allowed);
    EXPECT_EQ(verdict(filter, SYS_prlimit64, {17, RLIMIT_NOFILE, somewhere, 0}), EPERM);
    EXPECT_EQ(verdict(filter, SYS_prlimit64, {17, RLIMIT_NOFILE, 0, somewhere}), allowed);
#if defined(SYS_setrlimit)
    EXPECT_EQ(verdict(filter, SYS_setrlimit, {RLIMIT_LOCKS, somewhere}), EPERM);
    EXPECT_EQ(verdict(filter, SYS_setrlimit, {RLIMIT_CORE, somewhere}), allowed);
#endif
}

TEST(SyscallFilterTest, RefusesSocketsOnlyWhenAsked) {
    EXPECT_EQ(verdict(syscall_filter(false), SYS_socket, {AF_INET}), allowed);
    EXPECT_EQ(verdict(syscall_filter(true), SYS_socket, {AF_INET}), EACCES);
    EXPECT_EQ(verdict(syscall_filter(true), SYS_socket, {AF_NETLINK}), EACCES);
    EXPECT_EQ(verdict(syscall_filter(true), SYS_socket, {AF_UNIX}), allowed);
    EXPECT_EQ(verdict(syscall_filter(true), SYS_read), allowed);
}

TEST(SyscallFilterTest, KnowsNoOtherMachine) {
    const auto filter = syscall_filter(false);
    EXPECT_EQ(verdict(filter, SYS_read, {}, AUDIT_ARCH_I386), ENOSYS);
    EXPECT_EQ(verdict(filter, 0x40000000L | SYS_ptrace), ENOSYS) << "the x32 ABI";
}

TEST(SandboxHintsTest, ASignalNamesTheLimitThatCausesIt) {
    SandboxPolicy policy;
    policy.plugin = "render";
    EXPECT_EQ(hint_for_signal(policy, SIGXFSZ), "");
    EXPECT_EQ(hint_for_signal(policy, SIGSEGV), "");
    policy.file_size = 8U << 20U;
    policy.memory = 1536U << 20U;
    EXPECT_EQ(hint_for_signal(policy, SIGXFSZ),
              "a file may have at most 8 MiB, see file_size in [plugin.render]");
    EXPECT_EQ(hint_for_signal(policy, SIGSEGV),
              "memory is limited to 1.5 GiB, see memory in [plugin.render]");
    EXPECT_EQ(hint_for_signal(policy, SIGTERM), "");
}

TEST(SandboxHintsTest, AnErrorNamesTheLimitThatCausesIt) {
    SandboxPolicy policy;
    policy.plugin = "p";
    policy.landlock = policy.seccomp = false;
    for (const int error : {EMFILE, ENOMEM, EFBIG, EAGAIN, EACCES, EPERM})
        EXPECT_EQ(hint_for_message(policy, std::strerror(error)), "") << error;

    policy.open_files = 64;
    policy.max_processes = 40;
    policy.seccomp = true;
    EXPECT_EQ(hint_for_message(policy, std::string("open: ") + std::strerror(EMFILE)),
              "it may have 64 open files, see open_files in [plugin.p]");
    EXPECT_EQ(hint_for_message(policy, std::strerror(EAGAIN)),
              "it may start 40 threads and processes, see max_processes in [plugin.p]");
    EXPECT_EQ(hint_for_message(policy, std::strerror(EPERM)),
              "the sandbox may have refused it, see without in [plugin.p]");
    EXPECT_EQ(hint_for_message(policy, "no such picture"), "");
}

TEST(SandboxHintsTest, APermissionDeniedMayBeAFileOrAConnection) {
    SandboxPolicy policy;
    policy.plugin = "p";
    const std::string message = std::string("open: ") + std::strerror(EACCES);
    const auto says = [&](const char* text) {
        return hint_for_message(policy, message).find(text) != std::string::npos;
    };
    policy.landlock = true;
    EXPECT_TRUE(says("see writable and readable in [plugin.p]"));
    policy.network = false;
    EXPECT_TRUE(says("see writable, readable and network in [plugin.p]"));
    policy.landlock = false;
    EXPECT_TRUE(says("it may not use the network, see network in [plugin.p]"));
}

TEST(SizeTextTest, IsShort) {
    EXPECT_EQ(size_text(100), "100 bytes");
    EXPECT_EQ(size_text(64U << 20U), "64 MiB");
    EXPECT_EQ(size_text(1536U << 20U), "1.5 GiB");
}

TEST(StartMessageTest, CarriesThePolicy) {
    SandboxPolicy policy;
    policy.plugin = "p";
    policy.memory = 1ULL << 40U;
    policy.memory_by = MemoryBy::rss;
    policy.network = false;
    policy.open_files = 1;
    policy.max_processes = 2;
    policy.file_size = 3;
    policy.landlock = false;
    policy.readable = {"/a", "/b"};
    policy.writable = {"/c"};
    std::string bytes;
    write_start(bytes, {.library = "/l", .setup = {}, .sandbox = policy});
    FrameBuffer buffer;
    const auto space = buffer.space();
    ASSERT_GE(space.size, bytes.size());
    std::memcpy(space.data, bytes.data(), bytes.size());
    buffer.filled(bytes.size());
    Frame frame;
    ASSERT_TRUE(buffer.next(frame));

    const auto read = read_start(frame);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->sandbox.plugin, "p");
    EXPECT_EQ(read->sandbox.memory, policy.memory);
    EXPECT_EQ(read->sandbox.memory_by, MemoryBy::rss);
    EXPECT_FALSE(read->sandbox.network);
    EXPECT_EQ(read->sandbox.open_files, 1U);
    EXPECT_EQ(read->sandbox.max_processes, 2U);
    EXPECT_EQ(read->sandbox.file_size, 3U);
    EXPECT_FALSE(read->sandbox.landlock);
    EXPECT_TRUE(read->sandbox.seccomp);
    EXPECT_EQ(read->sandbox.readable, policy.readable);
    EXPECT_EQ(read->sandbox.writable, policy.writable);
}

}  // namespace
}  // namespace distributo::runtime
