#include "runtime/sandbox_seccomp.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace distributo::runtime {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t native = 0;
#endif
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "low() is the first half of an argument");

/// Of 64-bit processes on x86: the calls of the x32 ABI, another way to everything.
constexpr std::uint32_t x32_calls = 0x40000000;

constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse(std::uint32_t error) {
    return SECCOMP_RET_ERRNO | error;
}

constexpr std::uint32_t new_namespace = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                        CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr int refused[] = {
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_getfd,
    SYS_kcmp,
    // namespaces and file systems
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    SYS_swapon,
    SYS_swapoff,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_acct,
    // the kernel
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_syslog,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // would do system calls that this filter does not see
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    // the machine
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_kexec_file_load,
#endif
};

class Program {
public:
    void load(std::size_t offset) {
        lines_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
    }
    void load_low(unsigned argument) { load(offset_of(argument)); }
    void load_high(unsigned argument) { load(offset_of(argument) + sizeof(std::uint32_t)); }
    /// Goes on with the next line if true, else leaves out `skip` lines.
    void unless(std::uint16_t test, std::uint32_t value, std::uint8_t skip) {
        lines_.push_back(
            BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, skip));
    }
    void end(std::uint32_t verdict) { lines_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
    std::vector<sock_filter> lines() && { return std::move(lines_); }

private:
    static constexpr std::size_t offset_of(unsigned argument) {
        return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t);
    }
    std::vector<sock_filter> lines_;
};

/// Threads, not namespaces.
void filter_clone(Program& program) {
    // Its flags are in memory, where a filter cannot look; libraries fall back to clone.
    program.unless(BPF_JEQ, SYS_clone3, 1);
    program.end(refuse(ENOSYS));
    program.unless(BPF_JEQ, SYS_clone, 4);
    program.load_low(0);
    program.unless(BPF_JSET, new_namespace, 1);
    program.end(refuse(EPERM));
    program.end(allow);
}

/// Limits of this process only, and not the one that marks it as a runner's.
void filter_limits(Program& program) {
#if defined(SYS_setrlimit)
    program.unless(BPF_JEQ, SYS_setrlimit, 4);
    program.load_low(0);
    program.unless(BPF_JEQ, RLIMIT_LOCKS, 1);
    program.end(refuse(EPERM));
    program.end(allow);
#endif
    program.unless(BPF_JEQ, SYS_prlimit64, 12);
    program.load_low(2);  // the new limit; null: only asks
    program.unless(BPF_JEQ, 0, 3);
    program.load_high(2);
    program.unless(BPF_JEQ, 0, 1);
    program.end(allow);
    program.load_low(0);
    program.unless(BPF_JEQ, 0, 4);
    program.load_low(1);
    program.unless(BPF_JEQ, RLIMIT_LOCKS, 1);
    program.end(refuse(EPERM));
    program.end(allow);
    program.end(refuse(EPERM));
}

void filter_sockets(Program& program) {
    program.unless(BPF_JEQ, SYS_socket, 4);
    program.load_low(0);
    program.unless(BPF_JEQ, AF_UNIX, 1);
    program.end(allow);
    program.end(refuse(EACCES));
}

}  // namespace

std::vector<sock_filter> syscall_filter(bool no_sockets) {
    if (native == 0)
        return {};
    Program program;
    program.load(offsetof(seccomp_data, arch));
    program.unless(BPF_JEQ, native, 1);
    program.unless(BPF_JA, 1, 0);
    program.end(refuse(ENOSYS));  // another machine's calls: 32-bit programs
    program.load(offsetof(seccomp_data, nr));
    program.unless(BPF_JGE, x32_calls, 1);
    program.end(refuse(ENOSYS));
    for (const int call : refused) {
        program.unless(BPF_JEQ, static_cast<std::uint32_t>(call), 1);
        program.end(refuse(EPERM));
    }
    filter_clone(program);
    filter_limits(program);
    if (no_sockets)
        filter_sockets(program);
    program.end(allow);
    return std::move(program).lines();
}

base::Result<void> restrict_syscalls(bool no_sockets) {
    auto lines = syscall_filter(no_sockets);
    if (lines.empty())
        return base::error(base::Errc::unavailable, "there is no filter for this machine");
    const sock_fprog program{.len = static_cast<unsigned short>(lines.size()),
                             .filter = lines.data()};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return base::error(base::Errc::unavailable,
                           std::string("the kernel refuses filters: ") + std::strerror(errno));
    return {};
}

}  // namespace distributo::runtime
