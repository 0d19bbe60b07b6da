#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace distributo::host {

/// The host's own directory, locked while this object lives.
///
///   lock       held by the running host      host-id    who this host is, over restarts
///   plugins/   private copies by digest      data/      what plugins keep, one directory each
///   installs/  finished installs by key      staging/   installs being made   work/  of calls
///   spool/     results on their way to the coordinator
class DataDir {
public:
    /// Creates what is missing, takes the lock, empties staging/ and work/.
    [[nodiscard]] static base::Result<DataDir> open(const std::filesystem::path& path);

    DataDir(DataDir&& other) noexcept;
    DataDir& operator=(DataDir&&) = delete;
    ~DataDir();

    [[nodiscard]] const std::string& host_id() const noexcept { return host_id_; }
    [[nodiscard]] std::filesystem::path plugins() const { return path_ / "plugins"; }
    [[nodiscard]] std::filesystem::path data() const { return path_ / "data"; }
    [[nodiscard]] std::filesystem::path installs() const { return path_ / "installs"; }
    [[nodiscard]] std::filesystem::path staging() const { return path_ / "staging"; }
    [[nodiscard]] std::filesystem::path spool() const { return path_ / "spool"; }
    [[nodiscard]] std::filesystem::path work() const { return path_ / "work"; }

    /// Content keys of the installs that are there.
    [[nodiscard]] std::vector<std::string> finished_installs() const;

private:
    DataDir(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
    [[nodiscard]] base::Result<void> prepare();

    std::filesystem::path path_;
    int lock_;
    std::string host_id_;
};

/// Where a host keeps its state when nobody says otherwise: systemd's state directory,
/// /var/lib/distributo-host for root, the XDG state home for everybody else.
[[nodiscard]] std::filesystem::path default_data_dir();

}  // namespace distributo::host
