#include "host/spool_files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".spool";

base::Error failure(const char* what, const fs::path& path, const std::string& why) {
    return base::error(base::Errc::io,
                       std::string("cannot ") + what + ' ' + path.string() + ": " + why);
}

/// The name of a new file is durable once its directory is.
base::Result<void> sync_directory(const fs::path& path) {
    const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = directory >= 0 && ::fsync(directory) == 0;
    const int why = errno;
    if (directory >= 0)
        ::close(directory);
    if (!synced)
        return failure("sync", path, std::strerror(why));
    return {};
}

}  // namespace

SpoolDirectory::~SpoolDirectory() {
    close();
}

void SpoolDirectory::close() noexcept {
    if (file_ >= 0)
        ::close(file_);
    file_ = -1;
}

fs::path SpoolDirectory::place(std::uint64_t number) const {
    return path_ / (std::to_string(number) + std::string(suffix));
}

base::Result<std::vector<std::uint64_t>> SpoolDirectory::list() {
    std::vector<std::uint64_t> numbers;
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto name = entry->path().filename().string();
        std::uint64_t number = 0;
        if (!name.ends_with(suffix))
            continue;
        const char* const stem_end = name.data() + name.size() - suffix.size();
        const auto [stop, failed] = std::from_chars(name.data(), stem_end, number);
        if (failed == std::errc() && stop == stem_end && number != 0)
            numbers.push_back(number);
    }
    if (error)
        return failure("list", path_, error.message());
    std::ranges::sort(numbers);
    return numbers;
}

base::Result<std::string> SpoolDirectory::read(std::uint64_t number) {
    std::ifstream in(place(number), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof())
        return failure("read", place(number), std::strerror(errno));
    return text;
}

base::Result<void> SpoolDirectory::create(std::uint64_t number) {
    close();
    const auto path = place(number);
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0)
        return failure("create", path, std::strerror(errno));
    return sync_directory(path_);
}

base::Result<void> SpoolDirectory::append(std::string_view data) {
    while (!data.empty()) {
        const auto written = ::write(file_, data.data(), data.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return failure("write to", path_, std::strerror(written < 0 ? errno : ENOSPC));
        data.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

base::Result<void> SpoolDirectory::sync() {
    if (::fdatasync(file_) != 0)
        return failure("sync", path_, std::strerror(errno));
    return {};
}

void SpoolDirectory::remove(std::uint64_t number) {
    std::error_code ignored;
    fs::remove(place(number), ignored);
}

}  // namespace distributo::host
