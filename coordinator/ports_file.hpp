#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>

namespace distributo::coordinator {

/// <data-dir>/ports.json, {"port":4000,"httpPort":5000}: how scripts learn which ports were chosen.
/// Complete whenever it exists, and only while the coordinator runs.
class PortsFile {
public:
    /// Makes the directory when it is missing and proves that it can be written to.
    [[nodiscard]] static base::Result<PortsFile> in(const std::filesystem::path& data_dir);
    PortsFile(PortsFile&& other) noexcept;
    PortsFile& operator=(PortsFile&&) = delete;
    ~PortsFile();

    [[nodiscard]] base::Result<void> write(std::uint16_t host_port, std::uint16_t http_port);

private:
    explicit PortsFile(std::filesystem::path file);

    std::filesystem::path file_;
    bool written_ = false;  // else it may be another coordinator's
};

}  // namespace distributo::coordinator
