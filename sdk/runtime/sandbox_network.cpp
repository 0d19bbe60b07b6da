#include "runtime/sandbox_network.hpp"

#include "runtime/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

bool write_file(const char* path, const std::string& text) {
    const Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
    return file.ok() &&
           write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string same(unsigned id) {
    return std::to_string(id) + ' ' + std::to_string(id) + " 1\n";
}

/// Programs that talk to themselves over 127.0.0.1 keep working.
void bring_loopback_up() {
    const Descriptor socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    if (!socket_.ok() || ioctl(socket_.get(), SIOCGIFFLAGS, &request) != 0)
        return;
    request.ifr_flags |= IFF_UP;
    ioctl(socket_.get(), SIOCSIFFLAGS, &request);
}

}  // namespace

base::Result<void> leave_network() {
    const auto refused = [](const char* what) {
        return base::error(base::Errc::unavailable,
                           std::string(what) + " is refused: " + std::strerror(errno));
    };
    if (unshare(CLONE_NEWNET) != 0) {
        const auto user = getuid();
        const auto group = getgid();
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            return refused("a user namespace");
        // Without these it would see itself as nobody, and could not open its own files by name.
        write_file("/proc/self/setgroups", "deny");
        if (!write_file("/proc/self/uid_map", same(user)) ||
            !write_file("/proc/self/gid_map", same(group)))
            return refused("mapping the user into its namespace");
    }
    bring_loopback_up();
    return {};
}

}  // namespace distributo::runtime
