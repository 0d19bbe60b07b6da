#include "host/offer.hpp"

#include "base/log.hpp"
#include "wire/codec.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace distributo::host {
namespace {

namespace limits = wire::limits;

std::string fault_of_schema(const std::string& type, const char* which, const std::string& text) {
    if (text.empty())
        return {};
    std::string fault = "the " + std::string(which) + " schema of " + type;
    if (text.size() > limits::schema_length)
        return fault + " has " + std::to_string(text.size()) + " bytes, more than the " +
               std::to_string(limits::schema_length) + " allowed";
    if (auto value = wire::json::parse(text); !value)
        return fault + " is not JSON: " + value.error().message;
    return {};
}

std::string fault_of_type(const runtime::TypeInfo& type) {
    if (type.name.empty() || type.name.size() > limits::type_length)
        return "declares a type name of " + std::to_string(type.name.size()) +
               " bytes, expected 1 to " + std::to_string(limits::type_length);
    for (const auto& [which, text] : {std::pair("payload", &type.payload_schema),
                                      std::pair("result", &type.result_schema),
                                      std::pair("install", &type.install_schema)})
        if (auto fault = fault_of_schema(type.name, which, *text); !fault.empty())
            return fault;
    return {};
}

/// At least 1 while there is anything to wait for: 0 means "nothing known".
std::int64_t milliseconds_until(base::TimePoint then, base::TimePoint now) {
    return std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(then - now).count(),
                                  1);
}

}  // namespace

std::string fault_of(const runtime::ModuleInfo& module) {
    if (module.types.empty())
        return "declares no task type";
    std::set<std::string_view> names;
    for (const auto& type : module.types) {
        if (auto fault = fault_of_type(type); !fault.empty())
            return fault;
        if (!names.insert(type.name).second)
            return "declares the type " + type.name + " twice";
    }
    return {};
}

std::int64_t seconds_until(base::TimePoint then, base::TimePoint now) {
    return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(then - now).count(), 0);
}

void describe_quarantine(const Plugin& plugin, base::TimePoint now, wire::RefusedPlugin& out) {
    const auto& module = plugin.module();
    out.quarantined = true;
    out.retry_ms = milliseconds_until(plugin.quarantine()->until, now);
    out.plugin = module.name;
    out.version = module.version;
    out.digest = plugin.digest();
    for (const auto& type : module.types)
        out.types.push_back(type.name);
}

wire::PluginHealth health_of(const Plugin& plugin, base::TimePoint now) {
    wire::PluginHealth health;
    health.plugin = plugin.module().name;
    health.version = plugin.module().version;
    health.digest = plugin.digest();
    health.file = plugin.file().filename().string();
    health.isolation = to_string(plugin.isolation());
    plugin.health().write(health);
    if (plugin.stopping()) {
        health.state = wire::PluginState::draining;
    } else if (const auto* quarantine = plugin.quarantine()) {
        health.state = wire::PluginState::quarantined;
        health.reason = quarantine->why;
        health.retry_ms = milliseconds_until(quarantine->until, now);
    }
    return health;
}

wire::PluginHealth health_of_refused(const std::filesystem::path& file, const std::string& why) {
    wire::PluginHealth health;
    health.file = file.filename().string();
    health.state = wire::PluginState::refused;
    health.reason = why;
    return health;
}

void append_capabilities(const Plugin& plugin, std::vector<wire::Capability>& out) {
    const auto& module = plugin.module();
    for (const auto& type : module.types) {
        auto& capability = out.emplace_back();
        capability.type = type.name;
        capability.plugin = module.name;
        capability.version = type.version.empty() ? module.version : type.version;
        capability.digest = plugin.digest();
        capability.isolation = to_string(plugin.isolation());
        capability.summary = type.summary;
        capability.payload_schema = type.payload_schema;
        capability.result_schema = type.result_schema;
        capability.needs_install = type.needs_install;
        capability.attributes = plugin.attributes();
        capability.sandbox = module.sandbox.active;
    }
}

std::string encode_offer(wire::Capabilities offer) {
    if (offer.types.size() > limits::type_count) {
        base::log::error("capabilities.too_many",
                         {{"types", offer.types.size()}, {"advertised", limits::type_count}});
        offer.types.resize(limits::type_count);
    }
    if (offer.refused.size() > limits::type_count)
        offer.refused.resize(limits::type_count);
    auto text = wire::encode(offer);
    if (text.size() <= limits::max_message)
        return text;
    base::log::error("capabilities.too_long",
                     {{"bytes", text.size()}, {"why", "the schemas are left out"}});
    for (auto& type : offer.types) {
        type.payload_schema.clear();
        type.result_schema.clear();
        type.summary.clear();
    }
    return wire::encode(offer);
}

}  // namespace distributo::host
