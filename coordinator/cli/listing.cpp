#include "coordinator/cli/listing.hpp"

#include <cmath>

namespace distributo::coordinator::cli {

wire::json::Value raw_member(std::string_view object, std::string_view name) {
    wire::json::Reader reader(object);
    wire::json::Value value;
    if (!reader.begin_object())
        return {};
    for (std::string_view key; reader.next_member(key);) {
        if (!reader.value(value))
            break;
        if (key == name)
            return value;
    }
    return {};
}

void append_parameter(std::string& target, std::string_view name, const std::string& value) {
    if (value.empty())
        return;
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += name;
    target += '=';
    target += encode(value);
}

const boost::json::array& items_of(const boost::json::value& document, std::string_view name) {
    static const boost::json::array none;
    const auto* object = document.if_object();
    const auto* list = object ? object->if_contains(name) : nullptr;
    return list && list->is_array() ? list->get_array() : none;
}

std::string next_attempt(const boost::json::value& plugin) {
    const auto* const object = plugin.if_object();
    const auto* const seconds = object ? object->if_contains("retry_s") : nullptr;
    if (!seconds || !seconds->is_number())
        return {};
    const auto whole = static_cast<long>(std::ceil(seconds->to_number<double>()));
    return "; next attempt in " + std::to_string(whole) + " s";
}

}  // namespace distributo::coordinator::cli
