#include "runtime/plugin_folders.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> usual_folders() {
    std::error_code error;
    const auto own = fs::read_symlink("/proc/self/exe", error).parent_path();
    const std::array candidates{own.parent_path() / "plugins",
                                fs::path("/usr/local/lib/distributo/plugins"),
                                fs::path("/usr/lib/distributo/plugins")};
    for (const auto& folder : candidates)
        if (fs::is_directory(folder))
            return {folder};
    return {};
}

}  // namespace

base::Result<std::vector<fs::path>> plugin_folders(const std::vector<std::string>& named,
                                                   const std::string& flag) {
    std::vector<fs::path> folders;
    for (const auto& text : named) {
        std::error_code error;
        auto folder = fs::absolute(text, error).lexically_normal();
        if (!fs::is_directory(folder, error))
            return base::error(base::Errc::invalid_argument,
                               flag + ": there is no folder " + folder.string(),
                               "create it first: mkdir -p " + folder.string());
        if (std::ranges::find(folders, folder) == folders.end())
            folders.push_back(std::move(folder));
    }
    return folders.empty() ? usual_folders() : folders;
}

}  // namespace distributo::runtime
