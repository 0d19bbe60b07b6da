#include "coordinator/store/sqlite/blob_files.hpp"

#include "base/digest.hpp"
#include "coordinator/store/sqlite/database.hpp"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace distributo::coordinator::store {
namespace {

namespace fs = std::filesystem;

constexpr auto unfinished = ".new";

[[noreturn]] void fail_file(int code, const char* what, const fs::path& path) {
    const int number = errno;
    const bool full = number == ENOSPC || number == EDQUOT;
    throw DatabaseError(
        full && code != SQLITE_IOERR_FSYNC ? SQLITE_FULL : code,
        std::string("cannot ") + what + ' ' + path.string() + ": " + std::strerror(number),
        number);
}

class Descriptor {
public:
    Descriptor(const fs::path& path, int flags)
        : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
        if (number_ < 0)
            fail_file(SQLITE_CANTOPEN, "open", path);
    }
    ~Descriptor() { ::close(number_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

void sync_folder(const fs::path& folder) {
    const Descriptor opened(folder, O_RDONLY | O_DIRECTORY);
    if (::fsync(opened.number()) != 0)
        fail_file(SQLITE_IOERR_FSYNC, "sync", folder);
}

/// Makes the folder and those above it, so that they survive a power cut.
void make_folder(const fs::path& folder) {
    if (fs::exists(folder))
        return;
    make_folder(folder.parent_path());
    std::error_code failed;
    fs::create_directory(folder, failed);
    if (failed) {
        errno = failed.value();
        fail_file(SQLITE_CANTOPEN, "make", folder);
    }
    sync_folder(folder.parent_path());
}

void write_synced(const fs::path& path, std::string_view content) {
    const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
    while (!content.empty()) {
        const auto written = ::write(file.number(), content.data(), content.size());
        if (written < 0 && errno != EINTR)
            fail_file(SQLITE_IOERR_WRITE, "write", path);
        content.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    if (::fsync(file.number()) != 0)
        fail_file(SQLITE_IOERR_FSYNC, "sync", path);
}

}  // namespace

void BlobFiles::write(const std::string& name, std::string_view content) const {
    const auto path = file(name);
    const auto fresh = fs::path(path).concat(unfinished);
    make_folder(path.parent_path());
    try {
        write_synced(fresh, content);
        if (::rename(fresh.c_str(), path.c_str()) != 0)
            fail_file(SQLITE_IOERR_WRITE, "rename", fresh);
    } catch (const DatabaseError&) {
        ::unlink(fresh.c_str());  // its room may be what is missing
        throw;
    }
    sync_folder(path.parent_path());
}

base::Bytes BlobFiles::read(const std::string& name) const {
    const auto path = file(name);
    std::ifstream in(path, std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(in), {});
    if (!in || base::sha256(content) != name)
        throw DatabaseError(SQLITE_IOERR_READ,
                            "the result in " + path.string() + " is missing or damaged");
    return base::Bytes::copy(content);
}

void BlobFiles::remove(const std::string& name) const {
    std::error_code ignored;
    fs::remove(file(name), ignored);
}

std::vector<std::string> BlobFiles::list(unsigned part) const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::vector<std::string> found;
    std::error_code missing;
    const std::string name{digits[part / digits.size()], digits[part % digits.size()]};
    for (const auto& entry : fs::directory_iterator(folder_ / name, missing))
        found.push_back(entry.path().filename().string());
    return found;
}

}  // namespace distributo::coordinator::store
