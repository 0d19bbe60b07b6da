#include "runtime/sandbox_landlock.hpp"

#include "runtime/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

// Newer than the headers of Debian 12.
constexpr std::uint64_t access_truncate = 1ULL << 14U;
constexpr std::uint64_t access_ioctl_device = 1ULL << 15U;
constexpr std::uint64_t scope_abstract_socket = 1ULL << 0U;
constexpr std::uint64_t scope_signal = 1ULL << 1U;

struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t ports = 0;
    std::uint64_t scopes = 0;
};

constexpr std::uint64_t read_access =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t oldest_access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // version 1
/// What a rule on something that is no directory may say.
constexpr std::uint64_t file_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                      LANDLOCK_ACCESS_FS_WRITE_FILE | access_truncate |
                                      access_ioctl_device;

std::uint64_t all_access(int version) {
    std::uint64_t access = oldest_access;
    if (version >= 2)
        access |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        access |= access_truncate;
    if (version >= 5)
        access |= access_ioctl_device;
    return access;
}

/// Every program expects to be able to write these.
constexpr const char* devices[] = {
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
/// What people keep there is nobody's business.
constexpr const char* homes[] = {"home", "root"};

class Rules {
public:
    Rules(int ruleset, std::uint64_t all) : ruleset_(ruleset), all_(all) {}

    void allow(const std::string& path, std::uint64_t access) {
        const Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
        struct stat about {};
        if (!place.ok() || fstat(place.get(), &about) != 0)
            return;  // what is not there needs no rule
        if (!S_ISDIR(about.st_mode))
            access &= file_access;
        const landlock_path_beneath_attr rule{.allowed_access = access & all_,
                                              .parent_fd = place.get()};
        syscall(SYS_landlock_add_rule, ruleset_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    void allow_reading(const std::string& path) { allow(path, read_access); }
    void allow_all(const std::string& path) { allow(path, all_); }

    /// A rule for / would include the homes, and there are no exceptions: one for each folder in
    /// it.
    void allow_reading_the_system() {
        std::error_code error;
        for (fs::directory_iterator entry("/", error), end; !error && entry != end;
             entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            bool is_home = false;
            for (const char* const home : homes)
                is_home = is_home || name == home;
            if (!is_home)
                allow_reading(entry->path().string());
        }
    }

private:
    int ruleset_;
    std::uint64_t all_;
};

base::Error failed(const char* what) {
    return base::error(base::Errc::io, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

int landlock_version() noexcept {
    const auto version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? static_cast<int>(version) : 0;
}

base::Result<int> restrict_files(const SandboxPolicy& policy, const SandboxPaths& paths) {
    const int version = landlock_version();
    if (version == 0)
        return base::error(base::Errc::unavailable, "this kernel has no Landlock, or it is off");
    Ruleset wanted{.files = all_access(version)};
    if (version >= landlock_scopes)
        wanted.scopes = scope_abstract_socket | scope_signal;
    // Older kernels refuse a longer structure than they know, unless the rest of it is zero.
    const Descriptor ruleset(
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0)));
    if (!ruleset.ok())
        return failed("cannot make a Landlock ruleset");

    Rules rules(ruleset.get(), wanted.files);
    rules.allow_reading_the_system();
    for (const auto& path : paths.readable)
        rules.allow_reading(path);
    for (const auto& path : policy.readable)
        rules.allow_reading(path);
    for (const char* const device : devices)
        rules.allow_all(device);
    for (const auto& path : paths.writable)
        rules.allow_all(path);
    for (const auto& path : policy.writable)
        rules.allow_all(path);
    if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return failed("cannot enter a Landlock domain");
    return version;
}

}  // namespace distributo::runtime
