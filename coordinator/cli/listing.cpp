#include "coordinator/cli/listing.hpp"

namespace distributo::coordinator::cli {

const boost::json::array& items_of(const boost::json::value& document, std::string_view name) {
    static const boost::json::array none;
    const auto* object = document.if_object();
    const auto* list = object ? object->if_contains(name) : nullptr;
    return list && list->is_array() ? list->get_array() : none;
}

}  // namespace distributo::coordinator::cli
