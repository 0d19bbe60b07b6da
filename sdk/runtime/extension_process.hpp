#pragma once

#include "runtime/extension_frames.hpp"
#include "runtime/runner_process.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace distributo::runtime {

/// An ExtensionRunner as a child process.
///
///     starting ──extension──▶ up ──close, no call open──▶ closing ──exit──▶ gone
///         └──────────failed, killed, crashed, closed────────────────────────▶ gone
class ExtensionProcess final : public ExtensionRunner, RunnerProcess::Owner {
public:
    ExtensionProcess(boost::asio::io_context& io,
                     ExtensionRunnerOptions options,
                     ExtensionEvents& events);
    ExtensionProcess(const ExtensionProcess&) = delete;
    ExtensionProcess& operator=(const ExtensionProcess&) = delete;
    ~ExtensionProcess() override;

    void open(ExtensionKind kind, std::string_view config, std::string_view checkpoint) override;
    void next(std::uint32_t room) override;
    void deliver(std::span<const OutcomeView> outcomes, std::uint32_t room) override;
    void write(std::span<const OutcomeView> outcomes) override;
    void flush() override;
    void close() override;

private:
    enum class State : std::uint8_t { starting, up, closing, gone };

    void on_frames(FrameBuffer& frames) override;
    void on_last_words(std::string_view stream, std::string_view text) override;
    void on_ended(const ProcessEnd& end) override;

    void start();
    void on_frame(Frame& frame);
    void on_log(Frame& frame);
    void on_ready(Frame& frame);
    template <typename Message>
    void on_answer(const Frame& frame,
                   std::optional<Message> message,
                   void (ExtensionEvents::*tell)(Message));
    void call(FrameKind kind, std::uint32_t room, std::span<const OutcomeView> outcomes);
    void begin(const char* function, base::Duration limit);
    void ask_to_end();
    void after(base::Duration time, void (ExtensionProcess::*step)());
    void overdue();
    void kill_now();
    void kill(std::string why);
    void protocol_broken();
    void go_on();
    [[nodiscard]] std::string how_it_ended(const ProcessEnd& end) const;

    boost::asio::io_context& io_;
    const ExtensionRunnerOptions options_;
    ExtensionEvents& events_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<RunnerProcess> process_;
    std::filesystem::path work_dir_;
    State state_ = State::starting;
    const char* function_ = "loading";  // what is going on; null: nothing
    base::Duration limit_{};            // of it
    CallId call_ = 0;                   // the last one
    std::string killed_;                // why, when it was from here
    std::string failure_;               // what the process said about the library
    std::string error_lines_;           // the last ones
    bool close_asked_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
