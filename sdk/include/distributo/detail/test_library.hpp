#pragma once

#include <distributo/abi.h>

#include <dlfcn.h>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace distributo::testing::detail {

/// A loaded library, or none; unloaded at the end.
class TestLibrary {
public:
    TestLibrary() = default;
    /// Throws std::runtime_error with the loader's reason.
    explicit TestLibrary(const std::filesystem::path& file)
        : path_(std::filesystem::absolute(file).string()),
          handle_(dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (!handle_) {
            throw std::runtime_error(std::string("cannot load the plugin: ") + dlerror());
        }
    }

    [[nodiscard]] dto_entry_fn entry() const {
        void* const symbol = dlsym(handle_.get(), DTO_ENTRY_SYMBOL);
        if (symbol == nullptr) {
            throw std::runtime_error(path_ + " does not export " + DTO_ENTRY_SYMBOL);
        }
        return reinterpret_cast<dto_entry_fn>(symbol);
    }

private:
    struct Unload {
        void operator()(void* library) const { dlclose(library); }
    };

    std::string path_;
    std::unique_ptr<void, Unload> handle_;
};

}  // namespace distributo::testing::detail
