#pragma once

#include "base/result.hpp"

#include <linux/filter.h>
#include <vector>

namespace distributo::runtime {

/// A filter program that refuses, with EPERM, what no task needs: to trace or read other processes,
/// to mount, to load kernel code, to make namespaces, to change the clock or the mark by which the
/// host knows its runners' processes. Whatever is not listed is allowed.
/// `no_sockets`: sockets, too, but Unix ones, with EACCES. Empty for machines it was not made for.
[[nodiscard]] std::vector<sock_filter> syscall_filter(bool no_sockets);

/// Puts this thread and all that it starts under the filter. Needs no_new_privs.
[[nodiscard]] base::Result<void> restrict_syscalls(bool no_sockets);

}  // namespace distributo::runtime
