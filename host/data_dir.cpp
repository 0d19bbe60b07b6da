#include "host/data_dir.hpp"

#include "base/ids.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t host_id_digits = 32;

bool is_hex(std::string_view text, std::size_t length) {
    return text.size() == length && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

base::Error cannot(const char* what, const fs::path& path, const std::string& why) {
    return base::error(base::Errc::io,
                       std::string("cannot ") + what + ' ' + path.string() + ": " + why,
                       "name another directory with --data-dir");
}

base::Result<std::string> read_or_make_host_id(const fs::path& file) {
    std::string id;
    std::ifstream stored(file);
    if (stored >> id && is_hex(id, host_id_digits))
        return id;
    id = base::random_hex(host_id_digits / 2);
    const auto fresh = fs::path(file).concat(".new");
    std::ofstream(fresh) << id << '\n';
    std::error_code error;
    fs::rename(fresh, file, error);
    if (error)
        return cannot("write", file, error.message());
    return id;
}

}  // namespace

base::Result<DataDir> DataDir::open(const fs::path& path) {
    std::error_code error;
    auto whole = fs::absolute(path, error).lexically_normal();
    fs::create_directories(whole, error);
    if (error)
        return cannot("create", whole, error.message());
    const auto lock_file = whole / "lock";
    const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return cannot("open", lock_file, std::strerror(errno));
    DataDir directory(std::move(whole), lock);
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
        return base::error(base::Errc::conflict,
                           "another distributo-host uses " + directory.path_.string(),
                           "stop it, or give this one its own directory: --data-dir DIR");
    if (auto prepared = directory.prepare(); !prepared)
        return prepared.error();
    return directory;
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      host_id_(std::move(other.host_id_)) {}

DataDir::~DataDir() {
    if (lock_ >= 0)
        ::close(lock_);
}

base::Result<void> DataDir::prepare() {
    std::error_code error;
    for (const auto& leftover : {staging(), work()})
        fs::remove_all(leftover, error);
    for (const auto& directory : {plugins(), data(), installs(), staging(), work(), spool()}) {
        fs::create_directories(directory, error);
        if (error)
            return cannot("create", directory, error.message());
    }
    // Copies of plugins are executed: nobody else may write there.
    fs::permissions(plugins(), fs::perms::owner_all, error);
    auto id = read_or_make_host_id(path_ / "host-id");
    if (!id)
        return id.error();
    host_id_ = std::move(*id);
    return {};
}

std::vector<std::string> DataDir::finished_installs() const {
    std::vector<std::string> keys;
    std::error_code error;
    for (fs::directory_iterator entry(installs(), error), end; !error && entry != end;
         entry.increment(error))
        if (auto name = entry->path().filename().string(); is_hex(name, 64))
            keys.push_back(std::move(name));
    return keys;
}

fs::path default_data_dir() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return value ? std::string(value) : std::string();
    };
    if (auto state = variable("STATE_DIRECTORY"); !state.empty())
        return state;
    if (::geteuid() == 0)
        return "/var/lib/distributo-host";
    if (auto state = variable("XDG_STATE_HOME"); !state.empty())
        return fs::path(state) / "distributo-host";
    if (auto home = variable("HOME"); !home.empty())
        return fs::path(home) / ".local/state/distributo-host";
    return fs::temp_directory_path() / "distributo-host";
}

}  // namespace distributo::host
