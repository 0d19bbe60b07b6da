#include "coordinator/store/sqlite/lock_file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

// Locks of open files, not of processes: SQLite and other code of this process may open and close
// the file without letting go of the lock.
int lock(int descriptor) {
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(descriptor, F_OFD_SETLK, &whole);
}

/// What the holder wrote: its process number; empty when it had no time to.
std::string holder(int descriptor) {
    std::array<char, 32> text{};
    const auto size = ::pread(descriptor, text.data(), text.size() - 1, 0);
    return size <= 0 ? std::string() : std::string(text.data(), std::strcspn(text.data(), "\n"));
}

bool is_gone(const std::string& process) {
    const auto number = std::atoi(process.c_str());
    return number > 0 && ::kill(number, 0) != 0 && errno == ESRCH;
}

/// A coordinator that was killed while it started a child leaves the lock to that child until it
/// begins its own program, which is a matter of milliseconds.
int lock_after(int descriptor) {
    constexpr auto pause = std::chrono::milliseconds(5);
    constexpr auto longest = std::chrono::seconds(2);
    const auto give_up = std::chrono::steady_clock::now() + longest;
    int status = lock(descriptor);
    while (status != 0 && (errno == EAGAIN || errno == EACCES) && is_gone(holder(descriptor)) &&
           std::chrono::steady_clock::now() < give_up) {
        std::this_thread::sleep_for(pause);
        status = lock(descriptor);
    }
    return status;
}

}  // namespace

base::Result<LockFile> LockFile::take(const std::filesystem::path& file) {
    LockFile made;
    made.descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made.descriptor_ < 0)
        return base::error(Errc::io,
                           "cannot open " + file.string() + ": " + std::strerror(errno),
                           "name another directory with --data-dir");
    if (lock_after(made.descriptor_) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            return base::error(Errc::io,
                               "cannot lock " + file.string() + ": " + std::strerror(errno),
                               "the data directory must be on a local file system");
        const auto process = holder(made.descriptor_);
        return base::error(Errc::conflict,
                           file.parent_path().string() + " is in use by " +
                               (process.empty() ? "another process" : "process " + process),
                           "stop that coordinator, or name another directory with --data-dir");
    }
    const auto process = std::to_string(::getpid()) + '\n';
    // Only for people: a lock that cannot say who holds it locks as well.
    if (::ftruncate(made.descriptor_, 0) == 0)
        (void)!::pwrite(made.descriptor_, process.data(), process.size(), 0);
    return made;
}

LockFile::~LockFile() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

}  // namespace distributo::coordinator::store
