#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// Which versions of each plugin file have been on offer: the last two, so that there is one to go
/// back to when the newest turns out to be bad. Has a text form, one version a line, that outlives
/// the host's process.
class PluginHistory {
public:
    struct Version {
        std::string digest;
        std::string version;
        friend bool operator==(const Version&, const Version&) = default;
    };

    /// Reads what text() has written; lines that are not of that form are left out.
    [[nodiscard]] static PluginHistory parse(std::string_view text);
    [[nodiscard]] std::string text() const;

    /// `version` of the file is on offer: it is the newest now.
    void add(const std::filesystem::path& file, Version version);
    /// The newest version of the file that is not `digest`; null when there is none.
    [[nodiscard]] const Version* before(const std::filesystem::path& file,
                                        std::string_view digest) const;
    /// This version is not one to go back to.
    void reject(const std::filesystem::path& file, std::string_view digest);
    void forget(const std::filesystem::path& file) { files_.erase(file); }
    /// Forgets all files but these.
    void forget_all_but(const std::set<std::filesystem::path>& files);

    [[nodiscard]] std::set<std::string> digests() const;

private:
    static constexpr std::size_t kept = 2;

    std::map<std::filesystem::path, std::vector<Version>> files_;  // the newest first
};

}  // namespace distributo::host
