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
//
// The plugin's host here has all services: what a task emits is in Outcome::emitted, what it caches
// and its artifacts are kept by the Plugin. run_batch() gives tasks together, start() is for tasks
// that end later.
//
// A generator, and the one question that matters: is what it emits the same, however much room it
// gets and wherever it is stopped and goes on from its checkpoint?
//
//     distributo::testing::Generator numbers(DISTRIBUTO_PLUGIN_FILE);
//     DISTRIBUTO_EXPECT(numbers.open(R"({"last":3})").ok());
//     DISTRIBUTO_EXPECT_EQUAL(numbers.next(2).emitted.size(), 2U);
//     DISTRIBUTO_EXPECT_EQUAL(
//         distributo::testing::stream_fault(DISTRIBUTO_PLUGIN_FILE, R"({"last":3})"), "");
//
// A sink: open(), write() or deliver(), last_stored().

#include <distributo/detail/test_expect.hpp>
#include <distributo/detail/test_generator.hpp>
#include <distributo/detail/test_module.hpp>
#include <distributo/detail/test_sink.hpp>
#include <distributo/detail/test_stream.hpp>
#include <distributo/detail/test_task.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::testing {

using detail::TemporaryDirectory;

class Plugin;

/// A task that was started and may end later; made by Plugin::start(), which it must not outlive.
class Running {
public:
    /// True: it ends later, or has done so by now.
    [[nodiscard]] bool pending() const noexcept { return status_ == DTO_PENDING; }
    /// Cancels it like the host: cancelled() becomes 1, then the plugin is told.
    void cancel();
    /// Waits for its end and returns how it ended, once. Throws std::runtime_error when it has not
    /// ended within `limit`.
    Outcome outcome(std::chrono::milliseconds limit = detail::patience);

private:
    friend class Plugin;
    Running(Plugin& plugin, std::shared_ptr<detail::TestTask> task, dto_status status);

    Plugin* plugin_;
    std::shared_ptr<detail::TestTask> task_;
    dto_status status_;
};

