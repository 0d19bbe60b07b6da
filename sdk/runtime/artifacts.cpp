#include "runtime/artifacts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 1024;
constexpr std::size_t longest_part = 255;  // what file systems take
/// Open at once in one call; a process has about a thousand descriptors for all its calls.
constexpr std::size_t most_streams = 64;
constexpr mode_t readable = 0444;

std::string failed(std::string_view what, const fs::path& path) {
    return "cannot " + std::string(what) + ' ' + path.string() + ": " + std::strerror(errno);
}

/// A regular file, not a link to one: what is an artifact lies where it seems to lie.
int open_regular(const fs::path& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat about {};
    if (file >= 0 && (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))) {
        close(file);
        errno = EINVAL;
        return -1;
    }
    return file;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), bytes.size());
        if (written >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            return false;
    }
    return true;
}

}  // namespace

std::string fault_of_artifact_name(std::string_view name) {
    if (name.empty() || name.size() > longest_name)
        return "expected a name of 1 to " + std::to_string(longest_name) + " bytes";
    std::string_view rest = name;
    while (true) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        if (part.empty() || part == "." || part == ".." || part.size() > longest_part)
            return "expected a relative path without . and .., got \"" +
                   std::string(name.substr(0, 100)) + '"';
        if (slash == std::string_view::npos)
            break;
        rest.remove_prefix(slash + 1);
    }
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\';
    });
    return plain ? std::string() : "control characters and \\ cannot be in a name";
}

void Artifacts::begin(fs::path directory, const std::atomic<std::int32_t>& cancelled) {
    const std::lock_guard lock(mutex_);
    directory_ = std::move(directory);
    cancelled_ = &cancelled;
}

void Artifacts::end() {
    const std::lock_guard lock(mutex_);
    for (auto& stream : streams_)
        abandon(stream);
    cancelled_ = nullptr;
}

// ---- opening ---------------------------------------------------------------------------------

dto_stream* Artifacts::free_stream(std::string& why) {
    for (auto& stream : streams_)
        if (stream.file < 0 && stream.digest.empty())
            return &stream;
    // A digest lives as long as its call; beyond so many, that of the first one goes.
    for (auto& stream : streams_)
        if (stream.file < 0 && streams_.size() >= most_streams)
            return &stream;
    if (streams_.size() >= most_streams) {
        why = std::to_string(most_streams) + " streams are open already";
        return nullptr;
    }
    auto& added = streams_.emplace_back();
    added.owner = this;
    return &added;
}

std::string Artifacts::next_part() {
    return (directory_ / (".artifact-" + std::to_string(++parts_) + ".part")).string();
}

dto_status Artifacts::fetch(std::string_view name, std::string& path, std::string& why) {
    const std::lock_guard lock(mutex_);
    if (cancelled())
        return DTO_CANCELLED;
    if (why = fault_of_artifact_name(name); !why.empty())
        return DTO_PERMANENT;
    path = (directory_ / name).string();
    const int file = open_regular(path);
    if (file < 0) {
        why = failed("read the artifact", path);
        return DTO_PERMANENT;
    }
    fchmod(file, readable);
    ::close(file);
    return DTO_OK;
}

dto_status Artifacts::open_read(std::string_view name,
                                dto_stream*& stream,
                                std::uint64_t& size,
                                std::string& why) {
    const std::lock_guard lock(mutex_);
    if (cancelled())
        return DTO_CANCELLED;
    if (why = fault_of_artifact_name(name); !why.empty())
        return DTO_PERMANENT;
    dto_stream* const opened = free_stream(why);
    if (!opened)
        return DTO_RETRY;
    const int file = open_regular(directory_ / name);
    struct stat about {};
    if (file < 0 || fstat(file, &about) != 0) {
        why = failed("read the artifact", directory_ / name);
        return DTO_PERMANENT;
    }
    opened->file = file;
    opened->writing = false;
    opened->hash.emplace();
    size = static_cast<std::uint64_t>(about.st_size);
    stream = opened;
    return DTO_OK;
}

