#include "runtime/check/probe/subject.hpp"

#include "base/version.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/check/payloads.hpp"

#include <algorithm>
#include <dlfcn.h>

namespace distributo::runtime::check {
namespace {

using base::Errc;

void DTO_CALL keep_reason(void* reason, dto_str text) {
    *static_cast<std::string*>(reason) = copy_text(text);
}

}  // namespace

std::string status_text(dto_status status) {
    switch (status) {
        case DTO_OK:
            return "DTO_OK";
        case DTO_RETRY:
            return "DTO_RETRY";
        case DTO_RETRY_ELSEWHERE:
            return "DTO_RETRY_ELSEWHERE";
        case DTO_PENDING:
            return "DTO_PENDING";
        case DTO_IDLE:
            return "DTO_IDLE";
        case DTO_END:
            return "DTO_END";
        case DTO_PERMANENT:
            return "DTO_PERMANENT";
        case DTO_CANCELLED:
            return "DTO_CANCELLED";
        case DTO_UNSUPPORTED:
            return "DTO_UNSUPPORTED";
        default:
            return "status " + std::to_string(status);
    }
}

std::string describe(const Outcome& outcome) {
    if (!outcome.returned)
        return "did not return";
    if (!outcome.thrown.empty())
        return "let an exception out: " + outcome.thrown;
    std::string text = "ended in " + status_text(outcome.status);
    if (outcome.status != DTO_OK)
        text += outcome.message.empty() ? ", without a reason" : ": " + outcome.message;
    return text;
}

base::Result<void> Subject::open() {
    handle_ = dlopen(request_.library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_) {
        const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
        return base::error(Errc::invalid_argument, reason ? reason : "dlopen gave no reason");
    }
    entry_ = reinterpret_cast<dto_entry_fn>(dlsym(handle_, DTO_ENTRY_SYMBOL));
    if (!entry_)
        return base::error(Errc::invalid_argument, "it does not export " DTO_ENTRY_SYMBOL);
    return {};
}

base::Result<void> Subject::enter(Age age) {
    constexpr std::size_t first_size = offsetof(dto_entry, refuse) + sizeof(void*);
    std::string reason;
    dto_entry request{};
    request.abi_minor = abi_minor(age);
    request.host_name = abi_text("distributo-check");
    request.host_version = abi_text(base::version);
    request.ctx = &reason;
    request.refuse = &keep_reason;
    const Placed placed(request, first_size, age);
    declared_ = entry_(placed.as<dto_entry>());
    if (declared_)
        return {};
    return base::error(Errc::invalid_argument,
                       reason.empty() ? "it refuses and gives no reason" : "it refuses: " + reason,
                       "call entry->refuse() before returning NULL");
}

bool Subject::offers_tasks() const {
    return declared_->get_interface && declared_->get_interface(DTO_INTERFACE_TASK);
}

base::Result<void> Subject::understand() {
    auto checked = check_module(*declared_);
    if (!checked)
        return checked.error();
    module_ = std::move(*checked);
    const dto_task_api& api = module_.api;
    tables_.assign(api.types, api.types + api.type_count);
    return {};
}

base::Result<void> Subject::learn(const dto_task_type* const* types, std::uint32_t count) {
    if (auto again = understand(); !again)
        return again.error();
    if (auto added = add_types(module_, types, count); !added)
        return added.error();
    tables_.insert(tables_.end(), types, types + count);
    return {};
}

base::Result<void> Subject::load(Age age) {
    if (auto done = open(); !done)
        return done.error();
    if (auto done = enter(age); !done)
        return done.error();
    return understand();
}

bool Subject::close() {
    return dlclose(std::exchange(handle_, nullptr)) == 0;
}

std::size_t Subject::type_index(std::string_view name) const {
    const auto& types = module_.info.types;
    const auto at = std::find_if(
        types.begin(), types.end(), [&](const auto& type) { return type.name == name; });
    return static_cast<std::size_t>(at - types.begin());
}

std::chrono::milliseconds grace_of(const Subject& subject, const Sample& sample) {
    constexpr std::chrono::milliseconds usual{10'000};  // of a host, when the type names none
    const auto& type = subject.module().info.types[subject.type_index(sample.type)];
    const auto own =
        type.cancel_grace_ms > 0 ? std::chrono::milliseconds(type.cancel_grace_ms) : usual;
    return std::min(own, subject.request().limit / 3);
}

std::vector<Sample> samples_of(const Subject& subject, std::vector<std::string>* made) {
    std::vector<Sample> samples;
    for (const TypeInfo& type : subject.module().info.types) {
        const std::size_t before = samples.size();
        const bool alone = subject.module().info.types.size() == 1;
        for (const Sample& given : subject.request().samples)
            if (given.type == type.name || (given.type.empty() && alone)) {
                samples.push_back(given);
                samples.back().type = type.name;
            }
        if (samples.size() != before)
            continue;
        Sample sample;
        sample.type = type.name;
        sample.made_up = true;
        if (!type.payload_schema.empty())
            if (const auto payloads = make_payloads(type.payload_schema, {});
                payloads && !payloads->valid.empty())
                sample.payload = payloads->valid.front();
        if (!type.install_schema.empty())
            if (const auto specs = make_payloads(type.install_schema, {});
                specs && !specs->valid.empty())
                sample.install = specs->valid.front();
        samples.push_back(std::move(sample));
        if (made)
            made->push_back(type.name);
    }
    return samples;
}

}  // namespace distributo::runtime::check
