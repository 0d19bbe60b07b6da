#include "files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace support {

namespace {

dto_status status_of(int error) {
    switch (error) {
        case EAGAIN:
        case EBUSY:
        case EINTR:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ETXTBSY:
            return DTO_RETRY;
        case EINVAL:
        case EISDIR:
        case ENAMETOOLONG:
            return DTO_PERMANENT;
        default:
            return DTO_RETRY_ELSEWHERE;
    }
}

void require_absolute(std::string_view place, const std::string& path) {
    const std::string where(place);
    if (path.empty() || path.front() != '/') {
        throw distributo::permanent(where + ": expected an absolute path, got \"" + path + "\"");
    }
    if (path.find('\0') != std::string::npos) {
        throw distributo::permanent(where + ": a path cannot contain a NUL character");
    }
}

std::string kind_of(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

struct stat examine(const std::string& path, const Descriptor& file) {
    struct stat status {};
    if (fstat(file.number(), &status) != 0) {
        throw file_failure("cannot examine " + path, errno);
    }
    return status;
}

/// Files of several processes may be born in one folder at once.
std::string random_name() {
    std::random_device source;
    std::string name;
    for (int i = 0; i < 4; ++i) {
        name += std::to_string(source());
    }
    return ".distributo-" + name + ".part";
}

}  // namespace

distributo::Failure file_failure(const std::string& what, int error) {
    return {status_of(error), what + ": " + std::generic_category().message(error)};
}

void require_regular(std::string_view place, const std::string& path, mode_t mode) {
    if (!S_ISREG(mode)) {
        throw distributo::permanent(std::string(place) + ": " + path + " is " + kind_of(mode) +
                                    ", expected a regular file");
    }
}

void write_all(const Descriptor& file, const std::string& path, std::string_view data) {
    while (!data.empty()) {
        const ssize_t put = ::write(file.number(), data.data(), data.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            throw file_failure("cannot write " + path, errno);
        }
        data.remove_prefix(static_cast<std::size_t>(put));
    }
}

Descriptor::~Descriptor() {
    if (number_ >= 0) {
        close(number_);
    }
}

Input::Input(std::string_view place, std::string path) : path_(std::move(path)) {
    require_absolute(place, path_);
    // Not blocking: a FIFO that nobody writes to would hold the task for ever.
    file_ = Descriptor(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file_.number() < 0) {
        throw file_failure("cannot open " + path_, errno);
    }
    const struct stat status = examine(path_, file_);
    require_regular(place, path_, status.st_mode);
    identity_ = identity();
}

Input::Identity Input::identity() const {
    const struct stat status = examine(path_, file_);
    return {status.st_dev,
            status.st_ino,
            static_cast<std::uint64_t>(status.st_size),
            status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec};
}

std::size_t Input::read(std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const ssize_t got = ::read(file_.number(), into.data() + filled, into.size() - filled);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw file_failure("cannot read " + path_, errno);
        }
        if (got == 0) {
            break;
        }
        filled += static_cast<std::size_t>(got);
    }
    return filled;
}

void Input::require_unchanged() const {
    if (identity() != identity_) {
        throw distributo::retry(path_ + " was changed while it was read");
    }
}

bool Input::is(const std::string& path) const {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && status.st_dev == identity_.device &&
           status.st_ino == identity_.inode;
}

Output::Output(std::string_view place, std::string path) : path_(std::move(path)) {
    require_absolute(place, path_);
    struct stat status {};
    if (stat(path_.c_str(), &status) == 0) {
        require_regular(place, path_, status.st_mode);
    }
    const std::size_t slash = path_.rfind('/');
    if (slash + 1 == path_.size()) {
        throw distributo::permanent(std::string(place) + ": expected the path of a file, got \"" +
                                    path_ + "\"");
    }
    folder_ = path_.substr(0, slash + 1);
    do {
        part_ = folder_ + random_name();
        file_ = Descriptor(open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    } while (file_.number() < 0 && errno == EEXIST);
    if (file_.number() < 0) {
        const int error = errno;
        part_.clear();
        throw file_failure("cannot create a file in " + folder_, error);
    }
}

Output::~Output() {
    if (!part_.empty()) {
        unlink(part_.c_str());
    }
}

void Output::write(std::span<const std::byte> data) {
    write_all(file_, path_, {reinterpret_cast<const char*>(data.data()), data.size()});
    size_ += data.size();
}

void Output::commit() {
    // The outcome "completed" outlives a power cut, so the file has to as well.
    if (fsync(file_.number()) != 0) {
        throw file_failure("cannot write " + path_, errno);
    }
    if (rename(part_.c_str(), path_.c_str()) != 0) {
        throw file_failure("cannot replace " + path_, errno);
    }
    part_.clear();
    const Descriptor folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A folder that may be written but not read cannot be synced; the file itself is.
    if (folder.number() >= 0) {
        fsync(folder.number());
    }
}

}  // namespace support
