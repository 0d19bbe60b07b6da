#include "coordinator/store/sqlite/reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace distributo::coordinator::store {

namespace fs = std::filesystem;

std::uint64_t free_space(const fs::path& folder) {
    std::error_code failed;
    const auto space = fs::space(folder, failed);
    return failed ? 0 : space.available;
}

Reserve::Reserve(fs::path file, std::uint64_t size, FreeSpace free)
    : file_(std::move(file)), size_(size), free_(std::move(free)) {}

bool Reserve::take() {
    if (size_ == 0)
        return true;
    std::error_code failed;
    if (const auto there = fs::file_size(file_, failed); !failed && there == size_)
        return true;
    if (free_(file_.parent_path()) < 2 * size_)
        return false;
    const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return false;
    // Not a hole: the blocks are taken now.
    const bool taken = ::posix_fallocate(descriptor, 0, static_cast<off_t>(size_)) == 0;
    ::close(descriptor);
    if (!taken)
        give_up();
    return taken;
}

void Reserve::give_up() {
    std::error_code ignored;
    fs::remove(file_, ignored);
}

}  // namespace distributo::coordinator::store
