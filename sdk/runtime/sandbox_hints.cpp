#include "runtime/sandbox_hints.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace distributo::runtime {
namespace {

std::string see(const SandboxPolicy& policy, const char* key) {
    return std::string(", see ") + key + " in [plugin" +
           (policy.plugin.empty() ? "" : "." + policy.plugin) + "]";
}

std::string memory_hint(const SandboxPolicy& policy) {
    return "memory is limited to " + size_text(policy.memory) + see(policy, "memory");
}

std::string file_size_hint(const SandboxPolicy& policy) {
    return "a file may have at most " + size_text(policy.file_size) + see(policy, "file_size");
}

/// Both a file and a connection may have been refused: the message does not say.
std::string access_hint(const SandboxPolicy& policy) {
    constexpr const char* files =
        "the sandbox lets it write its own directories only and read no home directories";
    if (policy.landlock && !policy.network)
        return files + std::string(", nor use the network") +
               see(policy, "writable, readable and network");
    if (policy.landlock)
        return files + see(policy, "writable and readable");
    return policy.network ? std::string() : "it may not use the network" + see(policy, "network");
}

bool names(std::string_view message, int error) {
    return message.find(std::strerror(error)) != std::string_view::npos;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(units)) {
        value /= 1024;
        ++unit;
    }
    char text[32];
    const bool is_whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
    std::snprintf(text, sizeof(text), is_whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

std::string hint_for_signal(const SandboxPolicy& policy, int signal) {
    if (signal == SIGXFSZ && policy.file_size != 0)
        return file_size_hint(policy);
    // An allocation that failed unnoticed, or was noticed by nobody but terminate().
    const bool by_memory = signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT;
    return by_memory && policy.memory != 0 ? memory_hint(policy) : std::string();
}

std::string hint_for_message(const SandboxPolicy& policy, std::string_view message) {
    // The second is what the C++ layer says for std::bad_alloc.
    const bool no_memory = names(message, ENOMEM) || message == "out of memory" ||
                           message.find("bad_alloc") != std::string_view::npos;
    if (policy.memory != 0 && no_memory)
        return memory_hint(policy);
    if (policy.file_size != 0 && names(message, EFBIG))
        return file_size_hint(policy);
    if (policy.open_files != 0 && names(message, EMFILE))
        return "it may have " + std::to_string(policy.open_files) + " open files" +
               see(policy, "open_files");
    if (policy.max_processes != 0 && names(message, EAGAIN))
        return "it may start " + std::to_string(policy.max_processes) + " threads and processes" +
               see(policy, "max_processes");
    if (!policy.network && names(message, ENETUNREACH))
        return "it may not use the network" + see(policy, "network");
    if (names(message, EACCES))
        return access_hint(policy);
    if (policy.seccomp && names(message, EPERM))
        return "the sandbox may have refused it" + see(policy, "without");
    return {};
}

}  // namespace distributo::runtime
