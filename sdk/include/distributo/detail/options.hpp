#pragma once

#include <distributo/detail/module.hpp>
#include <distributo/detail/probe.hpp>

#include <string>

namespace distributo {
namespace detail {

/// An element of DISTRIBUTO_PLUGIN that sets something of the module.
template <class Apply>
struct Option {
    Apply apply;
    void define(Module& module) { apply(module); }
};
template <class Apply>
Option(Apply) -> Option<Apply>;

}  // namespace detail

/// Further elements of DISTRIBUTO_PLUGIN, beside task types.
[[nodiscard]] inline auto vendor(std::string name) {
    return detail::Option{[name](detail::Module& module) { module.vendor = name; }};
}
[[nodiscard]] inline auto license(std::string spdx) {
    return detail::Option{[spdx](detail::Module& module) { module.license = spdx; }};
}
[[nodiscard]] inline auto homepage(std::string url) {
    return detail::Option{[url](detail::Module& module) { module.homepage = url; }};
}
/// The plugin's configuration is a Config: its schema is published, Setup::config reads it.
template <class Config>
[[nodiscard]] auto config() {
    return detail::Option{
        [](detail::Module& module) { module.config_schema = detail::schema_text<Config>(); }};
}
/// Never unload: the plugin leaves threads, thread-local objects or a language runtime behind.
[[nodiscard]] inline auto keep_loaded() {
    return detail::Option{[](detail::Module& module) { module.set_flag(DTO_MODULE_KEEP_LOADED); }};
}
/// Must not share a process with other plugins.
[[nodiscard]] inline auto needs_isolation() {
    return detail::Option{
        [](detail::Module& module) { module.set_flag(DTO_MODULE_NEEDS_ISOLATION); }};
}

/// The plugin cannot do without a service of the host, DTO_SERVICE_EMIT for example, or a member of
/// its table like "host.scratch": a host that lacks it refuses the plugin and says so.
[[nodiscard]] inline auto requires_service(std::string id) {
    return detail::Option{[id](detail::Module& module) { module.add_required(id); }};
}
/// Fn tells the host from time to time, and after Context::capabilities_changed(), whether it is
/// still able; while it is not, the plugin's types are withdrawn. Returns bool; or a described
/// struct of attributes, which are shown and which tasks can require; or a std::optional of that,
/// nothing when it is not able. What it throws counts as not able, and is shown as the reason.
/// Free, or a member of a struct like those of the tasks; takes nothing or a const Context&. Runs
/// beside tasks, on any thread.
template <auto Fn>
[[nodiscard]] auto probe() {
    return detail::Option{[](detail::Module& module) {
        module.probe.state =
            detail::state_kind_of<typename detail::Function<decltype(Fn)>::Class>();
        module.probe.run = &detail::run_probe<Fn>;
    }};
}

}  // namespace distributo
