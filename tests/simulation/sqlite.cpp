#include "tests/simulation/sqlite.hpp"

#include "coordinator/store/sqlite/sqlite_store.hpp"

#include <utility>

namespace distributo::simulation {
namespace {

class Folder {
public:
    explicit Folder(std::filesystem::path path) : path_(std::move(path)) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace

MakeStore sqlite_in(const std::filesystem::path& folder) {
    return [kept = std::make_shared<Folder>(folder)](store::Post post) {
        store::SqliteOptions options;
        options.directory = kept->path();
        options.reserve = 1 << 20U;
        return store::make_sqlite_store(std::move(options), std::move(post));
    };
}

}  // namespace distributo::simulation
