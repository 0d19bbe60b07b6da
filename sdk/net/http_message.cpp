#include "net/http_message.hpp"

namespace distributo::net {

std::string_view to_string(Method method) noexcept {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::delete_:
            return "DELETE";
        case Method::patch:
            return "PATCH";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            break;
    }
    return "other";
}

std::string_view RequestHead::header(std::string_view lower_case_name) const noexcept {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name)
            return value;
    return {};
}

const std::string* RequestHead::parameter(std::string_view name) const noexcept {
    for (const auto& [key, value] : query)
        if (key == name)
            return &value;
    return nullptr;
}

}  // namespace distributo::net
