#pragma once

#include "coordinator/extensions/extensions.hpp"
#include "coordinator/extensions/make_extensions.hpp"
#include "runtime/plugin_copies.hpp"
#include "runtime/plugin_watch.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::extensions {

/// A library that offers a generator or a sink.
struct Library {
    std::filesystem::path file;  ///< in a plugin folder
    std::filesystem::path copy;  ///< the private one, to be loaded
    std::string digest;
    runtime::ExtensionModule module;

    /// What it offers of this kind; null: nothing.
    [[nodiscard]] const runtime::ExtensionInterface* offer(ExtensionKind kind) const noexcept;
};

/// The libraries of the plugin folders: each version is copied once and asked once, in a process of
/// its own, what it offers. Not thread-safe: lives on the io_context.
class Libraries {
public:
    Libraries(boost::asio::io_context& io,
              const ExtensionsOptions& options,
              std::function<void()> on_change);
    Libraries(const Libraries&) = delete;
    Libraries& operator=(const Libraries&) = delete;
    ~Libraries();

    [[nodiscard]] base::Result<void> start();
    void stop();

    /// The newest version that offers it; of the same version the file that comes first. Null:
    /// there is none.
    [[nodiscard]] const Library* find(ExtensionKind kind, std::string_view name) const;
    /// Names that are offered, in order.
    [[nodiscard]] std::vector<std::string> names(ExtensionKind kind) const;
    [[nodiscard]] std::vector<PluginFile> files() const;
    /// Files that are being copied or asked.
    [[nodiscard]] bool loading() const noexcept;

private:
    class Question;
    struct File {
        std::optional<Library> library;  // nothing: not known yet, or refused
        std::string refusal;
        std::unique_ptr<Question> question;  // open
        std::uint64_t version = 0;           // number of its last change
        bool loading = false;
    };

    void apply(const runtime::PluginChanges& changes);
    void load(const std::filesystem::path& path);
    void copied(const std::filesystem::path& path,
                std::uint64_t version,
                base::Result<runtime::CachedPlugin> copy);
    void answered(const std::filesystem::path& path,
                  Library library,
                  base::Result<runtime::ExtensionModule> answer);
    void refuse(const std::filesystem::path& path, const std::string& why);
    void changed();

    boost::asio::io_context& io_;
    const ExtensionsOptions& options_;
    std::function<void()> on_change_;
    runtime::PluginCopies copies_;
    runtime::PluginWatch watch_;
    std::map<std::filesystem::path, File> files_;
    std::uint64_t versions_ = 0;
    bool pruned_ = false;
    bool stopped_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::coordinator::extensions
