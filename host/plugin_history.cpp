#include "host/plugin_history.hpp"

#include "base/digest.hpp"

#include <algorithm>

namespace distributo::host {
namespace {

std::string_view take_until(std::string_view& text, char end) {
    const auto at = text.find(end);
    const auto taken = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return taken;
}

}  // namespace

PluginHistory PluginHistory::parse(std::string_view text) {
    PluginHistory history;
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        const auto digest = take_until(line, ' ');
        const auto version = take_until(line, ' ');
        auto& versions = history.files_[line];
        if (base::is_sha256(digest) && !line.empty() && versions.size() < kept)
            versions.push_back({std::string(digest), std::string(version)});
    }
    std::erase_if(history.files_, [](const auto& file) { return file.second.empty(); });
    return history;
}

std::string PluginHistory::text() const {
    std::string text;
    for (const auto& [file, versions] : files_) {
        if (file.native().find('\n') != std::string::npos)
            continue;  // known while the host runs
        for (const auto& [digest, version] : versions)
            text += digest + ' ' + version + ' ' + file.native() + '\n';
    }
    return text;
}

void PluginHistory::add(const std::filesystem::path& file, Version version) {
    auto& versions = files_[file];
    std::erase_if(versions, [&](const Version& one) { return one.digest == version.digest; });
    versions.insert(versions.begin(), std::move(version));
    if (versions.size() > kept)
        versions.resize(kept);
}

const PluginHistory::Version* PluginHistory::before(const std::filesystem::path& file,
                                                    std::string_view digest) const {
    const auto found = files_.find(file);
    if (found == files_.end())
        return nullptr;
    for (const auto& version : found->second)
        if (version.digest != digest)
            return &version;
    return nullptr;
}

void PluginHistory::reject(const std::filesystem::path& file, std::string_view digest) {
    const auto found = files_.find(file);
    if (found == files_.end())
        return;
    std::erase_if(found->second, [&](const Version& one) { return one.digest == digest; });
    if (found->second.empty())
        files_.erase(found);
}

void PluginHistory::forget_all_but(const std::set<std::filesystem::path>& files) {
    std::erase_if(files_, [&](const auto& file) { return !files.contains(file.first); });
}

std::set<std::string> PluginHistory::digests() const {
    std::set<std::string> digests;
    for (const auto& [file, versions] : files_)
        for (const auto& version : versions)
            digests.insert(version.digest);
    return digests;
}

}  // namespace distributo::host
