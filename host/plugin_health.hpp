#pragma once

#include "runtime/calls.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <vector>

namespace distributo::host {

/// What one plugin version has done since it was loaded, over all its processes.
/// Not thread-safe: lives on the io_context.
class PluginHealth {
public:
    /// The next result of this call is an install's.
    void install_begun(runtime::CallId call) { installs_.push_back(call); }
    void ended(const std::vector<runtime::CallResult>& results);
    void process(const runtime::ProcessNews& news);
    /// The runner is gone with all of them.
    void no_processes() noexcept;
    /// Rises with everything that is counted.
    [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }
    /// Fills in the figures of `out`, not what it is called.
    void write(wire::PluginHealth& out) const;

private:
    bool take_install(runtime::CallId call);

    wire::PluginFigures figures_;
    std::vector<runtime::CallId> installs_;
    std::uint64_t dead_ = 0;  // processes that have not been replaced yet
    std::uint64_t revision_ = 0;
};

}  // namespace distributo::host
