#pragma once

#include "base/clock.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "coordinator/extensions/make_extensions.hpp"
#include "coordinator/store/store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace distributo::coordinator {

/// The settings of a coordinator, checked.
struct Options {
    std::string address;          ///< numeric; both ports listen on it
    std::uint16_t host_port = 0;  ///< 0: any free one
    std::uint16_t http_port = 0;
    std::filesystem::path data_dir;
    bool memory = false;  ///< nothing outlives the process
    base::Duration commit_spacing{};
    store::Retention retention;
    std::uint64_t max_tasks = 0;
    std::uint64_t max_queued_bytes = 0;
    std::vector<std::filesystem::path> plugin_dirs;     ///< of generators and sinks; may be empty
    std::vector<extensions::Declaration> declarations;  ///< of the configuration file
    std::string service_type;                           ///< "_distributo._tcp"; empty: no discovery
    base::log::Options log;

    /// Only programs on this machine can connect.
    [[nodiscard]] bool is_local() const;
};

/// The flags of distributo-coordinator, for base::Config.
[[nodiscard]] std::vector<base::Option> option_list();

/// Reads and checks the values; fills in what depends on the machine.
[[nodiscard]] base::Result<Options> read_options(const base::Config& config);

}  // namespace distributo::coordinator
