#pragma once

#include "host/spool_files.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// A disk in memory that can be full, break, and lose power.
class FakeSpoolFiles final : public SpoolFiles {
public:
    struct File {
        std::string data;
        std::size_t synced = 0;  ///< bytes that a power cut leaves
    };

    base::Result<std::vector<std::uint64_t>> list() override {
        std::vector<std::uint64_t> numbers;
        for (const auto& [number, file] : files)
            numbers.push_back(number);
        return numbers;
    }
    base::Result<std::string> read(std::uint64_t number) override { return files[number].data; }
    base::Result<void> create(std::uint64_t number) override {
        if (broken)
            return base::error(base::Errc::io, "cannot create");
        current = number;
        files[number] = {};
        return {};
    }
    base::Result<void> append(std::string_view data) override {
        if (broken)
            return base::error(base::Errc::io, "cannot write");
        const auto fitting = data.substr(0, space);
        files[current].data += fitting;
        space -= fitting.size();
        if (fitting.size() < data.size())
            return base::error(base::Errc::io, "no space left on device");
        return {};
    }
    base::Result<void> sync() override {
        ++syncs;
        if (broken || sync_fails)
            return base::error(base::Errc::io, "cannot sync");
        files[current].synced = files[current].data.size();
        return {};
    }
    void remove(std::uint64_t number) override {
        space += files[number].data.size();
        files.erase(number);
    }

    /// What was not synced is gone, up to `survives` bytes of each file.
    void cut_power(std::size_t survives = 0) {
        for (auto& [number, file] : files)
            if (file.data.size() > file.synced + survives)
                file.data.resize(file.synced + survives);
    }

    std::map<std::uint64_t, File> files;
    std::uint64_t current = 0;
    std::size_t space = std::numeric_limits<std::size_t>::max() / 2;
    bool broken = false;
    bool sync_fails = false;
    int syncs = 0;
};

}  // namespace distributo::host
