#pragma once

#include <distributo/plugin.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

/// What the shipped plugins that work on files agree on. `place` is always the member of the
/// payload that a path came from, for messages: "payload.path".
namespace support {

/// What an errno value means for a task. Trouble of this host alone (no such file, no permission,
/// disk full) is for another host, a shortage that passes is for later, the rest is the task's.
[[nodiscard]] distributo::Failure file_failure(const std::string& what, int error);

/// An open file descriptor, closed at the end; -1 is none.
class Descriptor {
public:
    explicit Descriptor(int number = -1) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor();

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

/// Throws a permanent Failure unless `mode`, of stat(), is that of a regular file.
void require_regular(std::string_view place, const std::string& path, mode_t mode);

/// Writes everything, or throws what file_failure() makes of the error; `path` is for its message.
void write_all(const Descriptor& file, const std::string& path, std::string_view data);

/// A regular file that is read from its beginning to its end. Every member function throws a
/// distributo::Failure. For one thread.
class Input {
public:
    /// `path` must be absolute: a plugin's current directory is the host's business.
    Input(std::string_view place, std::string path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Bytes, when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return identity_.size; }

    /// Fills `into` as far as the file reaches; less than its size only at the end.
    [[nodiscard]] std::size_t read(std::span<std::byte> into);

    /// Throws retry when somebody wrote to the file since it was opened: what was read may then
    /// be a mixture of two contents.
    void require_unchanged() const;

    /// Is this the file at that path, under whatever name?
    [[nodiscard]] bool is(const std::string& path) const;

private:
    struct Identity {
        dev_t device = 0;
        ino_t inode = 0;
        std::uint64_t size = 0;
        std::int64_t changed_s = 0;
        std::int64_t changed_ns = 0;
        bool operator==(const Identity&) const = default;
    };
    [[nodiscard]] Identity identity() const;

    std::string path_;
    Descriptor file_;
    Identity identity_;
};

/// A file that appears, or replaces what stood there, complete and in one step at commit(). Until
/// then it is ".distributo-….part" in the same folder, removed when this ends without commit. Every
/// member function throws a distributo::Failure. For one thread.
class Output {
public:
    /// `path` must be absolute, its folder must exist, and what is there, if anything, must be a
    /// regular file.
    Output(std::string_view place, std::string path);
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output();

    void write(std::span<const std::byte> data);
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Afterwards the file is on the disk under its name.
    void commit();

private:
    std::string path_;
    std::string folder_;
    std::string part_;
    Descriptor file_;
    std::uint64_t size_ = 0;
};

}  // namespace support
