#include "runtime/runner/questions.hpp"

namespace distributo::runtime {

std::uint64_t Questions::ask() {
    const std::lock_guard lock(mutex_);
    open_.emplace(++last_, Answer());
    return last_;
}

bool Questions::wait(std::uint64_t question, base::Duration limit, std::string& value) {
    std::unique_lock lock(mutex_);
    answered_.wait_for(lock, limit, [&] { return open_[question].here; });
    const auto place = open_.find(question);
    const bool found = place->second.found;
    value = std::move(place->second.value);
    open_.erase(place);
    return found;
}

void Questions::answer(std::uint64_t question, bool found, std::string_view value) {
    const std::lock_guard lock(mutex_);
    const auto place = open_.find(question);
    if (place == open_.end())
        return;
    place->second = {.here = true, .found = found, .value = std::string(value)};
    answered_.notify_all();
}

}  // namespace distributo::runtime
