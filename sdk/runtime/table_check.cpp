#include "runtime/table_check.hpp"

#include "base/semver.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/services.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace distributo::runtime {
namespace {

using base::Errc;

constexpr std::size_t module_v1 = offsetof(dto_module, get_interface) + sizeof(void*);

constexpr std::uint32_t must_understand = 0xFFFF'0000;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Services by id, the members of dto_host by name, as `required` names them.
bool host_has(std::string_view requirement) {
    static constexpr std::string_view members[] = {"log_enabled",
                                                   "log",
                                                   "set_error",
                                                   "progress",
                                                   "cancelled",
                                                   "wait",
                                                   "cancel_handle",
                                                   "remaining_ms",
                                                   "work_dir",
                                                   "result",
                                                   "result_reserve",
                                                   "result_commit",
                                                   "scratch",
                                                   "complete",
                                                   "notify",
                                                   "get_service"};
    constexpr std::string_view prefix = "host.";
    if (find_service(requirement) != nullptr)
        return true;
    return requirement.substr(0, prefix.size()) == prefix &&
           std::find(std::begin(members), std::end(members), requirement.substr(prefix.size())) !=
               std::end(members);
}

base::Result<void> check_required(const dto_module& module) {
    if (module.required_count != 0 && !module.required)
        return refused("its required is a null pointer, but required_count is " +
                       std::to_string(module.required_count));
    for (std::uint32_t i = 0; i < module.required_count; ++i) {
        const auto name = view_text(module.required[i]);
        if (!host_has(name))
            return refused("needs " + std::string(name) + ", which this host does not have",
                           "update this host");
    }
    return {};
}

}  // namespace

base::Error refused(std::string message, std::string hint) {
    return base::error(Errc::invalid_argument, std::move(message), std::move(hint));
}

base::Result<void> check_flags(std::uint32_t flags, std::uint32_t known, std::string_view where) {
    const std::uint32_t unknown = flags & must_understand & ~known;
    if (unknown == 0)
        return {};
    return refused(std::string(where) + " has flag bit " +
                       std::to_string(31 - __builtin_clz(unknown)) +
                       ", which a host must understand and this one does not",
                   "update this host");
}

base::Result<void> check_name(std::string_view name,
                              std::string_view what,
                              std::string_view separators) {
    const auto fits = [&](char c) {
        return is_alphanumeric(c) || separators.find(c) != separators.npos;
    };
    if (!name.empty() && name.size() <= wire::limits::type_length && is_alphanumeric(name[0]) &&
        std::ranges::all_of(name, fits))
        return {};
    return refused(
        "the " + std::string(what) + " \"" + std::string(name.substr(0, 100)) + "\" is not usable",
        "1 to " + std::to_string(wire::limits::type_length) + " of a-z 0-9 and any of " +
            std::string(separators) + ", a letter or digit first");
}

base::Result<void> check_version(std::string_view version, std::string_view of) {
    if (const auto parsed = base::parse_version(version); !parsed)
        return refused("the version of " + std::string(of) + ": " + parsed.error().message,
                       parsed.error().hint);
    return {};
}

base::Result<void> check_schema(std::string_view schema, std::string_view what) {
    if (schema.empty())
        return {};
    if (schema.size() > wire::limits::schema_length)
        return refused(std::string(what) + " is longer than " +
                       std::to_string(wire::limits::schema_length) + " bytes");
    if (auto parsed = wire::json::parse(schema); !parsed)
        return refused(std::string(what) + " is not JSON: " + parsed.error().message);
    return {};
}

base::Result<ModuleHead> check_head(const dto_module& declared) {
    auto module = own_copy(&declared, module_v1, "dto_module");
    if (!module)
        return module.error();
    ModuleHead head{.table = *module, .info = {}};
    auto& info = head.info;
    if (auto flags = check_flags(module->flags, DTO_MODULE_NEEDS_ISOLATION, "it"); !flags)
        return flags.error();
    info.name = copy_text(module->name);
    if (auto name = check_name(info.name, "plugin name", "._-"); !name)
        return name.error();
    info.version = copy_text(module->version);
    if (auto version = check_version(info.version, info.name); !version)
        return version.error();
    info.vendor = copy_text(module->vendor);
    info.license = copy_text(module->license);
    info.keep_loaded = (module->flags & DTO_MODULE_KEEP_LOADED) != 0;
    info.needs_isolation = (module->flags & DTO_MODULE_NEEDS_ISOLATION) != 0;
    if (auto required = check_required(*module); !required)
        return required.error();
    return head;
}

}  // namespace distributo::runtime
