#pragma once

#include "base/clock.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/engine/rate_meter.hpp"
#include "coordinator/extensions/extensions.hpp"
#include "coordinator/extensions/libraries.hpp"
#include "coordinator/extensions/make_extensions.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::coordinator::extensions {

/// Nobody waits that long for outcomes; then the question is asked again.
inline constexpr base::Duration longest_results_wait = std::chrono::minutes(5);

/// What all instances share; outlives them.
struct Surroundings {
    boost::asio::io_context& io;
    const base::Clock& clock;
    engine::Engine& engine;
    const ExtensionsOptions& options;
    const Libraries& libraries;
    /// The name of a generator by its number; empty: there never was one.
    std::function<std::string(core::ExtensionNumber)> generator_name;
    std::function<void()> needs_changed;  ///< needed_after() may be another one now
    std::uint64_t newest = 0;             ///< outcome that is recorded, as of a moment ago
};

/// One generator or sink: its process, and when it is called.
///
///     no library ─▶ starting ─ready─▶ opening ─opened─▶ open ◀──▶ call
///                       ▲                │               │
///                       └── back-off ◀───┴── failure ◀───┘        too often, or permanent: failed
///
/// tend() decides what comes next whenever anything has changed. Not thread-safe: lives on the
/// io_context.
class Instance : protected runtime::ExtensionEvents {
public:
    Instance(const Surroundings& around,
             Definition definition,
             core::ExtensionRecord record,
             core::Cursor cursor);
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() override;

    [[nodiscard]] const Definition& definition() const noexcept { return definition_; }
    [[nodiscard]] const core::ExtensionRecord& record() const noexcept { return record_; }
    [[nodiscard]] Status status() const;
    /// Outcomes after this one are still wanted; ~0: none.
    [[nodiscard]] virtual std::uint64_t needed_after() const = 0;

    /// Looks at what is to be done and does it. Libraries have changed, or it is the first time.
    void tend();
    void set_paused(bool paused);
    /// Ends `failed`, back-offs and idling.
    void forget_failures();
    /// Ends waiting for something to do, and a back-off.
    virtual void run_now();
    /// It rests, and its process is gone.
    [[nodiscard]] bool may_be_reset();
    /// Goes on from this cursor, which is durable already.
    void move_to(core::Cursor cursor);
    /// Closes; `done` follows when its process is gone. Nothing is called any more.
    void stop(std::function<void()> done);

protected:
    /// It is open and no call is: do the next thing, or nothing.
    virtual void go() = 0;
    /// What it is given when it is opened.
    [[nodiscard]] virtual std::string checkpoint() const = 0;
    virtual void opened(std::uint64_t last_stored) = 0;
    /// The process is gone: what it was told and did not answer is void.
    virtual void closed() = 0;
    /// cursor_ is another one.
    virtual void moved() = 0;
    /// Everything that was answered is stored, or is no more: it may be called, opened or moved.
    [[nodiscard]] virtual bool settled() { return true; }
    /// Nothing will come of calling it any more.
    [[nodiscard]] virtual bool over() const { return false; }
    [[nodiscard]] virtual State state_when_open() const = 0;
    virtual void fill(Status& status) const = 0;

    // For go() and the answers.
    [[nodiscard]] runtime::ExtensionRunner& begin();
    /// Notes how a call went; false: it has failed, and is tried again, or nothing is any more.
    /// With `reopen` its process is closed then.
    [[nodiscard]] bool end(const runtime::ExtensionAnswer& answer, bool reopen);
    void give_up(std::string why);
    /// tend() again after that time, unless something else comes first.
    void tend_after(base::Duration time);
    void tend_soon();
    void close_runner();
    [[nodiscard]] bool busy() const noexcept { return busy_; }
    [[nodiscard]] bool is_open() const noexcept { return open_ && !closing_; }

    const Surroundings& around_;
    const Definition definition_;
    core::ExtensionRecord record_;
    core::Cursor cursor_;  ///< as it is stored
    engine::RateMeter rate_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

private:
    void on_ready(const runtime::ExtensionModule& module) override;
    void on_opened(runtime::ExtensionOpened opened) override;
    void on_log(std::string_view stream, std::string_view text) override;
    void on_more() override;
    void on_gone(bool expected, const std::string& why) override;

    [[nodiscard]] std::optional<Library> choose() const;
    [[nodiscard]] std::string config_fault(const Library& library) const;
    void start(Library library);
    void gone(bool expected, const std::string& why);
    void back_off(base::Duration wanted);
    void note_failure(const std::string& why);
    [[nodiscard]] bool crashed_too_often();
    /// A version that does not open gives way to the one before it, if there is one.
    [[nodiscard]] bool go_back(const std::string& why);
    [[nodiscard]] bool rests() const;
    [[nodiscard]] State state() const;

    std::unique_ptr<runtime::ExtensionRunner> runner_;
    std::optional<Library> in_use_;  ///< with a runner
    std::optional<Library> proven_;  ///< was open; what to go back to
    std::string refused_digest_;     ///< of a version that did not open
    std::string failed_digest_;      ///< with given_up_: of the library that it was
    std::string reason_;
    std::string last_error_;
    std::optional<base::WallTime> last_error_at_, last_success_at_;
    std::uint64_t calls_ = 0, errors_ = 0, crashes_ = 0;
    std::deque<base::TimePoint> crash_times_;
    std::uint32_t failures_in_a_row_ = 0;
    bool busy_ = false;  ///< a call is open
    bool open_ = false;
    bool closing_ = false;
    bool given_up_ = false;
    bool stopping_ = false;
    bool tending_soon_ = false;
    boost::asio::steady_timer timer_;
    base::TimePoint not_before_{};  ///< back-off after a failure
    base::TimePoint timer_due_ = base::TimePoint::max();
    base::TimePoint log_second_{};
    std::uint32_t log_lines_ = 0;
    std::function<void()> on_stopped_;
};

}  // namespace distributo::coordinator::extensions