/// A loaded plugin. Throws std::runtime_error with the reason when it is not one.
class Plugin {
public:
    explicit Plugin(const std::filesystem::path& library, Services services = Services::all)
        : module_(library, services) {}
    explicit Plugin(dto_entry_fn entry, Services services = Services::all)
        : module_(entry, services) {}

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
        detail::TestCall call({.stores = &stores_});
        dto_setup request{};
        request.struct_size = sizeof request;
        request.cpu_slots = 1;
        request.config_json = distributo::detail::to_abi(config_json);
        request.data_dir = distributo::detail::to_abi(data_dir);
        request.host_id = distributo::detail::to_abi("test-host");
        dto_status status = DTO_OK;
        if (!instance_made_) {
            const dto_host& host = module_.host().table;
            status = api_->create(&host, host.root, &instance_);
            instance_made_ = status == DTO_OK;
        }
        if (status == DTO_OK) {
            status = api_->setup(instance_, call.abi(), &request);
        }
        ready_ = status == DTO_OK;
        return call.outcome(status);
    }

    /// Runs a task and waits for its end, also when it ends later.
    Outcome run(std::string_view type,
                std::string_view payload_json,
                const RunOptions& options = {}) {
        return start(type, payload_json, options).outcome();
    }

    /// Calls execute and returns when that has returned.
    Running start(std::string_view type,
                  std::string_view payload_json,
                  const RunOptions& options = {}) {
        require_ready();
        auto task = make_task(type, payload_json, options);
        const dto_status status = api_->execute(instance_, task->call.abi(), &task->request);
        return {*this, std::move(task), status};
    }

    /// Runs tasks together, in groups of the type's max_batch like a host; one by one when the type
    /// takes no batches. The outcomes are in the order of the payloads.
    std::vector<Outcome> run_batch(std::string_view type,
                                   const std::vector<std::string>& payloads,
                                   const RunOptions& options = {}) {
        require_ready();
        const std::size_t most = this->type(type).max_batch;
        std::vector<Outcome> outcomes;
        if (most < 2 || !DTO_CAN(dto_task_api, api_, execute_batch)) {
            for (const std::string& payload : payloads) {
                outcomes.push_back(run(type, payload, options));
            }
            return outcomes;
        }
        const std::span<const std::string> all(payloads);
        for (std::size_t at = 0; at < all.size(); at += most) {
            run_group(type, all.subspan(at, std::min(most, all.size() - at)), options, outcomes);
        }
        return outcomes;
    }

    /// Installs into `dir`, which must exist; give the same to run() afterwards.
    Outcome install(std::string_view type,
                    std::string_view spec_json,
                    const std::filesystem::path& dir) {
        require_ready();
        return call_install(api_->install, "install", type, spec_json, dir);
    }

    /// Asks whether what an earlier install() left in `dir` is still good.
    Outcome verify(std::string_view type,
                   std::string_view spec_json,
                   const std::filesystem::path& dir) {
        require_ready();
        return call_install(api_->verify, "verify", type, spec_json, dir);
    }

    /// Asks the plugin whether its host is still able; the answer is the result.
    Outcome probe() {
        require_ready();
        if (api_->probe == nullptr) {
            throw std::runtime_error("the plugin has no probe function");
        }
        detail::TestCall call({.stores = &stores_});
        return call.outcome(api_->probe(instance_, call.abi()));
    }

    /// The bytes that the plugin has cached under a key.
    [[nodiscard]] std::optional<std::string> cached(std::string_view key) const {
        return stores_.cache.get(key);
    }
    void cache(std::string_view key, std::string_view value) {
        stores_.cache.put(key, std::string(value));
    }

    /// An artifact that the plugin has published, or the test has added.
    [[nodiscard]] std::optional<Artifact> artifact(std::string_view name) const {
        return stores_.artifacts.get(name);
    }
    void add_artifact(std::string_view name, Artifact artifact) {
        stores_.artifacts.put(name, std::move(artifact));
    }

    [[nodiscard]] const dto_module& module() const noexcept { return module_.table(); }
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
    friend class Running;

    void require_ready() {
        if (!ready_) {
            if (const Outcome outcome = setup(); !outcome.ok()) {
                throw std::runtime_error("setup failed: " + outcome.message);
            }
        }
    }

    std::shared_ptr<detail::TestTask> make_task(std::string_view type,
                                                std::string_view payload_json,
                                                const RunOptions& options) {
        return std::make_shared<detail::TestTask>(type, payload_json, options, stores_);
    }

    void run_group(std::string_view type,
                   std::span<const std::string> payloads,
                   const RunOptions& options,
                   std::vector<Outcome>& outcomes) {
        std::vector<std::shared_ptr<detail::TestTask>> tasks;
        std::vector<dto_call*> calls;
        std::vector<const dto_execute*> requests;
        for (const std::string& payload : payloads) {
            tasks.push_back(make_task(type, payload, options));
            calls.push_back(tasks.back()->call.abi());
            requests.push_back(&tasks.back()->request);
        }
        std::vector<dto_status> statuses(tasks.size(), DTO_PENDING);
        const dto_status all = api_->execute_batch(instance_,
                                                   calls.data(),
                                                   requests.data(),
                                                   static_cast<std::uint32_t>(tasks.size()),
                                                   statuses.data());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const bool open = statuses[i] == DTO_PENDING && all != DTO_OK;
            outcomes.push_back(Running(*this, tasks[i], open ? all : statuses[i]).outcome());
        }
    }

    Outcome call_install(dto_status(DTO_CALL* function)(void*, dto_call*, const dto_install*),
                         std::string_view name,
                         std::string_view type,
                         std::string_view spec_json,
                         const std::filesystem::path& dir) {
        if (function == nullptr) {
            throw std::runtime_error("the plugin has no function " + std::string(name));
        }
        const std::string path = dir.string();
        detail::TestCall call({.stores = &stores_});
        dto_install request{};
        request.struct_size = sizeof request;
        request.attempt = 1;
        request.task_type = distributo::detail::to_abi(type);
        request.content_key = distributo::detail::to_abi("test-key");
        request.spec_json = distributo::detail::to_abi(spec_json);
        request.staging_dir = distributo::detail::to_abi(path);
        return call.outcome(function(instance_, call.abi(), &request));
    }

    detail::TestModule module_;
    detail::TemporaryDirectory data_dir_;
    detail::TestStores stores_;
    std::vector<std::shared_ptr<detail::TestTask>> unended_;  // the plugin may still use them
    const dto_task_api* const api_ =
        &module_.interface<dto_task_api>(DTO_INTERFACE_TASK, "task types");
    void* instance_ = nullptr;
    bool instance_made_ = false;
    bool ready_ = false;
};

inline Running::Running(Plugin& plugin, std::shared_ptr<detail::TestTask> task, dto_status status)
    : plugin_(&plugin), task_(std::move(task)), status_(status) {
    if (pending()) {
        plugin_->unended_.push_back(task_);
    }
}

inline void Running::cancel() {
    task_->call.cancel();
    if (pending() && plugin_->api_->cancel != nullptr) {
        plugin_->api_->cancel(plugin_->instance_, task_->call.abi());
    }
}

inline Outcome Running::outcome(std::chrono::milliseconds limit) {
    if (!pending()) {
        return task_->call.outcome(status_);
    }
    if ((plugin_->type(distributo::detail::from_abi(task_->request.task_type)).flags &
         DTO_TASK_ASYNC) == 0) {
        Outcome outcome = task_->call.outcome(DTO_RETRY);
        outcome.message = "the plugin left the task pending, without DTO_TASK_ASYNC";
        return outcome;
    }
    const auto status = task_->call.wait_completed(limit);
    if (!status) {
        throw std::runtime_error("the task has not ended within " + std::to_string(limit.count()) +
                                 " ms");
    }
    std::erase(plugin_->unended_, task_);
    return task_->call.outcome(*status);
}

}  // namespace distributo::testing
