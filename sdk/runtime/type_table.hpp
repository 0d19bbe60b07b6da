#pragma once

#include "runtime/calls.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace distributo::runtime {

/// A loaded module's task types, found by name.
class TypeTable {
public:
    void set(ModuleInfo module) {
        module_ = std::move(module);
        index_.clear();
        for (const auto& type : module_.types)
            index_.emplace(type.name, static_cast<std::uint16_t>(index_.size()));
    }
    [[nodiscard]] const ModuleInfo& module() const noexcept { return module_; }
    [[nodiscard]] std::optional<std::uint16_t> find(const std::string& type) const {
        const auto found = index_.find(type);
        return found == index_.end() ? std::nullopt : std::optional(found->second);
    }
    /// Time between asking a call of this type to end and ending it.
    [[nodiscard]] base::Duration grace(std::uint16_t type, base::Duration otherwise) const {
        const auto named = module_.types[type].cancel_grace_ms;
        return named > 0 ? base::Duration(std::chrono::milliseconds(named)) : otherwise;
    }

private:
    ModuleInfo module_;
    std::unordered_map<std::string, std::uint16_t> index_;
};

}  // namespace distributo::runtime
