#include "coordinator/store/sqlite/blobs.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::store {
namespace {

// Longer than any reader's view of the database from before.
constexpr auto keep_garbage = std::chrono::seconds(2);

}  // namespace

Blobs::Blobs(const Database& database, BlobFiles files)
    : files_(std::move(files)),
      find_(database.prepare("SELECT 1 FROM blob WHERE name = ?")),
      add_(database.prepare("INSERT INTO blob VALUES(?, 1) "
                            "ON CONFLICT(name) DO UPDATE SET holders = holders + 1")),
      release_(database.prepare("UPDATE blob SET holders = holders - 1 WHERE name = ?")),
      drop_unused_(
          database.prepare("DELETE FROM blob WHERE name = ? AND holders = 0 RETURNING name")) {}

bool Blobs::is_referred_to(const std::string& name) {
    auto rows = find_.query(name);
    return rows.next();
}

std::string Blobs::add(std::string_view content) {
    auto name = base::sha256(content);
    if (!is_referred_to(name)) {
        written_.push_back(name);
        try {
            files_.write(name, content);
        } catch (const DatabaseError& error) {
            if (!error.lacks_descriptors())
                throw;
            released_.push_back(name);  // it may be there, and nobody refers to it
            return {};
        }
    }
    add_.run(name);
    return name;
}

void Blobs::release(const std::string& name) {
    release_.run(name);
    bool unused = false;
    {
        auto rows = drop_unused_.query(name);
        while (rows.next())
            unused = true;
    }
    if (unused)
        released_.push_back(name);
}

void Blobs::roll_back() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& name : written_)
        garbage_.push_back({std::move(name), now});
    written_.clear();
    released_.clear();
}

void Blobs::collect(std::chrono::steady_clock::time_point now) {
    written_.clear();
    for (auto& name : released_)
        garbage_.push_back({std::move(name), now});
    released_.clear();
    for (; !garbage_.empty() && garbage_.front().since + keep_garbage <= now; garbage_.pop_front())
        if (!is_referred_to(garbage_.front().name))
            files_.remove(garbage_.front().name);
}

void Blobs::sweep() {
    std::vector<std::string> found;
    while (found.empty() && swept_ < BlobFiles::part_count)
        found = files_.list(swept_++);
    for (const auto& name : found)
        if (!is_referred_to(name) &&
            std::ranges::find(garbage_, name, &Garbage::name) == garbage_.end())
            files_.remove(name);
}

bool Blobs::clean(std::chrono::steady_clock::time_point now, bool idle) {
    collect(now);
    if (idle)
        sweep();
    return swept_ < BlobFiles::part_count || !garbage_.empty();
}

}  // namespace distributo::coordinator::store
