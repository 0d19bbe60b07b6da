#include "record_reader.hpp"

#include <distributo/plugin.hpp>

#include <algorithm>
#include <utility>

namespace lines {

namespace {

constexpr std::size_t read_size = 256 * 1024;

}  // namespace

RecordReader::RecordReader(std::unique_ptr<ByteSource> source, bool quoted, std::size_t longest)
    : source_(std::move(source)), quoted_(quoted), longest_(longest) {}

void RecordReader::seek(std::uint64_t offset) {
    source_->seek(offset);
    offset_ = offset;
}

bool RecordReader::fill() {
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t before = buffer_.size();
    if (before > longest_) {
        throw distributo::permanent("a record has more than " + std::to_string(longest_) +
                                    " bytes");
    }
    buffer_.resize(before + read_size);
    buffer_.resize(before + source_->read(std::span(buffer_).subspan(before)));
    return buffer_.size() > before;
}

/// Of the record's line break; npos when it is not there yet.
std::size_t RecordReader::find_end() {
    for (std::size_t i = begin_ + looked_; i < buffer_.size(); ++i) {
        if (quoted_ && buffer_[i] == '"') {
            in_quotes_ = !in_quotes_;
        } else if (buffer_[i] == '\n' && !in_quotes_) {
            return i;
        }
    }
    looked_ = buffer_.size() - begin_;
    return std::string::npos;
}

bool RecordReader::next(std::string_view& record, bool whole) {
    std::size_t end = find_end();
    while (end == std::string::npos && fill()) {
        end = find_end();
    }
    const bool cut = end == std::string::npos;
    if (cut) {
        if (whole || begin_ == buffer_.size()) {
            return false;
        }
        end = buffer_.size();
    }
    record = std::string_view(buffer_).substr(begin_, end - begin_);
    lines_ = 1 + static_cast<std::uint64_t>(std::ranges::count(record, '\n'));
    const std::size_t next = cut ? end : end + 1;
    offset_ += next - begin_;
    begin_ = next;
    looked_ = 0;
    in_quotes_ = false;
    if (record.ends_with('\r')) {
        record.remove_suffix(1);
    }
    return true;
}

std::vector<std::string> csv_fields(std::string_view row) {
    std::vector<std::string> fields(1);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] == ',') {
            fields.emplace_back();
            continue;
        }
        if (row[i] != '"') {
            fields.back().push_back(row[i]);
            continue;
        }
        if (!fields.back().empty()) {
            throw distributo::permanent("a quote stands in the middle of a field");
        }
        for (++i; i < row.size() && (row[i] != '"' || (i + 1 < row.size() && row[i + 1] == '"'));
             ++i) {
            i += row[i] == '"' ? 1U : 0U;
            fields.back().push_back(row[i]);
        }
        if (i == row.size() || (i + 1 < row.size() && row[i + 1] != ',')) {
            throw distributo::permanent("text stands behind a closing quote, or there is none");
        }
    }
    return fields;
}

}  // namespace lines
