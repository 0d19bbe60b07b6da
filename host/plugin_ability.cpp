#include "host/plugin_ability.hpp"

#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace distributo::host {
namespace {

using runtime::CallResult;
using wire::json::Kind;
using wire::json::Value;

/// Between two probes: long enough to cost nothing, short enough that a device that has vanished
/// fails few tasks. A plugin that knows better notifies.
constexpr base::Duration probe_interval = std::chrono::seconds(60);
/// After an answer that the host is not able, or none.
constexpr base::Duration sick_interval = std::chrono::seconds(10);

Ability unhealthy(std::string why) {
    return {.healthy = false, .why = std::move(why), .attributes = {}};
}

std::string attributes_of(const Value& value) {
    const bool usable = value.kind == Kind::object &&
                        value.text.size() <= wire::limits::attributes_length && value.text != "{}";
    return usable ? std::string(value.text) : std::string();
}

}  // namespace

Ability read_ability(const CallResult& result) {
    if (result.status != CallResult::Status::ok)
        return unhealthy("its probe failed: " + result.message);
    wire::json::Reader reader(result.result);
    std::string_view key;
    Value value;
    std::optional<bool> healthy;
    Ability health;
    if (!reader.begin_object())
        return unhealthy("its probe did not answer with an object");
    while (reader.next_member(key) && reader.value(value)) {
        if (key == "healthy")
            healthy = value.boolean();
        else if (key == "attributes")
            health.attributes = attributes_of(value);
        else if (key == "reason")
            health.why = value.string().value_or("").substr(0, wire::limits::error_length);
    }
    if (!healthy)
        return unhealthy("its probe did not say whether it is healthy");
    health.healthy = *healthy;
    if (health.healthy)
        health.why.clear();
    else
        health.why = "not healthy: " + (health.why.empty() ? "its probe says so" : health.why);
    return health;
}

AbilityWatch::AbilityWatch(boost::asio::io_context& io, std::function<void()> probe)
    : timer_(io), probe_(std::move(probe)) {}

AbilityWatch::~AbilityWatch() {
    *alive_ = false;
}

void AbilityWatch::ask() {
    if (std::exchange(asking_, true)) {
        ask_again_ = true;
        return;
    }
    timer_.cancel();
    probe_();
}

bool AbilityWatch::take(const CallResult& result) {
    asking_ = false;
    // The process went because of somebody else, who is charged for it: nothing was said.
    const bool lost = result.status == CallResult::Status::aborted;
    const bool again = std::exchange(ask_again_, false);
    bool news = false;
    if (!lost) {
        Ability said = read_ability(result);
        news = !known_ || said != ability_;
        known_ = true;
        ability_ = std::move(said);
    }
    if (again)
        ask();
    else
        ask_later();
    return news;
}

void AbilityWatch::ask_later() {
    timer_.expires_after(known_ && ability_.healthy ? probe_interval : sick_interval);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive)
            ask();
    });
}

void AbilityWatch::stop() {
    timer_.cancel();
    known_ = asking_ = ask_again_ = false;
}

}  // namespace distributo::host
