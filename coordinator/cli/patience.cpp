#include "coordinator/cli/patience.hpp"

#include <cstdio>
#include <thread>

namespace distributo::coordinator::cli {

bool wait_for_room(const Context& context, const Client& client, base::TimePoint give_up) {
    constexpr auto look_for_interrupt = std::chrono::milliseconds(50);
    const base::SystemClock clock;
    const auto wait = std::chrono::seconds(client.retry_after_s());
    const auto until = clock.now() + wait;
    if (context.mode == OutputMode::human)
        std::fprintf(stderr,
                     "the coordinator has no room for more tasks: next try in %lld s\n",
                     static_cast<long long>(wait.count()));
    while (!interrupted() && clock.now() < std::min<base::TimePoint>(until, give_up))
        std::this_thread::sleep_for(look_for_interrupt);
    return !interrupted() && clock.now() < give_up;
}

}  // namespace distributo::coordinator::cli
