#include "host/spool_log.hpp"

#include "base/log.hpp"

#include <iterator>
#include <utility>

namespace distributo::host {
namespace {

namespace log = base::log;

}  // namespace

base::Result<std::string> SpoolLog::open() {
    const auto numbers = files_.list();
    if (!numbers)
        return numbers.error();
    for (const auto file : *numbers) {
        next_ = file + 1;
        look_into(file);
    }
    limit_foreign(newest_coordinator_);
    return newest_coordinator_;
}

void SpoolLog::look_into(std::uint64_t file) {
    const auto text = files_.read(file);
    if (!text) {
        log::error("spool.unreadable", {{"file", file}, {"why", text.error().message}});
        return;
    }
    const auto scan = scan_spool(*text);
    if (scan.foreign) {
        log::error("spool.not_understood",
                   {{"file", file}, {"hint", "written by a later version? it is left alone"}});
        return;
    }
    if (scan.damaged_bytes != 0)
        log::error("spool.damaged",
                   {{"file", file},
                    {"bytes", scan.damaged_bytes},
                    {"good", scan.records.size()},
                    {"hint", "those results are lost and their tasks run again"}});
    if (scan.torn_bytes != 0)
        log::warn("spool.torn",
                  {{"file", file},
                   {"bytes", scan.torn_bytes},
                   {"why", "the host ended while it wrote; nothing was sent of it"}});
    if (scan.records.empty())
        return files_.remove(file);
    auto& found = found_[file];
    found.bytes = text->size();
    for (const auto& record : scan.records)
        found.coordinators.insert(record.coordinator_id);
    newest_coordinator_ = scan.records.back().coordinator_id;
}

void SpoolLog::limit_foreign(std::string_view coordinator_id) {
    const auto foreign = [&](const Found& found) {
        return !found.coordinators.contains(std::string(coordinator_id));
    };
    std::size_t bytes = 0;
    for (const auto& [file, found] : found_)
        bytes += foreign(found) ? found.bytes : 0;
    for (auto at = found_.begin(); at != found_.end() && bytes > limits_.foreign_bytes;) {
        const auto [file, found] = *at++;
        if (!foreign(found))
            continue;
        log::error("spool.given_up",
                   {{"file", file},
                    {"bytes", found.bytes},
                    {"why", "it is for a coordinator that did not come back"}});
        bytes -= found.bytes;
        remove(file);
    }
}

std::vector<SpooledOutcome> SpoolLog::load(std::string_view coordinator_id) {
    std::vector<SpooledOutcome> kept;
    for (const auto& [file, found] : found_) {
        if (!found.coordinators.contains(std::string(coordinator_id)))
            continue;
        const auto text = files_.read(file);
        if (!text) {
            log::error("spool.unreadable", {{"file", file}, {"why", text.error().message}});
            continue;
        }
        for (const auto& record : scan_spool(*text).records) {
            if (record.coordinator_id != coordinator_id)
                continue;
            auto outcomes = outcomes_of(record);
            if (!outcomes) {
                log::error("spool.damaged", {{"file", file}, {"why", outcomes.error().message}});
                continue;
            }
            for (auto& outcome : *outcomes)
                kept.push_back({std::move(outcome), file});
        }
    }
    return kept;
}

base::Result<std::uint64_t> SpoolLog::append(std::span<const SpoolRecord> records, bool fresh) {
    const auto& coordinator = records.front().coordinator_id;
    buffer_.clear();
    for (const auto& record : records)
        append_spool_record(buffer_, record);
    if (fresh || size_ >= limits_.file_bytes ||
        (current_ != 0 && !found_[current_].coordinators.contains(coordinator)))
        current_ = 0;
    if (current_ == 0)
        if (auto begun = begin_file(coordinator); !begun)
            return begun.error();
    auto stored = files_.append(buffer_);
    if (stored)
        stored = files_.sync();
    if (!stored) {
        abandon_file();
        return stored.error();
    }
    size_ += buffer_.size();
    found_[current_].bytes = size_;
    return current_;
}

base::Result<void> SpoolLog::begin_file(const std::string& coordinator_id) {
    const auto file = next_++;
    if (auto created = files_.create(file); !created) {
        files_.remove(file);
        return created.error();
    }
    current_ = file;
    const auto head = spool_head();
    size_ = 0;
    if (auto written = files_.append(head); !written) {
        abandon_file();
        return written.error();
    }
    size_ = head.size();
    found_[file] = {.coordinators = {coordinator_id}, .bytes = 0};
    return {};
}

/// After a failed write nobody knows what the file ends with, and after a failed sync nothing that
/// was appended counts any more: the file gets no more. What it had before stays.
void SpoolLog::abandon_file() {
    const auto file = std::exchange(current_, 0);
    if (const auto found = found_.find(file); found == found_.end() || found->second.bytes == 0)
        remove(file);
}

void SpoolLog::remove(std::uint64_t file) {
    if (file == current_)
        current_ = 0;
    found_.erase(file);
    files_.remove(file);
}

}  // namespace distributo::host
