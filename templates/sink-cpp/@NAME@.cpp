#include <distributo/sink.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace {

/// The sink's configuration; its JSON Schema is made from it.
struct Config {
    std::string file;
};
BOOST_DESCRIBE_STRUCT(Config, (), (file))

/// A descriptor that is closed at the end.
class File {
public:
    explicit File(const std::string& path)
        : number_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {
        if (number_ < 0) {
            throw distributo::retry("cannot open " + path + ": " + std::strerror(errno));
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(number_); }

    /// Makes the file `text` from `at` on, for good.
    void replace(std::string_view text, off_t at) const {
        bool good = ::ftruncate(number_, at) == 0;
        while (good && !text.empty()) {
            const ssize_t count = ::pwrite(number_, text.data(), text.size(), at);
            good = count > 0;
            at += good ? count : 0;
            text.remove_prefix(good ? static_cast<std::size_t>(count) : 0);
        }
        if (!good || ::fdatasync(number_) != 0) {
            throw distributo::retry(std::string("cannot write: ") + std::strerror(errno));
        }
    }

private:
    const int number_;
};

/// Writes a line for each outcome: its sequence, the task's type, how it ended, the result. Each is
/// there exactly once, since the sequence is stored together with it and is read on open.
class Lines {
public:
    explicit Lines(const Config& config) : file_(config.file) {
        std::ifstream lines(config.file);
        std::string line;
        while (std::getline(lines, line) && !lines.eof()) {  // without an end of line: torn
            const std::uint64_t sequence = std::strtoull(line.c_str(), nullptr, 10);
            if (sequence <= stored_) {
                throw distributo::permanent(config.file + " has lines that are not of this sink");
            }
            stored_ = sequence;
            end_ += static_cast<off_t>(line.size()) + 1;
        }
    }

    /// The coordinator goes on behind it.
    [[nodiscard]] std::uint64_t last_stored() const { return stored_; }

    /// When this returns, they are stored; when it throws, all of them come again.
    void write(std::span<const distributo::Outcome> outcomes) {
        std::string text;
        for (const distributo::Outcome& one : outcomes) {
            text += std::to_string(one.sequence);
            for (const std::string_view field : {one.task_type, one.state, one.result}) {
                (text += '\t') += field;
            }
            text += '\n';
        }
        file_.replace(text, end_);
        end_ += static_cast<off_t>(text.size());
    }

private:
    const File file_;
    off_t end_ = 0;
    std::uint64_t stored_ = 0;
};

}  // namespace

DISTRIBUTO_PLUGIN("@NAME@", "0.1.0", distributo::sink<Lines>("@NAME@"));
