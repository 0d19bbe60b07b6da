#include "line_file.hpp"

#include "support/outcome_json.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace jsonl {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t first_window = std::uint64_t{64} << 10;  // usually enough for a line

/// More than any outcome has (payload and result of 1 MiB each); then it is another kind of file.
constexpr std::uint64_t last_window = std::uint64_t{64} << 20;

constexpr std::size_t number_digits = 20;  // of the largest 64-bit number

std::string read_range(const support::Descriptor& file,
                       const std::string& path,
                       std::uint64_t from,
                       std::uint64_t to) {
    std::string text(static_cast<std::size_t>(to - from), '\0');
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t got = pread(
            file.number(), text.data() + done, text.size() - done, static_cast<off_t>(from + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            throw support::file_failure("cannot read " + path, got < 0 ? errno : EIO);
        }
        done += static_cast<std::size_t>(got);
    }
    return text;
}

std::string digits_of(std::uint64_t number) {
    const std::string text = std::to_string(number);
    return std::string(number_digits - text.size(), '0') + text;
}

struct Aside {
    std::uint64_t number = 0;
    fs::path path;
};

/// The files that were set aside, oldest first.
std::vector<Aside> asides(const std::string& folder, const std::string& path) {
    const std::string start = fs::path(path).filename().string() + ".";
    std::vector<Aside> found;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        std::uint64_t number = 0;
        if (name.size() != start.size() + number_digits || !name.starts_with(start)) {
            continue;
        }
        const auto [end, wrong] =
            std::from_chars(name.data() + start.size(), name.data() + name.size(), number);
        if (wrong == std::errc() && end == name.data() + name.size()) {
            found.push_back({number, entries->path()});
        }
    }
    if (error) {
        throw support::file_failure("cannot list " + folder, error.value());
    }
    std::sort(found.begin(), found.end(), [](const Aside& left, const Aside& right) {
        return left.number < right.number;
    });
    return found;
}

/// Can it be the beginning of a line of ours? After a power cut some file systems show zeros.
bool may_be_ours(std::string_view torn) {
    const std::string_view prefix = support::sequence_prefix();
    const std::size_t compared = std::min(torn.size(), prefix.size());
    return torn.substr(0, compared) == prefix.substr(0, compared) ||
           torn.find_first_not_of('\0') == torn.npos;
}

[[noreturn]] void refuse(const std::string& path) {
    throw distributo::permanent(
        "config.path: " + path +
        " was not written by this sink: its last line does not begin with " +
        std::string(support::sequence_prefix()) +
        " and a number. Move it away or name another file");
}

}  // namespace

Tail read_tail(const support::Descriptor& file, const std::string& path, std::uint64_t size) {
    for (std::uint64_t window = first_window;; window *= 4) {
        const std::uint64_t from = size - std::min(size, window);
        const std::string text = read_range(file, path, from, size);
        const std::size_t end = text.rfind('\n');
        const std::size_t before =
            end == 0 || end == text.npos ? text.npos : text.rfind('\n', end - 1);
        if (before == text.npos && from > 0 && window < last_window) {
            continue;
        }
        if (end == text.npos) {
            return {from, {}, text};
        }
        const std::size_t start = before == text.npos ? 0 : before + 1;
        return {from + end + 1, text.substr(start, end - start), text.substr(end + 1)};
    }
}

LineFile::LineFile(Options options, Warn warn)
    : options_(std::move(options)), warn_(std::move(warn)) {
    std::error_code error;
    const fs::path path = fs::absolute(options_.path, error).lexically_normal();
    if (options_.path.empty() || error || options_.path.find('\0') != std::string::npos) {
        throw distributo::permanent("config.path: expected the path of a file, got \"" +
                                    options_.path + "\"");
    }
    options_.path = path.string();
    folder_ = path.parent_path().string();
    open_file();
}

