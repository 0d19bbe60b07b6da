#include "runtime/orphans.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <utility>
#include <vector>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// More runners than one process will ever start, so that its marks are told from those of another
/// supervisor above or below it.
constexpr Orphans::Mark mark_range = 1ULL << 32U;
constexpr Orphans::Mark highest_mark = 1ULL << 62U;

/// What was killed takes a moment to end, and then hands its own children to us.
constexpr milliseconds first_pause{2};
constexpr milliseconds longest_pause{100};
/// Orphans of runners that live on are only waited for when they have ended.
constexpr milliseconds idle_pause{2000};
/// At the very end, for what does not die at once.
constexpr milliseconds last_patience{1000};

Orphans::Mark random_mark() {
    rlimit own{};
    getrlimit(RLIMIT_LOCKS, &own);
    // A marked process can only give lower marks.
    const auto most = std::min<Orphans::Mark>(own.rlim_max, highest_mark);
    std::random_device source;
    return std::uniform_int_distribution<Orphans::Mark>(std::min(most, 2 * mark_range),
                                                        most)(source);
}

std::string text_of(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Children of all threads of this process, adopted ones included.
std::vector<pid_t> own_children() {
    std::vector<pid_t> children;
    std::error_code error;
    for (fs::directory_iterator thread("/proc/self/task", error), end; !error && thread != end;
         thread.increment(error)) {
        std::ifstream list(thread->path() / "children");
        for (pid_t child = 0; list >> child;)
            children.push_back(child);
    }
    return children;
}

}  // namespace

asio::execution_context::id Orphans::id;

Orphans::Mark mark_of(pid_t process) noexcept {
    rlimit mark{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    prlimit(process, RLIMIT_LOCKS, nullptr, &mark);
    return mark.rlim_max;
}

Orphans::Orphans(asio::execution_context& context)
    : service(context),
      timer_(static_cast<asio::io_context&>(context)),
      first_(random_mark()),
      next_(first_) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto own = own_group(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
    auto groups = own ? ControlGroups::take_over(*own) : own.error();
    if (groups)
        groups_ = std::move(*groups);
    else
        no_groups_ = groups.error().message;
}

Orphans::~Orphans() = default;

void Orphans::shutdown() {
    *alive_ = false;
    timer_.cancel();
    for (const auto& [mark, runner] : std::exchange(runners_, {})) {
        if (groups_)
            groups_->kill(mark);
        full_groups_.push_back(mark);
    }
    const auto deadline = std::chrono::steady_clock::now() + last_patience;
    while (sweep() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(first_pause);
}

Orphans::Mark Orphans::adopt(pid_t runner, std::uint64_t memory) {
    const Mark mark = next_;
    const rlimit limit{.rlim_cur = mark, .rlim_max = mark};
    if (prlimit(runner, RLIMIT_LOCKS, &limit, nullptr) != 0)
        return 0;
    --next_;
    if (groups_)
        if (auto added = groups_->add(mark, runner, memory); !added) {
            no_groups_ = added.error().message;
            groups_.reset();  // one that fails once fails always: out of space, or taken away
        }
    runners_.emplace(mark, runner);
    if (runners_.size() == 1)
        watch();
    return mark;
}

void Orphans::release(Mark mark) {
    if (runners_.erase(mark) == 0)
        return;
    if (groups_) {
        groups_->kill(mark);
        full_groups_.push_back(mark);
    }
    pause_ = first_pause;
    sweep_until_clean();
}

bool Orphans::is_ours(Mark mark) const noexcept {
    return mark <= first_ && mark > first_ - mark_range;
}

bool Orphans::sweep() {
    bool left = false;
    for (const pid_t child : own_children()) {
        const Mark mark = mark_of(child);
        if (!is_ours(mark))
            continue;  // somebody else's
        const auto runner = runners_.find(mark);
        if (runner != runners_.end() && runner->second == child)
            continue;  // its owner waits for it
        if (runner == runners_.end()) {
            kill(child, SIGKILL);
            left = true;  // when it ends, its own children become ours
        }
        // That of a runner that lives may go on: only its remains are taken away.
        waitpid(child, nullptr, WNOHANG);
    }
    if (groups_)
        std::erase_if(full_groups_, [&](Mark mark) { return groups_->remove(mark); });
    return left || !full_groups_.empty();
}

/// Until a round in which there was none.
void Orphans::sweep_until_clean() {
    sweeping_ = sweep();
    if (!sweeping_)
        return watch();
    wait(pause_);
    pause_ = std::min(2 * pause_, longest_pause);
}

void Orphans::watch() {
    if (runners_.empty())
        timer_.cancel();
    else if (!sweeping_)
        wait(idle_pause);
}

void Orphans::wait(milliseconds pause) {
    timer_.expires_after(pause);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive)
            return;
        if (!sweeping_)
            pause_ = first_pause;
        sweep_until_clean();
    });
}

}  // namespace distributo::runtime
