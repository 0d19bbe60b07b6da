#pragma once

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/records.hpp"
#include "coordinator/store/store.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

/// Answers questions over a connection of its own that only reads. Lives on the reading thread.
/// Every answer is of one moment, and takes 200 ms at most: then it throws a DatabaseError that
/// is_timeout(), because while it reads the log cannot be reused.
class Reader {
public:
    /// Sequences as the writer knows them.
    struct Sequences {
        std::uint64_t newest = 0;
        std::uint64_t oldest = 1;
    };
    Reader(const std::string& file, const std::string& vfs, BlobFiles files, std::uint32_t term);

    [[nodiscard]] std::optional<TaskRecord> find(TaskId id);
    [[nodiscard]] TaskId resolve(const std::string& given_id);
    [[nodiscard]] ListPage list(const ListQuery& query);
    [[nodiscard]] ResultsPage results(const ResultsQuery& query, Sequences sequences);
    [[nodiscard]] std::optional<NamedTally> group(const std::string& name);
    [[nodiscard]] std::vector<NamedTally> groups(TaskId before, std::size_t limit);
    [[nodiscard]] std::vector<NamedTally> types();

    /// Ends what runs. Any thread.
    void interrupt() const noexcept { database_.interrupt(); }

private:
    using Time = std::chrono::steady_clock::time_point;
    /// A moment of the database, and when its answer must be there.
    class Moment;
    [[nodiscard]] std::int64_t name(NameKind kind, const std::string& text);
    [[nodiscard]] Statement& prepared(const std::string& sql);

    Database database_;
    std::uint32_t term_;
    Time deadline_{};
    Records records_;
    Statement begin_, end_;
    Statement find_name_, find_given_id_;
    Statement find_result_, recorded_;
    Statement group_, groups_, types_;
    std::unordered_map<std::string, Statement> prepared_;  // one per kind of list
};

}  // namespace distributo::coordinator::store
