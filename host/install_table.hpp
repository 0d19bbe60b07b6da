#pragma once

#include "host/task_slab.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace distributo::host {

/// Which installs exist on this host, which one is being made, and who waits for it.
class InstallTable {
public:
    enum class State : std::uint8_t { absent, running, ready };
    struct Entry {
        std::string key;
        State state = State::absent;
        std::uint32_t attempts = 0;          ///< installs that were started
        bool unverified = false;             ///< ready since an earlier run of the host
        bool verifying = false;              ///< running: no install, but a look at what is there
        std::vector<std::uint32_t> waiting;  ///< slots of tasks, first come first
    };

    /// An install that an earlier run of the host has finished.
    void add_ready(std::string key);

    /// The entry of this content; remembers the key, since hashing it costs more than a small task.
    [[nodiscard]] std::uint32_t find(std::string_view type,
                                     std::string_view spec,
                                     std::string_view plugin_digest);

    [[nodiscard]] Entry& operator[](std::uint32_t index) noexcept { return entries_[index]; }

private:
    std::uint32_t entry_of(std::string key);

    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::uint32_t> by_key_;
    std::unordered_map<std::string, std::uint32_t> by_content_;
};

/// SHA-256 of everything that an installed tree depends on; also the name of its directory.
[[nodiscard]] std::string content_key(std::string_view type,
                                      std::string_view spec,
                                      std::string_view plugin_digest);

}  // namespace distributo::host