dto_status Artifacts::open_write(std::string_view name, dto_stream*& stream, std::string& why) {
    const std::lock_guard lock(mutex_);
    if (cancelled())
        return DTO_CANCELLED;
    if (why = fault_of_artifact_name(name); !why.empty())
        return DTO_PERMANENT;
    dto_stream* const opened = free_stream(why);
    if (!opened)
        return DTO_RETRY;
    opened->part = next_part();
    opened->target = (directory_ / name).string();
    opened->file =
        open(opened->part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (opened->file < 0) {
        why = failed("write", opened->part);
        return DTO_RETRY;
    }
    opened->writing = true;
    opened->hash.emplace();
    stream = opened;
    return DTO_OK;
}

// ---- streams ---------------------------------------------------------------------------------

dto_status Artifacts::read(dto_stream& stream,
                           void* buffer,
                           std::size_t capacity,
                           std::size_t& got) {
    const std::lock_guard lock(mutex_);
    got = 0;
    if (cancelled() || stream.file < 0)
        return DTO_CANCELLED;
    if (stream.writing)
        return DTO_PERMANENT;
    if (capacity == 0)
        return DTO_OK;
    for (;;) {
        const auto count = ::read(stream.file, buffer, capacity);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0 ? DTO_END : DTO_RETRY;
        got = static_cast<std::size_t>(count);
        stream.hash->update({static_cast<const char*>(buffer), got});
        return DTO_OK;
    }
}

dto_status Artifacts::write(dto_stream& stream, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (cancelled() || stream.file < 0)
        return DTO_CANCELLED;
    if (!stream.writing)
        return DTO_PERMANENT;
    if (!write_all(stream.file, bytes))
        return DTO_RETRY;
    stream.hash->update(bytes);
    return DTO_OK;
}

dto_status Artifacts::close(dto_stream& stream, bool keep, std::string_view* digest) {
    const std::lock_guard lock(mutex_);
    if (stream.file < 0 || !cancelled_)
        return DTO_CANCELLED;
    dto_status status = DTO_OK;
    if (stream.writing && keep)
        status = cancelled() ? DTO_CANCELLED : commit(stream);
    stream.digest = stream.hash->finish();
    if (digest)
        *digest = stream.digest;
    abandon(stream);
    return status;
}

dto_status Artifacts::commit(dto_stream& stream) {
    std::error_code error;
    fs::create_directories(fs::path(stream.target).parent_path(), error);
    if (!error)
        fs::rename(stream.part, stream.target, error);
    if (error)
        return DTO_RETRY;
    stream.part.clear();
    return DTO_OK;
}

/// Whatever was written and not committed is gone.
void Artifacts::abandon(dto_stream& stream) {
    if (stream.file < 0) {
        stream.digest.clear();
        return;
    }
    ::close(stream.file);
    stream.file = -1;
    if (stream.writing && !stream.part.empty())
        unlink(stream.part.c_str());
    stream.part.clear();
    stream.hash.reset();
}

dto_status Artifacts::publish(std::string_view name, const fs::path& file, std::string& why) {
    const int source = open_regular(file);
    if (source < 0) {
        why = failed("read", file);
        return DTO_PERMANENT;
    }
    dto_stream* stream = nullptr;
    dto_status status = open_write(name, stream, why);
    std::string piece(256 * 1024, '\0');
    while (status == DTO_OK) {
        const auto got = ::read(source, piece.data(), piece.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            status = got == 0 ? DTO_END : DTO_RETRY;
            break;
        }
        status = write(*stream, std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    }
    ::close(source);
    if (!stream)
        return status;
    const auto closed = close(*stream, status == DTO_END, nullptr);
    return status == DTO_END ? closed : status;
}

}  // namespace distributo::runtime
