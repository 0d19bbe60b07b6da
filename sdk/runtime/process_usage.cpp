#include "runtime/process_usage.hpp"

#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace distributo::runtime {
namespace {

/// The beginning of a file in /proc; empty when it cannot be read.
std::string first_bytes(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return {};
    std::string text(4096, '\0');
    const auto size = ::read(file, text.data(), text.size());
    close(file);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

/// Entries of an open folder, "." and ".." excluded.
std::uint32_t entries_of(int folder) {
    // The copy is closed with the stream; both share the position.
    DIR* const stream = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 0));
    if (!stream)
        return 0;
    rewinddir(stream);
    std::uint32_t count = 0;
    while (readdir(stream))
        ++count;
    closedir(stream);
    return count > 2 ? count - 2 : 0;
}

}  // namespace

ProcessMeter::ProcessMeter(pid_t process)
    : process_(process),
      descriptors_(open(("/proc/" + std::to_string(process) + "/fd").c_str(),
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

std::optional<ProcessUsage> ProcessMeter::read() const {
    const std::string place = "/proc/" + std::to_string(process_);
    const std::string pages = first_bytes(place + "/statm");
    const std::string status = first_bytes(place + "/status");
    unsigned long long resident = 0;
    unsigned threads = 0;
    const auto line = status.find("\nThreads:");
    if (std::sscanf(pages.c_str(), "%*u %llu", &resident) != 1 || line == std::string::npos ||
        std::sscanf(status.c_str() + line, "\nThreads: %u", &threads) != 1)
        return std::nullopt;
    return ProcessUsage{.memory = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
                        .descriptors = descriptors_.ok() ? entries_of(descriptors_.get()) : 0,
                        .threads = threads};
}

}  // namespace distributo::runtime
