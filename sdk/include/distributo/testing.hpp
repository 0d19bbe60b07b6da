#pragma once

// distributo/testing.hpp: run a plugin's tasks in a test, without a coordinator or a host.
//
//     distributo::testing::Plugin plugin(DISTRIBUTO_PLUGIN_FILE);   // or a pointer to the entry
//     auto outcome = plugin.run("demo.is_prime", R"({"n":7})");
//     DISTRIBUTO_EXPECT(outcome.ok());
//     DISTRIBUTO_EXPECT_EQUAL(outcome.result, R"({"prime":true})");
//     return distributo::testing::report();
//
// The library is loaded, checked and called as a host does it. Works with every test framework.

#include <distributo/detail/test_host.hpp>

#include <cstdint>
#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {

/// What a task is run with, beside its type and payload.
struct RunOptions {
    std::string task_id = "test";
    std::uint32_t attempt = 1;
    std::filesystem::path install_dir{};
    std::int64_t remaining_ms = -1;  ///< to the deadline; below 0: none
    /// The task is cancelled when it asks whether it is for the n-th time, 1 being the first;
    /// 0: never. wait() asks too.
    int cancel_at_check = 0;
};

/// A loaded plugin. Throws std::runtime_error with the reason when it is not one.
class Plugin {
public:
    explicit Plugin(const std::filesystem::path& library) {
        const std::string path = std::filesystem::absolute(library).string();
        library_.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
        if (!library_) {
            throw std::runtime_error(std::string("cannot load the plugin: ") + dlerror());
        }
        void* const symbol = dlsym(library_.get(), DTO_ENTRY_SYMBOL);
        if (symbol == nullptr) {
            throw std::runtime_error(path + " does not export " + DTO_ENTRY_SYMBOL);
        }
        enter(reinterpret_cast<dto_entry_fn>(symbol));
    }

    explicit Plugin(dto_entry_fn entry) { enter(entry); }

    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    ~Plugin() {
        if (instance_made_) {
            if (ready_) {
                detail::TestCall call;
                api_->teardown(instance_, call.abi());
            }
            api_->destroy(instance_);
        }
    }

    /// Calls setup, once; run() and install() do it with `{}` when the test has not.
    Outcome setup(std::string_view config_json = "{}") {
        const std::string data_dir = data_dir_.path().string();
        detail::TestCall call;
        dto_setup request{};
        request.struct_size = sizeof request;
        request.cpu_slots = 1;
        request.config_json = distributo::detail::to_abi(config_json);
        request.data_dir = distributo::detail::to_abi(data_dir);
        request.host_id = distributo::detail::to_abi("test-host");
        dto_status status = DTO_OK;
        if (!instance_made_) {
            status = api_->create(&host_.table, host_.table.root, &instance_);
            instance_made_ = status == DTO_OK;
        }
        if (status == DTO_OK) {
            status = api_->setup(instance_, call.abi(), &request);
        }
        ready_ = status == DTO_OK;
        return call.outcome(status);
    }

    Outcome run(std::string_view type,
                std::string_view payload_json,
                const RunOptions& options = {}) {
        require_ready();
        const std::string install_dir = options.install_dir.string();
        detail::TestCall call(options.cancel_at_check, options.remaining_ms);
        dto_execute request{};
        request.struct_size = sizeof request;
        request.attempt = options.attempt;
        request.task_id = distributo::detail::to_abi(options.task_id);
        request.task_type = distributo::detail::to_abi(type);
        request.payload_json = distributo::detail::to_abi(payload_json);
        request.install_dir = distributo::detail::to_abi(install_dir);
        if (!install_dir.empty()) {
            request.content_key = distributo::detail::to_abi("test-key");
        }
        return call.outcome(api_->execute(instance_, call.abi(), &request));
    }

    /// Installs into `dir`, which must exist; give the same to run() afterwards.
    Outcome install(std::string_view type,
                    std::string_view spec_json,
                    const std::filesystem::path& dir) {
        require_ready();
        if (api_->install == nullptr) {
            throw std::runtime_error("the plugin has no install function");
        }
        const std::string staging = dir.string();
        detail::TestCall call;
        dto_install request{};
        request.struct_size = sizeof request;
        request.attempt = 1;
        request.task_type = distributo::detail::to_abi(type);
        request.content_key = distributo::detail::to_abi("test-key");
        request.spec_json = distributo::detail::to_abi(spec_json);
        request.staging_dir = distributo::detail::to_abi(staging);
        return call.outcome(api_->install(instance_, call.abi(), &request));
    }

    [[nodiscard]] const dto_module& module() const noexcept { return *module_; }
    [[nodiscard]] const dto_task_api& api() const noexcept { return *api_; }

    /// The declaration of a type; throws when the plugin does not have it.
    [[nodiscard]] const dto_task_type& type(std::string_view name) const {
        for (std::uint32_t i = 0; i < api_->type_count; ++i) {
            if (distributo::detail::from_abi(api_->types[i]->name) == name) {
                return *api_->types[i];
            }
        }
        throw std::runtime_error("the plugin has no task type " + std::string(name));
    }

private:
    struct Unload {
        void operator()(void* library) const { dlclose(library); }
    };

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
        api_ = static_cast<const dto_task_api*>(module_->get_interface(DTO_INTERFACE_TASK));
        if (api_ == nullptr) {
            throw std::runtime_error("the plugin offers no tasks");
        }
    }

    void require_ready() {
        if (!ready_) {
            if (const Outcome outcome = setup(); !outcome.ok()) {
                throw std::runtime_error("setup failed: " + outcome.message);
            }
        }
    }

    std::unique_ptr<void, Unload> library_;
    detail::TemporaryDirectory data_dir_;
    detail::TestHost host_;
    const dto_module* module_ = nullptr;
    const dto_task_api* api_ = nullptr;
    void* instance_ = nullptr;
    bool instance_made_ = false;
    bool ready_ = false;
};

/// How many expectations failed in this program.
inline int& failures() {
    static int count = 0;
    return count;
}

inline void expect(bool holds, std::string_view what, std::string_view file, int line) {
    if (!holds) {
        ++failures();
        std::cerr << file << ':' << line << ": expected " << what << '\n';
    }
}

template <class Left, class Right>
void expect_equal(const Left& left, const Right& right, std::string_view file, int line) {
    std::ostringstream text;
    text << "\n  " << right << "\ngot\n  " << left;
    expect(left == right, text.str(), file, line);
}

/// The exit code for main().
inline int report() {
    if (failures() == 0) {
        std::cout << "all expectations hold\n";
        return 0;
    }
    std::cerr << failures() << " expectation(s) failed\n";
    return 1;
}

}  // namespace distributo::testing

#define DISTRIBUTO_EXPECT(condition) \
    ::distributo::testing::expect((condition), #condition, __FILE__, __LINE__)
#define DISTRIBUTO_EXPECT_EQUAL(got, wanted) \
    ::distributo::testing::expect_equal((got), (wanted), __FILE__, __LINE__)
