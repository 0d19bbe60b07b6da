#pragma once

#include <distributo/detail/decode.hpp>
#include <distributo/detail/host.hpp>
#include <distributo/detail/module.hpp>
#include <distributo/detail/outcome.hpp>
#include <distributo/detail/schema.hpp>
#include <distributo/detail/source.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

/// What generators and sinks have in common: how they are made from their configuration.
namespace distributo::detail {

/// Where the schema of an Object's configuration is found: the constructor's parameter says its
/// type, and no other place has to repeat it.
template <class Object>
struct ConfigOf {
    static inline std::string (*schema)() = nullptr;
};
template <class Object, class Config>
struct KnownConfig {
    static inline const bool noted = (ConfigOf<Object>::schema = &schema_text<Config>, true);
};

/// Becomes whatever configuration the Object's constructor takes.
template <class Object>
class ConfigText {
public:
    explicit ConfigText(std::string_view json) : json_(json.empty() ? "{}" : json) {}

    template <class Config>
    requires(is_described_struct<Config>) operator Config() const {  // NOLINT: that is its purpose
        static_cast<void>(KnownConfig<Object, Config>::noted);
        return decode_text<Config>(json_, "config");
    }

private:
    std::string_view json_;
};

/// A generator or sink that is open: the coordinator's table, and the author's object.
template <class Object>
struct Opened {
    explicit Opened(const dto_host& table) : host(table), source(host) {}

    void make(std::string_view config) {
        using Text = ConfigText<Object>;
        if constexpr (std::is_constructible_v<Object, Text, Source&>) {
            object = std::make_unique<Object>(Text(config), source);
        } else if constexpr (std::is_constructible_v<Object, Text>) {
            object = std::make_unique<Object>(Text(config));
        } else if constexpr (std::is_constructible_v<Object, Source&>) {
            object = std::make_unique<Object>(source);
        } else {
            static_assert(std::is_default_constructible_v<Object>,
                          "the constructor takes (const Config&, distributo::Source&), either of "
                          "them, or nothing; Config is a described struct");
            object = std::make_unique<Object>();
        }
    }

    Host host;
    Source source;
    std::unique_ptr<Object> object;
};

template <class Object>
std::string config_schema() {
    return ConfigOf<Object>::schema == nullptr ? std::string() : ConfigOf<Object>::schema();
}

}  // namespace distributo::detail
