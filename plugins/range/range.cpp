#include "axis.hpp"
#include "support/payload_template.hpp"

#include <distributo/generator.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using distributo::permanent;
using distributo::RawJson;

struct Config {
    std::string type;
    std::map<std::string, RawJson> parameters;
    std::optional<RawJson> payload;
    std::optional<std::string> group;
    std::optional<std::int32_t> priority;
};
BOOST_DESCRIBE_STRUCT(Config, (), (type, parameters, payload, group, priority))

struct Cursor {
    std::uint64_t next = 0;  ///< combinations before it were given
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (next))

/// All combinations of the parameters' values, those of the last parameter (by name) fastest. None
/// of them exists before it is asked for.
class Range {
public:
    explicit Range(const Config& config) : config_(config) {
        if (config.parameters.empty()) {
            throw permanent("config.parameters: expected at least one");
        }
        for (const auto& [name, json] : config.parameters) {
            axes_.emplace_back(name, range::Axis(json.text, "config.parameters." + name));
            if (__builtin_mul_overflow(count_, axes_.back().second.size(), &count_)) {
                throw permanent("config.parameters: more than 2^64 combinations");
            }
        }
        if (config.payload) {
            payload_.emplace(*config.payload, "config.payload");
        }
    }

    void next(Cursor& cursor, distributo::Feed& feed) {
        distributo::EmitOptions options;
        options.group = config_.group ? std::string_view(*config_.group) : std::string_view();
        options.priority = config_.priority.value_or(0);
        while (cursor.next < count_ && feed.room() > 0 &&
               feed.emit(config_.type, combination(cursor.next), options)) {
            ++cursor.next;
        }
        if (cursor.next >= count_) {
            feed.end();
        }
    }

private:
    RawJson combination(std::uint64_t number) const {
        std::vector<std::string> values(axes_.size());
        for (std::size_t i = axes_.size(); i-- > 0;) {
            values[i] = axes_[i].second.at(number % axes_[i].second.size());
            number /= axes_[i].second.size();
        }
        if (!payload_) {
            return object_of(values);
        }
        return payload_->render([&](std::string_view name) -> support::Field {
            for (std::size_t i = 0; i < axes_.size(); ++i) {
                if (axes_[i].first == name) {
                    return {values[i], true};
                }
            }
            throw permanent("config.payload: there is no parameter '" + std::string(name) + '\'');
        });
    }

    RawJson object_of(const std::vector<std::string>& values) const {
        RawJson made;
        made.text.clear();
        for (std::size_t i = 0; i < axes_.size(); ++i) {
            made.text.append(i == 0 ? "{" : ",");
            distributo::detail::append_string(made.text, axes_[i].first);
            made.text.append(":").append(values[i]);
        }
        made.text.push_back('}');
        return made;
    }

    const Config config_;
    std::vector<std::pair<std::string, range::Axis>> axes_;
    std::uint64_t count_ = 1;
    std::optional<support::PayloadTemplate> payload_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.range", "1.0.0", distributo::generator<Range>("range"));
