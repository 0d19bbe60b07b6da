#include "coordinator/store/past_table.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::store {

void Past::add(core::Attempt attempt) {
    const auto place =
        std::ranges::lower_bound(attempts, attempt.number, {}, &core::Attempt::number);
    if (place != attempts.end() && place->number == attempt.number)
        *place = std::move(attempt);
    else
        attempts.insert(place, std::move(attempt));
}

}  // namespace distributo::coordinator::store
