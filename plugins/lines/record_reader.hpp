#pragma once

#include "byte_source.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lines {

/// Cuts a file into records: lines, or rows of CSV, which may have lines in their quotes.
class RecordReader {
public:
    /// `quoted`: a line break between double quotes belongs to the record. `longest`: bytes of a
    /// record; a longer one is a permanent Failure.
    RecordReader(std::unique_ptr<ByteSource> source, bool quoted, std::size_t longest);

    /// Goes on at this offset of the content.
    void seek(std::uint64_t offset);
    /// The next record without its line break; valid until the next call. False at the end. With
    /// `whole` a last one without a line break is not there yet.
    [[nodiscard]] bool next(std::string_view& record, bool whole);
    /// Behind the last record.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    /// Lines that the last record had.
    [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
    [[nodiscard]] bool may_grow() const { return source_->may_grow(); }

private:
    [[nodiscard]] bool fill();
    [[nodiscard]] std::size_t find_end();

    std::unique_ptr<ByteSource> source_;
    bool quoted_;
    std::size_t longest_;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::size_t looked_ = 0;  // of the record, from its beginning
    bool in_quotes_ = false;
    std::uint64_t offset_ = 0;
    std::uint64_t lines_ = 0;
};

/// The fields of a row of CSV (RFC 4180). Throws a permanent Failure for a stray quote.
[[nodiscard]] std::vector<std::string> csv_fields(std::string_view row);

}  // namespace lines
