#include "runtime/sandbox.hpp"

#include "runtime/sandbox_landlock.hpp"
#include "runtime/sandbox_limits.hpp"
#include "runtime/sandbox_network.hpp"
#include "runtime/sandbox_seccomp.hpp"

#include <utility>

namespace distributo::runtime {
namespace {

using wire::Layer;

/// Files and signals.
void enter_landlock(const SandboxPolicy& policy, const SandboxPaths& paths, SandboxReport& report) {
    const auto version = restrict_files(policy, paths);
    if (!version) {
        report.missing.push_back({Layer::landlock, version.error().message});
        report.missing.push_back({Layer::signal_scope, "it is a part of Landlock"});
        return;
    }
    report.active.add(Layer::landlock);
    if (*version >= landlock_scopes)
        report.active.add(Layer::signal_scope);
    else
        report.missing.push_back({Layer::signal_scope,
                                  "this kernel has version " + std::to_string(*version) +
                                      " of Landlock, which needs " +
                                      std::to_string(landlock_scopes)});
}

}  // namespace

base::Result<SandboxReport> enter_sandbox(const SandboxPolicy& policy, const SandboxPaths& paths) {
    SandboxReport report;
    report.active.add(Layer::no_new_privs);
    // A namespace first: what comes later forbids to make one.
    std::string no_namespace;
    if (!policy.network) {
        if (auto left = leave_network(); !left)
            no_namespace = left.error().message;
    }
    drop_privileges();
    if (auto set = set_limits(policy); !set)
        return set.error();
    if (policy.memory != 0)
        report.active.add(Layer::memory);
    if (policy.landlock)
        enter_landlock(policy, paths, report);

    const bool no_sockets = !no_namespace.empty();
    if (policy.seccomp || no_sockets) {
        if (auto filtered = restrict_syscalls(no_sockets); filtered)
            report.active.add(Layer::seccomp);
        else if (no_sockets)
            return base::error(base::Errc::unavailable,
                               "the network cannot be taken away: " + no_namespace + ", and " +
                                   filtered.error().message,
                               "set network = true for this plugin, or use another host");
        else
            report.missing.push_back({Layer::seccomp, filtered.error().message});
    }
    if (!policy.network)
        report.active.add(Layer::no_network);
    return report;
}

}  // namespace distributo::runtime
