#pragma once

#include "base/clock.hpp"
#include "runtime/calls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace distributo::host {

/// What a plugin's probe says.
struct Ability {
    bool healthy = true;
    std::string why{};         ///< it is not
    std::string attributes{};  ///< JSON object, or empty
    friend bool operator==(const Ability&, const Ability&) = default;
};

/// Reads the result of a probe. One that failed, or does not say what it should, is not healthy.
[[nodiscard]] Ability read_ability(const runtime::CallResult& result);

/// Asks a plugin for its health: when it is told to, and from time to time after that.
/// Not thread-safe: lives on the io_context.
class AbilityWatch {
public:
    /// Calls of probes have this number; the phase machine's are never so large.
    static constexpr runtime::CallId call = ~runtime::CallId{0};

    /// `probe` makes the call; its result comes back through take().
    AbilityWatch(boost::asio::io_context& io, std::function<void()> probe);
    ~AbilityWatch();
    AbilityWatch(const AbilityWatch&) = delete;
    AbilityWatch& operator=(const AbilityWatch&) = delete;

    /// Asks now, or again as soon as the answer to an earlier question is here.
    void ask();
    /// The result of a probe. True when it says something new; see ability().
    [[nodiscard]] bool take(const runtime::CallResult& result);
    [[nodiscard]] const Ability& ability() const noexcept { return ability_; }
    /// False until the first answer.
    [[nodiscard]] bool known() const noexcept { return known_; }
    /// No more questions, and what was known is not known any more.
    void stop();

private:
    void ask_later();

    boost::asio::steady_timer timer_;
    std::function<void()> probe_;
    Ability ability_;
    bool known_ = false;
    bool asking_ = false;
    bool ask_again_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::host
