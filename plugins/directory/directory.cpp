#include "given.hpp"
#include "support/folder_watch.hpp"
#include "support/payload_template.hpp"

#include <distributo/generator.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fnmatch.h>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <vector>

namespace {

namespace fs = std::filesystem;
using directory::Version;
using distributo::permanent;
using distributo::RawJson;
using distributo::retry;

/// A file that was written to more recently may be written to again.
constexpr std::int64_t default_settle_ms = 1000;

struct Config {
    std::string path;
    std::string type;
    std::optional<std::vector<std::string>> patterns;
    std::optional<bool> recursive;
    std::optional<bool> follow;
    std::optional<std::int64_t> settle_ms;
    std::optional<bool> digest;
    std::optional<RawJson> payload;
    std::optional<std::string> group;
    std::optional<std::int32_t> priority;
};
BOOST_DESCRIBE_STRUCT(
    Config,
    (),
    (path, type, patterns, recursive, follow, settle_ms, digest, payload, group, priority))

struct Cursor {
    std::uint64_t given = 0;  ///< number of the last file that was given, see directory::Given
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (given))

std::string sha256_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
    EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
    std::vector<char> buffer(256 * 1024);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
        EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad() || !in.eof()) {
        throw retry("cannot read " + path);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_DigestFinal_ex(hash.get(), bytes.data(), &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        text.append({digits[bytes[i] >> 4U], digits[bytes[i] & 15U]});
    }
    return text;
}

/// Each file below a folder, and again each time that it has changed.
class Directory {
public:
    Directory(const Config& config, distributo::Source& source)
        : config_(config), root_(fs::absolute(config.path).lexically_normal()) {
        if (config.payload) {
            payload_.emplace(*config.payload, "config.payload");
        }
        if (config.settle_ms.value_or(0) < 0) {
            throw permanent("config.settle_ms: expected 0 or more");
        }
        settle_ = std::chrono::milliseconds(config.settle_ms.value_or(default_settle_ms));
        if (config.follow.value_or(true)) {
            watch_.emplace(settle_ + std::chrono::milliseconds(1), [&source] { source.more(); });
        }
    }

    void next(Cursor& cursor, distributo::Feed& feed) {
        if (!given_) {
            // The home folder of a generator's process is its own.
            const char* const home = std::getenv("HOME");
            given_.emplace(fs::path(home != nullptr ? home : ".") / "given.db", cursor.given);
        }
        if (waiting_.empty()) {
            scan();
        }
        try {
            while (!waiting_.empty() && feed.room() > 0 && give(waiting_.begin(), cursor, feed)) {
            }
            given_->commit();
        } catch (...) {
            given_->roll_back();
            waiting_.clear();
            throw;
        }
        if (waiting_.empty() && !watch_ && !unsettled_) {
            feed.end();
        }
    }

private:
    using Waiting = std::map<std::string, Version>;

    void scan() {
        unsettled_ = false;
        std::error_code error;
        if (!fs::is_directory(root_, error)) {
            throw retry("there is no folder " + root_.native());
        }
        visit(root_);
    }

    void visit(const fs::path& folder) {
        // Before it is read: what comes in between is seen, or told.
        if (watch_ && !watch_->add(folder.native())) {
            throw retry("cannot watch " + folder.native() +
                        "; the limit is in /proc/sys/fs/inotify/max_user_watches");
        }
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
             entry.increment(error)) {
            struct stat about {};
            if (lstat(entry->path().c_str(), &about) != 0) {
                continue;  // it went meanwhile
            }
            if (S_ISDIR(about.st_mode) && config_.recursive.value_or(true)) {
                visit(entry->path());
            } else if (S_ISREG(about.st_mode) && wanted(entry->path().filename().native())) {
                consider(entry->path(), about);
            }
        }
        if (error && folder == root_) {
            throw retry("cannot read " + folder.native() + ": " + error.message());
        }
    }

    bool wanted(const std::string& name) const {
        return !config_.patterns ||
               std::ranges::any_of(*config_.patterns, [&](const std::string& pattern) {
                   return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
               });
    }

    void consider(const fs::path& path, const struct stat& about) {
        constexpr std::int64_t second = 1'000'000'000;
        const Version version{about.st_mtim.tv_sec * second + about.st_mtim.tv_nsec,
                              static_cast<std::uint64_t>(about.st_size)};
        const std::string name = path.lexically_relative(root_).native();
        if (given_->has(name, version)) {
            return;
        }
        const auto age = std::chrono::system_clock::now().time_since_epoch() -
                         std::chrono::nanoseconds(version.modified_ns);
        if (age >= std::chrono::nanoseconds(0) && age < settle_) {
            unsettled_ = true;  // it is looked at again later
            return;
        }
        waiting_[name] = version;
    }

    /// False: there is no room.
    bool give(Waiting::iterator file, Cursor& cursor, distributo::Feed& feed) {
        const std::string path = (root_ / file->first).native();
        std::string digest;
        if (config_.digest.value_or(true)) {
            std::error_code gone;
            if (!fs::exists(path, gone)) {
                waiting_.erase(file);
                return true;
            }
            digest = sha256_of(path);
        }
        const std::string key = path + '\n' + std::to_string(file->second.modified_ns) + '\n' +
                                std::to_string(file->second.size);
        distributo::EmitOptions options;
        options.dedupe_key = key;
        options.group = config_.group ? std::string_view(*config_.group) : std::string_view();
        options.priority = config_.priority.value_or(0);
        if (!feed.emit(config_.type, payload(*file, path, digest), options)) {
            return false;
        }
        given_->add(file->first, file->second, ++cursor.given);
        waiting_.erase(file);
        return true;
    }

    RawJson payload(const Waiting::value_type& file,
                    const std::string& path,
                    const std::string& digest) const {
        const std::string size = std::to_string(file.second.size);
        const std::string modified = std::to_string(file.second.modified_ns / 1'000'000);
        const support::Fields fields = [&](std::string_view name) -> support::Field {
            if (name == "path") {
                return {path};
            }
            if (name == "name") {
                return {file.first};
            }
            if (name == "size") {
                return {size};
            }
            if (name == "modified_ms") {
                return {modified};
            }
            if (name == "sha256") {
                return {digest};
            }
            throw permanent("config.payload: there is no '" + std::string(name) +
                            "', but path, name, size, modified_ms and sha256");
        };
        static const support::PayloadTemplate preset(
            {R"({"path":"{path}","name":"{name}","size":"{size:number}",)"
             R"("modified_ms":"{modified_ms:number}","sha256":"{sha256}"})"},
            "preset");
        return (payload_ ? *payload_ : preset).render(fields);
    }

    const Config config_;
    const fs::path root_;
    std::chrono::milliseconds settle_{};
    std::optional<support::PayloadTemplate> payload_;
    std::optional<directory::Given> given_;
    Waiting waiting_;
    bool unsettled_ = false;                     ///< some file was written to a moment ago
    std::optional<support::FolderWatch> watch_;  ///< last: its thread uses the others
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.directory", "1.0.0", distributo::generator<Directory>("directory"));