void LineFile::open_file() {
    struct stat status {};
    if (stat(options_.path.c_str(), &status) == 0) {
        support::require_regular("config.path", options_.path, status.st_mode);
    }
    support::Descriptor file(
        open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (file.number() < 0) {
        throw support::file_failure("config.path: cannot open " + options_.path, errno);
    }
    if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            throw distributo::retry("config.path: another sink writes to " + options_.path);
        }
        throw support::file_failure("cannot lock " + options_.path, errno);
    }
    if (fstat(file.number(), &status) != 0) {
        throw support::file_failure("cannot examine " + options_.path, errno);
    }
    file_ = std::move(file);
    recover(static_cast<std::uint64_t>(status.st_size));
    if (options_.durable) {
        // Whoever wrote it may have died before its sync; from here on it counts as stored.
        if (fdatasync(file_.number()) != 0) {
            const int error = errno;
            file_ = support::Descriptor();
            throw support::file_failure("cannot sync " + options_.path, error);
        }
        sync_folder();
    }
}

void LineFile::recover(std::uint64_t size) {
    const Tail tail = read_tail(file_, options_.path, size);
    const auto number = support::sequence_of(tail.last_line);
    if ((!tail.last_line.empty() && !number) || (tail.complete > 0 && tail.last_line.empty()) ||
        !may_be_ours(tail.torn)) {
        file_ = support::Descriptor();
        refuse(options_.path);
    }
    if (!tail.torn.empty()) {
        cut(tail);
    }
    size_ = synced_ = tail.complete;
    if (number) {
        last_ = std::max(last_, *number);
    }
    if (!number && last_ == 0) {
        const auto found = asides(folder_, options_.path);
        last_ = found.empty() ? 0 : found.back().number;
    }
}

void LineFile::cut(const Tail& tail) {
    if (ftruncate(file_.number(), static_cast<off_t>(tail.complete)) != 0) {
        throw support::file_failure("cannot cut " + options_.path, errno);
    }
    warn_(options_.path + ": cut off " + std::to_string(tail.torn.size()) +
          " bytes of a line that was not finished");
}

bool LineFile::was_moved() const {
    struct stat there {};
    struct stat here {};
    return stat(options_.path.c_str(), &there) != 0 || fstat(file_.number(), &here) != 0 ||
           there.st_dev != here.st_dev || there.st_ino != here.st_ino;
}

void LineFile::open_unless_open() {
    if (file_.number() >= 0 && was_moved()) {
        sync();  // it is still there, under another name
        file_ = support::Descriptor();
    }
    if (file_.number() < 0) {
        open_file();
    }
}

std::uint64_t LineFile::last_number() {
    open_unless_open();
    return last_;
}

void LineFile::append(std::string_view lines, std::uint64_t number) {
    open_unless_open();
    try {
        support::write_all(file_, options_.path, lines);
    } catch (const distributo::Failure&) {
        // Half a line at most, and none if this works; the next call cuts it off otherwise.
        static_cast<void>(ftruncate(file_.number(), static_cast<off_t>(size_)));
        file_ = support::Descriptor();
        throw;
    }
    size_ += lines.size();
    last_ = number;
}

void LineFile::sync() {
    if (!options_.durable || synced_ == size_) {
        return;
    }
    if (fdatasync(file_.number()) != 0) {
        // The system may have thrown the data away and say "fine" next time. What stood there at
        // the last success is what counts, and nothing goes on before somebody has looked.
        const int error = errno;
        static_cast<void>(ftruncate(file_.number(), static_cast<off_t>(synced_)));
        file_ = support::Descriptor();
        last_ = 0;
        throw distributo::permanent("cannot sync " + options_.path + ": " +
                                    std::generic_category().message(error));
    }
    synced_ = size_;
}

void LineFile::sync_folder() const {
    const support::Descriptor folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A folder that may be written but not read cannot be synced; the file itself is.
    if (folder.number() >= 0) {
        fsync(folder.number());
    }
}

void LineFile::set_aside() {
    open_unless_open();
    if (size_ == 0) {
        return;
    }
    sync();
    const std::string aside = options_.path + "." + digits_of(last_);
    if (rename(options_.path.c_str(), aside.c_str()) != 0) {
        throw support::file_failure("cannot rename " + options_.path, errno);
    }
    file_ = support::Descriptor();
    if (options_.max_aside) {
        const auto found = asides(folder_, options_.path);
        const std::size_t most = *options_.max_aside;
        for (std::size_t i = 0; i + most < found.size(); ++i) {
            if (unlink(found[i].path.c_str()) != 0) {
                warn_("cannot remove " + found[i].path.string() + ": " +
                      std::generic_category().message(errno));
            }
        }
    }
    open_file();
}

}  // namespace jsonl
