#include "runtime/control_groups.hpp"

#include "runtime/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

/// One write: that is how these files take a value, and how they refuse it.
bool write_value(const fs::path& file, std::string_view value) {
    const Descriptor out(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return out.ok() &&
           write(out.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

/// Where the hierarchy of version 2 is mounted; empty when it is not.
std::string mount_point(std::string_view mountinfo) {
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        // id parent device root mount-point options [tags …] - type source options
        const auto separator = line.find(" - ");
        if (separator == std::string::npos || line.compare(separator + 3, 8, "cgroup2 ") != 0)
            continue;
        std::istringstream fields(line);
        std::string skipped;
        std::string place;
        fields >> skipped >> skipped >> skipped >> skipped >> place;
        return place;
    }
    return {};
}

}  // namespace

base::Result<fs::path> own_group(std::string_view mountinfo, std::string_view membership) {
    const auto unavailable = [](const char* why) {
        return base::error(base::Errc::unavailable, why);
    };
    const std::string place = mount_point(mountinfo);
    if (place.empty())
        return unavailable("control groups of version 2 are not mounted");
    std::istringstream lines{std::string(membership)};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("0::/") && line.size() > 4)
            return fs::path(place) / line.substr(4);
    return unavailable("this host was not started in a control group of its own");
}

base::Result<ControlGroups> ControlGroups::take_over(const fs::path& own) {
    const auto leaf = own / "supervisor";
    std::error_code error;
    fs::create_directory(leaf, error);
    if (error || !write_value(leaf / "cgroup.procs", std::to_string(getpid())))
        return base::error(base::Errc::unavailable,
                           "its control group cannot be written: " +
                               (error ? error.message() : std::strerror(errno)));
    // Without them there is still the kill.
    write_value(own / "cgroup.subtree_control", "+memory");
    return ControlGroups(own);
}

fs::path ControlGroups::group(std::uint64_t number) const {
    return own_ / ("runner-" + std::to_string(number));
}

base::Result<void> ControlGroups::add(std::uint64_t number, pid_t process, std::uint64_t memory) {
    const auto place = group(number);
    std::error_code error;
    fs::create_directory(place, error);
    if (!error && memory != 0)
        write_value(place / "memory.max", std::to_string(memory));
    if (error || !write_value(place / "cgroup.procs", std::to_string(process)))
        return base::error(base::Errc::io,
                           "cannot use " + place.string() + ": " +
                               (error ? error.message() : std::strerror(errno)));
    return {};
}

void ControlGroups::kill(std::uint64_t number) const {
    write_value(group(number) / "cgroup.kill", "1");
}

bool ControlGroups::remove(std::uint64_t number) const {
    return rmdir(group(number).c_str()) == 0 || errno == ENOENT;
}

}  // namespace distributo::runtime
