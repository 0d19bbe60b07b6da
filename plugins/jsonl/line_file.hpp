#pragma once

#include "support/files.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jsonl {

/// What remains of a file after a crash; `file` begins with complete lines.
struct Tail {
    std::uint64_t complete = 0;  ///< bytes of the lines that have an end
    std::string last_line;       ///< the last of those, without its end; empty: there is none
    std::string torn;            ///< what comes behind them
};

/// Reads as much of the end of an open file of `size` bytes as is needed. Throws a Failure; `path`
/// is for its message.
[[nodiscard]] Tail read_tail(const support::Descriptor& file,
                             const std::string& path,
                             std::uint64_t size);

/// A growing file of lines that begin with a rising number, see support::sequence_of(). When it is
/// set aside, it is called PATH.NUMBER, with the last number in it in 20 digits. Nobody else may
/// append to it; whoever moves it away makes the next append begin a new one. Every member function
/// throws a distributo::Failure; after that the next call goes on with what is in the file then.
/// For one thread.
class LineFile {
public:
    using Warn = std::function<void(const std::string&)>;

    struct Options {
        std::string path;                        ///< its folder must exist
        bool durable = true;                     ///< sync what sync() and set_aside() leave behind
        std::optional<std::uint32_t> max_aside;  ///< the oldest of more are removed; none: all stay
    };

    /// Opens or creates the file. A line without an end, which a crash has left, is cut off and
    /// told to `warn`, which must live as long. A file that another program wrote is refused.
    LineFile(Options options, Warn warn);

    /// The number of the last line, in this file or, when it is empty, in the newest that was set
    /// aside; 0: there is none.
    [[nodiscard]] std::uint64_t last_number();
    /// Bytes.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Appends complete lines, the last of which has this number. Without sync() a power cut may
    /// take them.
    void append(std::string_view lines, std::uint64_t number);

    /// What was appended so far is on the disk afterwards, unless that is not asked for.
    void sync();

    /// Renames the file, unless it is empty, and begins a new one.
    void set_aside();

private:
    void open_file();
    void open_unless_open();
    void recover(std::uint64_t size);
    void cut(const Tail& tail);
    void sync_folder() const;
    [[nodiscard]] bool was_moved() const;

    Options options_;
    Warn warn_;
    std::string folder_;
    support::Descriptor file_;
    std::uint64_t size_ = 0;
    std::uint64_t synced_ = 0;  // bytes that a power cut leaves alone
    std::uint64_t last_ = 0;
};

}  // namespace jsonl
