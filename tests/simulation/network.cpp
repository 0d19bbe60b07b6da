#include "tests/simulation/network.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;

void Network::send(const ConnectionPtr& connection,
                   Direction direction,
                   std::function<void()> deliver) {
    ++counts_.sent;
    if (connection->severed)
        return;
    if (is_cut(connection->host) || random_.chance(noise_.lost)) {
        ++counts_.lost;
        return sever(connection);
    }
    auto arrives = time_.now() + delay();
    auto& last = connection->last[static_cast<std::size_t>(direction)];
    if (!noise_.reorders)
        arrives = std::max(arrives, last);
    last = std::max(last, arrives);
    if (direction == Direction::to_coordinator && random_.chance(noise_.doubled)) {
        ++counts_.doubled;
        time_.at(arrives + delay(), deliver);
    }
    time_.at(arrives, std::move(deliver));
}

void Network::send_request(std::function<void()> deliver, bool repeatable) {
    ++counts_.sent;
    if (producers_cut_ || random_.chance(noise_.lost)) {
        ++counts_.lost;
        return;
    }
    if (repeatable && random_.chance(noise_.doubled)) {
        ++counts_.doubled;
        time_.in(delay(), deliver);
    }
    time_.in(delay(), std::move(deliver));
}

void Network::sever(const ConnectionPtr& connection) {
    if (std::exchange(connection->severed, true))
        return;
    ++counts_.broken;
    trace_.note("connection breaks", connection->host);
    const auto notice = [&](std::function<void()>& noticed) {
        if (noticed)
            time_.in(random_.between(1ms, random_.chance(500) ? 100ms : 5s),
                     std::exchange(noticed, nullptr));
    };
    notice(connection->host_notices);
    notice(connection->coordinator_notices);
}

void Network::cut(std::uint32_t host, bool is_cut) {
    if (is_cut)
        cut_hosts_.insert(host);
    else
        cut_hosts_.erase(host);
}

void Network::calm_down() {
    noise_.lost = noise_.doubled = 0;
    noise_.reorders = false;
    cut_hosts_.clear();
    producers_cut_ = false;
}

}  // namespace distributo::simulation
