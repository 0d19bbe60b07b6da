#pragma once

#include "coordinator/store/sqlite/blob_files.hpp"
#include "coordinator/store/sqlite/database.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::store {

/// The results in files, for the connection that writes: who refers to them, and when they may go.
/// A file is on the disk before the transaction that refers to it, and goes some time after the
/// one that lets go of it; what a crash leaves between is found after the next start.
class Blobs {
public:
    Blobs(const Database& database, BlobFiles files);

    /// In a transaction: one more refers to this content; its name. Empty when no file can be
    /// opened for it now: it belongs into the database then.
    [[nodiscard]] std::string add(std::string_view content);
    /// In a transaction: one less refers to it.
    void release(const std::string& name);
    void roll_back();

    /// Between transactions: removes files that nobody has needed for a while. `idle`: also those
    /// in a part of all that nobody ever referred to, until all parts were looked at since the
    /// start. False when there is nothing more of that kind to do.
    bool clean(std::chrono::steady_clock::time_point now, bool idle);

private:
    struct Garbage {
        std::string name;
        std::chrono::steady_clock::time_point since;
    };
    void collect(std::chrono::steady_clock::time_point now);
    void sweep();
    [[nodiscard]] bool is_referred_to(const std::string& name);

    BlobFiles files_;
    std::vector<std::string> written_;   // in this transaction
    std::vector<std::string> released_;  // the last reference went in this transaction
    std::deque<Garbage> garbage_;
    unsigned swept_ = 0;
    Statement find_, add_, release_, drop_unused_;
};

}  // namespace distributo::coordinator::store
