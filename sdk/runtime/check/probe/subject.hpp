#pragma once

#include "base/result.hpp"
#include "runtime/check/probe/probe_host.hpp"
#include "runtime/check/samples.hpp"
#include "runtime/check/verdict.hpp"
#include "runtime/module_check.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace distributo::runtime::check {

/// What a probe is asked to do.
struct ProbeRequest {
    std::filesystem::path library;  ///< absolute
    std::filesystem::path folder;   ///< exists, empty, for this probe alone
    std::string config = "{}";
    std::vector<Sample> samples;
    std::chrono::milliseconds limit{};  ///< after that the probe is killed
};

/// How a call of the plugin ended.
struct Outcome {
    dto_status status = DTO_OK;
    std::string result = "null";
    std::string message;
    std::string thrown;    ///< what an escaped exception said; empty: none escaped
    bool returned = true;  ///< false: it is still running, and nothing else may be done
    bool result_lost = false;
    [[nodiscard]] bool ok() const { return status == DTO_OK && returned && thrown.empty(); }
};

[[nodiscard]] std::string status_text(dto_status status);
/// "ended in DTO_RETRY: out of memory" and the like.
[[nodiscard]] std::string describe(const Outcome& outcome);

/// The library in this process.
class Subject {
public:
    explicit Subject(const ProbeRequest& request) : request_(request) {}

    /// The steps of loading, each needs the one before.
    [[nodiscard]] base::Result<void> open();
    [[nodiscard]] base::Result<void> enter(Age age = Age::ordinary);
    [[nodiscard]] base::Result<void> understand();
    /// After enter(): has it the interface that understand() needs?
    [[nodiscard]] bool offers_tasks() const;
    /// All three.
    [[nodiscard]] base::Result<void> load(Age age = Age::ordinary);
    /// Takes over what discover() named, beside the constant types; the tables live as long as the
    /// instance does.
    [[nodiscard]] base::Result<void> learn(const dto_task_type* const* types, std::uint32_t count);
    /// True when dlclose said so; the subject can no longer be used.
    bool close();

    [[nodiscard]] const ProbeRequest& request() const noexcept { return request_; }
    [[nodiscard]] const dto_module* declared() const noexcept { return declared_; }
    [[nodiscard]] dto_entry_fn entry() const noexcept { return entry_; }
    [[nodiscard]] const TaskModule& module() const noexcept { return module_; }
    /// The tables of the types in module(), in the same order.
    [[nodiscard]] const std::vector<const dto_task_type*>& tables() const noexcept {
        return tables_;
    }
    [[nodiscard]] std::size_t type_index(std::string_view name) const;

private:
    const ProbeRequest& request_;
    void* handle_ = nullptr;
    dto_entry_fn entry_ = nullptr;
    const dto_module* declared_ = nullptr;
    TaskModule module_;
    std::vector<const dto_task_type*> tables_;
};

/// One instance of the plugin on a host of its own. Its functions call the plugin's.
class Instance {
public:
    Instance(Subject& subject, Age age, const std::string& name);

    [[nodiscard]] ProbeHost& host() noexcept { return host_; }

    [[nodiscard]] Outcome create();
    /// Setup, and discover() where there is one; the subject learns what it names.
    [[nodiscard]] Outcome set_up(const std::string& config);
    /// create and set_up with the configuration of the request.
    [[nodiscard]] Outcome start();
    [[nodiscard]] Outcome probe();
    void tear_down();
    void destroy();

    struct RunOptions {
        bool cancelled = false;                    ///< before it begins
        std::chrono::milliseconds cancel_after{};  ///< 0: never
        std::chrono::milliseconds deadline{};      ///< after its begin; 0: none
    };
    /// Runs one task, on a thread of its own, after the install that it needs. A sample that was
    /// made up is cancelled after a while.
    [[nodiscard]] Outcome run(const Sample& sample);
    [[nodiscard]] Outcome run(const Sample& sample, const RunOptions& options);
    /// The same on the calling thread and without a limit.
    [[nodiscard]] Outcome run_here(const Sample& sample);
    [[nodiscard]] std::vector<Outcome> run_batch(const Sample& sample, std::uint32_t count);
    /// Into `folder`, which exists and is empty.
    [[nodiscard]] Outcome install(const Sample& sample, const std::filesystem::path& folder);
    [[nodiscard]] Outcome verify(const Sample& sample, const std::filesystem::path& folder);

    [[nodiscard]] bool needs_install(const Sample& sample) const;
    [[nodiscard]] std::filesystem::path installed() const { return installed_; }
    void use_installed(std::filesystem::path folder) { installed_ = std::move(folder); }

private:
    using Function = std::function<dto_status(ProbeCall&)>;
    Outcome called(bool async, const Function& function);
    Outcome called(ProbeCall& call, const Function& function);
    void wake(ProbeCall& call);
    Outcome finish(ProbeCall& call, dto_status status, std::string thrown);
    [[nodiscard]] Outcome discover();
    [[nodiscard]] Outcome prepare(const Sample& sample);
    [[nodiscard]] bool is_async(const Sample& sample) const;
    [[nodiscard]] dto_status execute(ProbeCall& call, const Sample& sample);
    [[nodiscard]] dto_status installing(ProbeCall& call,
                                        const Sample& sample,
                                        const std::filesystem::path& folder,
                                        bool verify);

    Subject& subject_;
    const Age age_;
    const std::filesystem::path folder_;
    ProbeHost host_;
    void* instance_ = nullptr;
    std::filesystem::path installed_;
};

/// How long a call may go on after it was cancelled.
[[nodiscard]] std::chrono::milliseconds grace_of(const Subject& subject, const Sample& sample);

/// A sample of every task type: those given, else one made from the schema. `made` receives the
/// names of the types whose sample was made up.
[[nodiscard]] std::vector<Sample> samples_of(const Subject& subject,
                                             std::vector<std::string>* made);

}  // namespace distributo::runtime::check
