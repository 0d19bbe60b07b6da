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

/// Removes a folder and what is in it, unless it was renamed away.
class Temporary {
public:
    explicit Temporary(fs::path path) : path_(std::move(path)) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
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

enum class Kind : std::uint8_t { library, script };

base::Result<void> check_file(int source, const fs::path& file, Kind kind, struct stat& about) {
    if (fstat(source, &about) != 0)
        return failed("read", file);
    const std::string name = file.filename().string();
    if (!S_ISREG(about.st_mode))
        return base::error(Errc::invalid_argument, name + " is not a regular file");
    if (kind == Kind::script)
        return {};
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

/// Copies what may be a plugin's file and returns the digest of the copy: the original may change
/// under our eyes.
base::Result<std::string> copy_file(const fs::path& file, const fs::path& to, Kind kind) {
    const Descriptor source(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.ok())
        return failed("read", file);
    struct stat about {};
    if (auto checked = check_file(source.get(), file, kind, about); !checked)
        return checked.error();
    {
        const Descriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRWXU));
        if (!target.ok())
            return failed("write", to);
        const auto size = static_cast<std::uint64_t>(about.st_size);
        if (auto copied = copy(source.get(), target.get(), size, to); !copied)
            return copied.error();
    }
    if (!is_unchanged(source.get(), about))
        return being_written();
    return base::sha256_file(to);
}

/// The script in the folder of a copy; empty when that is of a library.
fs::path script_in(const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        if (is_script(entry->path()))
            return entry->path();
    return {};
}

bool is_intact(const CachedPlugin& plugin) {
    const auto library = base::sha256_file(plugin.library);
    const fs::path script = script_in(plugin.library.parent_path());
    if (!library || script.empty())
        return library && *library == plugin.digest;
    const auto content = base::sha256_file(script);
    return content && script_digest(script, *content, *library) == plugin.digest;
}

/// The copy of a digest as it lies there, in whatever state.
CachedPlugin cached_at(const fs::path& root, const std::string& digest) {
    fs::path library = script_in(root / digest);
    if (library.empty())
        library = root / digest / "plugin.so";
    return {.digest = digest, .library = library.replace_extension(".so")};
}

/// Into `folder`; returns the digest of it all.
base::Result<std::string> copy_plugin(const fs::path& file,
                                      const fs::path& folder,
                                      const std::vector<fs::path>& folders) {
    if (!is_script(file))
        return copy_file(file, folder / "plugin.so", Kind::library);
    const fs::path library = find_script_library(file, folders);
    if (library.empty())
        return base::error(Errc::not_found,
                           file.filename().string() + " needs " + std::string(script_library) +
                               ", which is not here: put that of this version of Distributo into "
                               "a plugin folder");
    const auto content = copy_file(file, folder / file.filename(), Kind::script);
    if (!content)
        return content.error();
    const fs::path runs_it = folder / file.stem().concat(".so");
    const auto runner = copy_file(library, runs_it, Kind::library);
    if (!runner)
        return runner.error();
    return script_digest(file, *content, *runner);
}

}  // namespace

bool is_plugin_file(const fs::path& file) {
    const fs::path name = file.filename();
    const auto& text = name.native();
    return text.size() > 3 && text.front() != '.' &&
           (text.ends_with(".so") || (is_script(name) && text.front() != '_'));
}

bool is_script(const fs::path& file) noexcept {
    return std::string_view(file.native()).ends_with(".py");
}

fs::path find_script_library(const fs::path& script, const std::vector<fs::path>& folders) {
    std::error_code error;
    const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
    std::vector<fs::path> places{script.parent_path()};
    places.insert(places.end(), folders.begin(), folders.end());
    places.push_back(prefix / "plugins");
    places.push_back(prefix / DISTRIBUTO_LIBDIR / "distributo" / "plugins");
    for (const auto& place : places)
        if (fs::is_regular_file(place / script_library, error))
            return place / script_library;
    return {};
}

std::string script_digest(const fs::path& script,
                          std::string_view content,
                          std::string_view library) {
    return base::sha256(script.filename().native() + '\n' + std::string(content) + '\n' +
                        std::string(library));
}

base::Result<CachedPlugin> cache_plugin(const fs::path& file,
                                        const fs::path& cache,
                                        const std::vector<fs::path>& folders) {
    const fs::path root = fs::absolute(cache);
    if (auto made = make_private(root); !made)
        return made.error();
    const Temporary temporary(root / ("copy-" + base::random_hex(8)));
    if (mkdir(temporary.path().c_str(), S_IRWXU) != 0)
        return failed("make", temporary.path());
    const auto digest = copy_plugin(file, temporary.path(), folders);
    if (!digest)
        return digest.error();
    CachedPlugin cached = cached_at(root, *digest);
    if (is_intact(cached))
        return cached;
    const fs::path folder = root / *digest;
    std::error_code error;
    fs::remove_all(folder, error);  // a damaged one
    if (rename(temporary.path().c_str(), folder.c_str()) != 0 &&
        !is_intact(cached_at(root, *digest)))
        return failed("write", folder);
    return cached_at(root, *digest);
}

base::Result<CachedPlugin> find_cached_plugin(const std::string& digest, const fs::path& cache) {
    CachedPlugin cached = cached_at(fs::absolute(cache), digest);
    if (!is_intact(cached))
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
