#pragma once

#include "runtime/control_groups.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace distributo::runtime {

/// Ends what runners leave behind, above all daemons: processes that left their process group and
/// whose parent is gone.
///
/// This process adopts them (it is a child subreaper), and tells whose they are by a mark that
/// every runner gets before it loads its plugin: a value of RLIMIT_LOCKS, a limit that Linux does
/// not use. Unlike an environment, a descriptor or a process group, a limit passes through every
/// fork, exec and setsid, can be read by us of every child, and can only ever be lowered, which the
/// runner's system call filter forbids. See docs/adr/0011.
///
/// One per io_context, on which it lives: `asio::use_service<Orphans>(io)`. Not thread-safe.
class Orphans final : public boost::asio::execution_context::service {
public:
    using Mark = std::uint64_t;
    using key_type = Orphans;
    static boost::asio::execution_context::id id;

    explicit Orphans(boost::asio::execution_context& context);
    ~Orphans() override;

    /// A new runner, which must not have run anything of its plugin yet. 0: it cannot be marked.
    /// Where control groups can be had it gets one, too, with `memory` as its limit (0: none).
    [[nodiscard]] Mark adopt(pid_t runner, std::uint64_t memory = 0);
    /// Why runners get no control group; empty when they do.
    [[nodiscard]] const std::string& no_groups() const noexcept { return no_groups_; }
    /// The runner is reaped: whatever still bears its mark is killed, now or as soon as it shows.
    void release(Mark mark);

private:
    void shutdown() override;
    /// Kills and reaps; true when something may be left.
    bool sweep();
    void sweep_until_clean();
    void watch();
    void wait(std::chrono::milliseconds pause);
    [[nodiscard]] bool is_ours(Mark mark) const noexcept;

    boost::asio::steady_timer timer_;
    Mark first_;  // marks count down from here
    Mark next_;
    std::map<Mark, pid_t> runners_;  // alive
    std::optional<ControlGroups> groups_;
    std::string no_groups_;
    std::vector<Mark> full_groups_;  // of runners that have ended: something in them has not yet
    std::chrono::milliseconds pause_{};
    bool sweeping_ = false;  // the timer is for the next round, not for a look every now and then
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The mark of a process, if it may be read; the infinite value when it has none.
[[nodiscard]] Orphans::Mark mark_of(pid_t process) noexcept;

}  // namespace distributo::runtime
