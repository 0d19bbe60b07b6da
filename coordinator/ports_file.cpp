#include "coordinator/ports_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace distributo::coordinator {
namespace {

namespace fs = std::filesystem;

base::Error cannot(const char* what, const fs::path& path, const std::string& why) {
    return base::error(base::Errc::io,
                       std::string("cannot ") + what + ' ' + path.string() + ": " + why,
                       "name another directory with --data-dir");
}

}  // namespace

PortsFile::PortsFile(fs::path file) : file_(std::move(file)) {}

PortsFile::PortsFile(PortsFile&& other) noexcept
    : file_(std::move(other.file_)), written_(std::exchange(other.written_, false)) {}

PortsFile::~PortsFile() {
    std::error_code ignored;
    if (written_)
        fs::remove(file_, ignored);
}

base::Result<PortsFile> PortsFile::in(const fs::path& data_dir) {
    std::error_code failed;
    const bool made = fs::create_directories(data_dir, failed);
    if (failed)
        return cannot("create", data_dir, failed.message());
    if (made)
        fs::permissions(data_dir, fs::perms::owner_all, failed);
    if (::access(data_dir.c_str(), W_OK | X_OK) != 0)
        return cannot("write to", data_dir, std::strerror(errno));
    return PortsFile(data_dir / "ports.json");
}

base::Result<void> PortsFile::write(std::uint16_t host_port, std::uint16_t http_port) {
    const auto fresh = fs::path(file_).concat(".new");
    std::ofstream out(fresh);
    out << R"({"port":)" << host_port << R"(,"httpPort":)" << http_port << "}\n";
    out.close();
    if (!out)
        return cannot("write", fresh, std::strerror(errno));
    std::error_code failed;
    fs::rename(fresh, file_, failed);
    if (failed)
        return cannot("write", file_, failed.message());
    written_ = true;
    return {};
}

}  // namespace distributo::coordinator
