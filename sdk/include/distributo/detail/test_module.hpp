#pragma once

#include <distributo/detail/test_host.hpp>
#include <distributo/detail/test_library.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace distributo::testing {

/// What the host of the plugin has beside its table.
enum class Services { all, none };

namespace detail {

/// A library that was loaded, or linked, and entered. Everything of it must be closed before.
class TestModule {
public:
    TestModule(const std::filesystem::path& library, Services services)
        : library_(library), host_(services == Services::all) {
        enter(library_.entry());
    }
    TestModule(dto_entry_fn entry, Services services) : host_(services == Services::all) {
        enter(entry);
    }

    [[nodiscard]] const dto_module& table() const noexcept { return *module_; }
    [[nodiscard]] TestHost& host() noexcept { return host_; }

    /// Throws std::runtime_error when the library does not have it; `what` says what that means.
    template <class Api>
    [[nodiscard]] const Api& interface(const char* id, std::string_view what) const {
        const auto* const found = static_cast<const Api*>(module_->get_interface(id));
        if (found == nullptr) {
            throw std::runtime_error("the plugin offers no " + std::string(what));
        }
        return *found;
    }

private:
    void enter(dto_entry_fn entry) {
        std::string reason = "without a reason";
        dto_entry request{};
        request.struct_size = sizeof request;
        request.abi_minor = DTO_ABI_MINOR;
        request.host_name = distributo::detail::to_abi("distributo-testing");
        request.host_version = distributo::detail::to_abi("1.0.0");
        request.ctx = &reason;
        request.refuse = [](void* ctx, dto_str text) {
            *static_cast<std::string*>(ctx) = distributo::detail::from_abi(text);
        };
        module_ = entry(&request);
        if (module_ == nullptr) {
            throw std::runtime_error("the plugin refused to load: " + reason);
        }
        for (std::uint32_t i = 0; i < module_->required_count; ++i) {
            require_service(distributo::detail::from_abi(module_->required[i]));
        }
    }

    /// Members of the host's table, "host.scratch", are all there.
    void require_service(std::string_view id) const {
        if (!id.starts_with("host.") &&
            host_.table.get_service(&host_.table, std::string(id).c_str()) == nullptr) {
            throw std::runtime_error("the plugin requires " + std::string(id) +
                                     ", which this host does not have");
        }
    }

    TestLibrary library_;
    TestHost host_;
    const dto_module* module_ = nullptr;
};

}  // namespace detail
}  // namespace distributo::testing
