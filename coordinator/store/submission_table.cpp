#include "coordinator/store/submission_table.hpp"

namespace distributo::coordinator::store {

const SubmissionTable::Entry* SubmissionTable::find(const std::string& key,
                                                    base::WallTime now) const {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.when + submission_life <= now)
        return nullptr;
    return &found->second;
}

void SubmissionTable::add(const Submission& submission, std::vector<Answer> answers) {
    by_age_.emplace_back(submission.when, submission.key);
    entries_.insert_or_assign(submission.key,
                              Entry{submission.content, std::move(answers), submission.when});
}

bool SubmissionTable::forget(base::WallTime now, std::size_t limit) {
    const auto over = [&] {
        return !by_age_.empty() && by_age_.front().first + submission_life <= now;
    };
    for (; limit > 0 && over(); --limit) {
        const auto entry = entries_.find(by_age_.front().second);
        if (entry != entries_.end() && entry->second.when == by_age_.front().first)
            entries_.erase(entry);
        by_age_.pop_front();
    }
    return over();
}

}  // namespace distributo::coordinator::store
