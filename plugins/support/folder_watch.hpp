#pragma once

#include "files.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace support {

/// Tells when something happens below folders. A thread of its own; ends with its owner.
class FolderWatch {
public:
    /// `on_change` is called on that thread when nothing has happened for `settle` any more.
    FolderWatch(std::chrono::milliseconds settle, std::function<void()> on_change);
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;
    ~FolderWatch();

    /// A folder (what comes, goes, is written and closed in it) or a file (what is appended).
    /// Nothing happens when it is watched already. False: it cannot be watched.
    [[nodiscard]] bool add(const std::string& path);

private:
    void run();

    std::chrono::milliseconds settle_;
    std::function<void()> on_change_;
    Descriptor events_, stop_;
    std::thread thread_;
};

}  // namespace support
