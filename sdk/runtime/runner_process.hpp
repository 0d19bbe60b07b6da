#pragma once

#include "base/result.hpp"
#include "runtime/child_process.hpp"
#include "runtime/frame.hpp"
#include "runtime/memory_watch.hpp"
#include "runtime/orphans.hpp"
#include "runtime/sandbox.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace distributo::runtime {

/// A runner process and this end of its socket, on the io_context. Killed and reaped when it goes;
/// may be destroyed from inside any of its owner's functions.
class RunnerProcess {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_frames(FrameBuffer& frames) = 0;
        /// Output that the process had no time to report itself; only just before on_ended.
        virtual void on_last_words(std::string_view stream, std::string_view text) = 0;
        /// It has ended and is reaped; everything that it wrote has been handed over. Last call.
        virtual void on_ended(const ProcessEnd& end) = 0;
    };

    [[nodiscard]] static base::Result<std::unique_ptr<RunnerProcess>> start(
        boost::asio::io_context& io,
        const std::filesystem::path& program,
        const std::filesystem::path& library,
        std::size_t slots,
        const SandboxPolicy& policy,
        Owner& owner);
    RunnerProcess(boost::asio::io_context& io,
                  ChildProcess child,
                  const SandboxPolicy& policy,
                  Owner& owner);
    RunnerProcess(const RunnerProcess&) = delete;
    RunnerProcess& operator=(const RunnerProcess&) = delete;
    ~RunnerProcess();

    /// Takes over the bytes and writes what the socket accepts now; the rest follows.
    void send(std::string& frames);
    /// Bytes that the process has not read yet.
    [[nodiscard]] std::size_t unread() const noexcept { return out_.size() - written_; }
    void signal(int signal) const noexcept { child_.signal_group(signal); }
    [[nodiscard]] pid_t pid() const noexcept { return child_.pid(); }
    [[nodiscard]] std::span<const CallSlot> slots() const noexcept {
        return child_.memory.page().slots.live();
    }
    /// Adds what surrounds the process from outside to what it says about itself.
    void complete(SandboxReport& report) const;
    /// It closed its end of the socket although it was still running, and was killed for that.
    [[nodiscard]] bool hung_up() const noexcept { return hung_up_; }

private:
    void wait_for_frames();
    void wait_for_end();
    void write();
    /// False when the stream has ended.
    bool receive();
    void on_readable();
    void on_exit();
    void read_last_words(std::size_t number, std::string_view stream, int pipe);

    Owner& owner_;
    ChildProcess child_;
    const SandboxPolicy policy_;
    Orphans& orphans_;
    Orphans::Mark mark_;
    std::unique_ptr<MemoryWatch> memory_watch_;
    std::string cause_;  // why it was killed from here, for its plugin's doing
    boost::asio::local::stream_protocol::socket socket_;
    boost::asio::posix::stream_descriptor process_;
    FrameBuffer in_;
    std::string out_;
    std::size_t written_ = 0;
    bool waiting_to_write_ = false;
    bool hung_up_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
