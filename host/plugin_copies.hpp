#pragma once

#include "host/plugin_history.hpp"
#include "host/quarantine_book.hpp"
#include "runtime/plugin_copies.hpp"

#include <string>

namespace distributo::host {

/// The private copies of plugins, and what this host has learnt about them, beside them on disk.
class PluginCopies : public runtime::PluginCopies {
public:
    using runtime::PluginCopies::PluginCopies;

    /// What was saved; empty when nothing was. Reads the disk.
    [[nodiscard]] PluginHistory load_history() const;
    void save(const PluginHistory& history);
    [[nodiscard]] QuarantineBook load_quarantines(base::WallTime now) const;
    void save(const QuarantineBook& quarantines);

private:
    [[nodiscard]] std::string load(const char* name) const;
    void save(const char* name, std::string text);
};

}  // namespace distributo::host
