#pragma once

#include "base/result.hpp"

#include <distributo/abi.h>

#include <filesystem>
#include <memory>

namespace distributo::runtime {

/// A plugin's library in this process and the module that its entry function returned. The path
/// must be absolute and private to this content (see cache_plugin). Stays mapped for ever: no
/// plugin can promise that none of its threads, TLS destructors or handlers outlives a dlclose.
class PluginLibrary {
public:
    /// Runs the library's constructors and its entry function, but of a library that has none for
    /// this ABI nothing: the reason is read from its symbols.
    [[nodiscard]] static base::Result<PluginLibrary> load(const std::filesystem::path& library);

    PluginLibrary(PluginLibrary&&) noexcept;
    PluginLibrary& operator=(PluginLibrary&&) noexcept;
    ~PluginLibrary();

    /// As the library declares it, not yet checked; null members are possible.
    [[nodiscard]] const dto_module& module() const noexcept { return *module_; }

private:
    struct Image;
    explicit PluginLibrary(std::unique_ptr<Image> image);

    std::unique_ptr<Image> image_;
    const dto_module* module_ = nullptr;
};

}  // namespace distributo::runtime
