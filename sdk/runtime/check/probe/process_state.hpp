#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

/// What a probe process looks like from inside, for comparing before and after.
namespace distributo::runtime::check {

[[nodiscard]] std::size_t thread_count();
/// Open descriptors, the one that lists them excluded.
[[nodiscard]] std::set<int> open_descriptors();
/// What a descriptor refers to, for messages: "/tmp/x", "socket:[123]".
[[nodiscard]] std::string descriptor_target(int descriptor);

/// Resident memory and heap in use, bytes.
struct Memory {
    std::int64_t resident = 0, heap = 0;
};
[[nodiscard]] Memory memory_in_use();

/// One line of /proc/self/maps.
struct Mapping {
    std::uintptr_t from = 0, to = 0;
    bool readable = false, executable = false;
    std::string file;
};
[[nodiscard]] std::vector<Mapping> mappings();

/// Things of the whole process that a plugin must leave as they are.
struct ProcessState {
    std::vector<std::string> handlers;  ///< address and flags, by signal number
    std::string folder, locale, umask;
    std::vector<std::string> environment;

    [[nodiscard]] static ProcessState take();
};

/// Waits until `holds`, at most about a second: threads and sockets need a moment to vanish.
template <typename Condition>
bool settles(const Condition& holds);

void short_pause();

template <typename Condition>
bool settles(const Condition& holds) {
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        if (holds())
            return true;
        short_pause();
    }
    return holds();
}

}  // namespace distributo::runtime::check
