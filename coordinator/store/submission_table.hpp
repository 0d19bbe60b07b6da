#pragma once

#include "coordinator/store/store.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

/// The requests to submit that may be repeated, each for submission_life.
class SubmissionTable {
public:
    /// What one task of a submission was answered with.
    struct Answer {
        TaskId id = 0;
        bool refused = false;  ///< its given id stood for other work
    };
    struct Entry {
        std::string content;
        std::vector<Answer> answers;
        base::WallTime when;
    };

    /// Null when the key was not used in the submission_life before `now`.
    [[nodiscard]] const Entry* find(const std::string& key, base::WallTime now) const;
    void add(const Submission& submission, std::vector<Answer> answers);
    /// Forgets up to `limit` of those that can no longer be repeated; true when there are more.
    bool forget(base::WallTime now, std::size_t limit);

private:
    std::unordered_map<std::string, Entry> entries_;
    std::deque<std::pair<base::WallTime, std::string>> by_age_;  // a key that was used again twice
};

}  // namespace distributo::coordinator::store
