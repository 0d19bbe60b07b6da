// Whose is a process whose parent is gone? Real ones, since it is the kernel that gives the answer.
#include "runtime/orphans.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// A child process that stands for a runner: it does nothing until told to start a daemon.
class Runner {
public:
    Runner() {
        if (pipe(orders_) != 0 || pipe(answers_) != 0)
            std::abort();
        pid = fork();
        if (pid == 0)
            obey();
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner() {
        end();
        for (const int number : {orders_[0], orders_[1], answers_[0], answers_[1]})
            close(number);
    }

    pid_t start_daemon() {
        pid_t daemon = 0;
        EXPECT_EQ(write(orders_[1], "d", 1), 1);
        EXPECT_EQ(read(answers_[0], &daemon, sizeof daemon), static_cast<ssize_t>(sizeof daemon));
        return daemon;
    }
    void end() {
        if (pid <= 0)
            return;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        pid = -1;
    }

    pid_t pid = -1;

private:
    [[noreturn]] void obey() {
        char order = 0;
        while (read(orders_[0], &order, 1) == 1) {
            const pid_t middle = fork();
            if (middle == 0) {
                setsid();
                const pid_t daemon = fork();
                if (daemon == 0)
                    for (;;)
                        pause();
                _exit(write(answers_[1], &daemon, sizeof daemon) == sizeof daemon ? 0 : 1);
            }
            waitpid(middle, nullptr, 0);
        }
        _exit(0);
    }

    int orders_[2]{}, answers_[2]{};
};

class OrphansTest : public testing::Test {
protected:
    /// Is there such a process, reaped ones excepted?
    static bool exists(pid_t process) { return kill(process, 0) == 0; }
    void until_gone(pid_t process) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (exists(process) && std::chrono::steady_clock::now() < give_up) {
            io.restart();
            io.run_one_for(milliseconds(100));
        }
        EXPECT_FALSE(exists(process));
    }
    void run_for_a_few_rounds() {
        for (int round = 0; round < 5; ++round) {
            io.restart();
            io.run_one_for(milliseconds(20));
        }
    }

    asio::io_context io;
    Orphans& orphans = asio::use_service<Orphans>(io);
};

TEST_F(OrphansTest, ADaemonEndsWithItsRunnerAndNoOther) {
    Runner one;
    Runner two;
    const auto first = orphans.adopt(one.pid);
    const auto second = orphans.adopt(two.pid);
    ASSERT_NE(first, second);
    const pid_t of_one = one.start_daemon();
    const pid_t of_two = two.start_daemon();

    one.end();
    orphans.release(first);

    until_gone(of_one);
    EXPECT_TRUE(exists(of_two));
    EXPECT_TRUE(exists(two.pid));
    two.end();
    orphans.release(second);
    until_gone(of_two);
}

TEST_F(OrphansTest, OtherChildrenOfThisProcessAreLeftAlone) {
    Runner stranger;
    Runner runner;
    const pid_t strange_daemon = stranger.start_daemon();
    const auto mark = orphans.adopt(runner.pid);
    const pid_t daemon = runner.start_daemon();

    runner.end();
    orphans.release(mark);
    until_gone(daemon);
    run_for_a_few_rounds();

    EXPECT_TRUE(exists(stranger.pid));
    EXPECT_TRUE(exists(strange_daemon));
    kill(strange_daemon, SIGKILL);
    waitpid(strange_daemon, nullptr, 0);
}

TEST_F(OrphansTest, AnotherSupervisorInThisProcessKeepsItsOwn) {
    asio::io_context other_io;
    auto& others = asio::use_service<Orphans>(other_io);
    Runner mine;
    Runner theirs;
    const auto mark = orphans.adopt(mine.pid);
    ASSERT_NE(others.adopt(theirs.pid), 0U);
    const pid_t my_daemon = mine.start_daemon();
    const pid_t their_daemon = theirs.start_daemon();

    mine.end();
    orphans.release(mark);
    until_gone(my_daemon);

    EXPECT_TRUE(exists(theirs.pid));
    EXPECT_TRUE(exists(their_daemon));
    theirs.end();
}

TEST_F(OrphansTest, TheMarkPassesThroughForksAndSessions) {
    Runner runner;
    const auto mark = orphans.adopt(runner.pid);
    const pid_t daemon = runner.start_daemon();

    EXPECT_EQ(mark_of(runner.pid), mark);
    EXPECT_EQ(mark_of(daemon), mark);
    EXPECT_EQ(mark_of(0), RLIM_INFINITY) << "this process has none";
    runner.end();
    orphans.release(mark);
    until_gone(daemon);
}

TEST_F(OrphansTest, WithoutRunnersNothingIsWaitedFor) {
    Runner runner;
    const auto mark = orphans.adopt(runner.pid);
    runner.end();
    orphans.release(mark);

    io.run_for(std::chrono::seconds(30));

    EXPECT_TRUE(io.stopped()) << "the loop has not run dry";
}

}  // namespace
}  // namespace distributo::runtime
