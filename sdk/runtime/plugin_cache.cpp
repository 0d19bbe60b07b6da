#include "runtime/plugin_cache.hpp"

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "runtime/elf_file.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using base::Errc;

base::Error failed(std::string_view what, const fs::path& path) {
    return base::error(
        Errc::io,
        "cannot " + std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0)
            close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool ok() const noexcept { return number_ >= 0; }

private:
    int number_;
};

/// Removes a file unless it was renamed away.
class Temporary {
public:
    explicit Temporary(fs::path path) : path_(std::move(path)) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() { unlink(path_.c_str()); }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

private:
    fs::path path_;
};

base::Result<void> make_private(const fs::path& directory) {
    std::error_code error;
    if (directory.has_parent_path())
        fs::create_directories(directory.parent_path(), error);
    if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return failed("make the plugin cache", directory);
    struct stat about {};
    if (stat(directory.c_str(), &about) != 0)
        return failed("look at the plugin cache", directory);
    if (about.st_uid != geteuid())
        return base::error(Errc::conflict,
                           "the plugin cache " + directory.string() + " belongs to another user",
                           "give --data-dir a folder of your own");
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0 && chmod(directory.c_str(), S_IRWXU) != 0)
        return failed("make private", directory);
    return {};
}

base::Result<void> check_file(int source, const fs::path& file, struct stat& about) {
    if (fstat(source, &about) != 0)
        return failed("read", file);
    const std::string name = file.filename().string();
    if (!S_ISREG(about.st_mode))
        return base::error(Errc::invalid_argument, name + " is not a regular file");
    const auto size = static_cast<std::uint64_t>(about.st_size);
    std::array<char, 64> head{};
    const auto got = pread(source, head.data(), head.size(), 0);
    if (got < 0)
        return failed("read", file);
    auto checked = check_elf({head.data(), static_cast<std::size_t>(got)}, size);
    if (!checked)
        return base::error(
            checked.error().code, name + " " + checked.error().message, checked.error().hint);
    return {};
}

base::Error being_written() {
    return base::error(Errc::unavailable, "the file was written to while it was copied");
}

base::Result<void> copy(int source, int target, std::uint64_t size, const fs::path& to) {
    off_t offset = 0;
    while (static_cast<std::uint64_t>(offset) < size) {
        const auto sent =
            sendfile(target, source, &offset, size - static_cast<std::uint64_t>(offset));
        if (sent < 0)
            return failed("write", to);
        if (sent == 0)
            return being_written();
    }
    if (fchmod(target, S_IRUSR | S_IXUSR) != 0 || fsync(target) != 0)
        return failed("write", to);
    return {};
}

/// Nobody has written to the file since `before` was taken.
bool is_unchanged(int source, const struct stat& before) {
    struct stat now {};
    return fstat(source, &now) == 0 && now.st_size == before.st_size &&
           now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
}

bool is_intact(const fs::path& library, const std::string& digest) {
    const auto have = base::sha256_file(library);
    return have && *have == digest;
}

}  // namespace

base::Result<CachedPlugin> cache_plugin(const fs::path& file, const fs::path& cache) {
    const Descriptor source(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.ok())
        return failed("read", file);
    struct stat about {};
    if (auto checked = check_file(source.get(), file, about); !checked)
        return checked.error();
    const fs::path root = fs::absolute(cache);
    if (auto made = make_private(root); !made)
        return made.error();

    // The digest is taken from the copy: the original may change under our eyes.
    const Temporary temporary(root / ("copy-" + base::random_hex(8)));
    {
        const Descriptor target(
            open(temporary.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRWXU));
        if (!target.ok())
            return failed("write", temporary.path());
        const auto size = static_cast<std::uint64_t>(about.st_size);
        if (auto copied = copy(source.get(), target.get(), size, temporary.path()); !copied)
            return copied.error();
        if (!is_unchanged(source.get(), about))
            return being_written();
    }
    auto digest = base::sha256_file(temporary.path());
    if (!digest)
        return digest.error();

    CachedPlugin cached{.digest = *digest, .library = root / *digest / "plugin.so"};
    const fs::path directory = cached.library.parent_path();
    if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return failed("make", directory);
    if (is_intact(cached.library, cached.digest))
        return cached;
    if (rename(temporary.path().c_str(), cached.library.c_str()) != 0)
        return failed("write", cached.library);
    return cached;
}

base::Result<CachedPlugin> find_cached_plugin(const std::string& digest, const fs::path& cache) {
    CachedPlugin cached{.digest = digest, .library = fs::absolute(cache) / digest / "plugin.so"};
    if (!is_intact(cached.library, digest))
        return base::error(Errc::not_found,
                           "the private copy " + cached.library.string() + " is gone or damaged");
    return cached;
}

void prune_plugin_cache(const fs::path& cache, const std::set<std::string>& digests) {
    std::vector<fs::path> old;
    std::error_code error;
    for (fs::directory_iterator entry(cache, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (base::is_sha256(name) && !digests.contains(name))
            old.push_back(entry->path());
    }
    for (const auto& directory : old)
        fs::remove_all(directory, error);  // what stays behind is tried again the next time
}

}  // namespace distributo::runtime
