#include "byte_source.hpp"
#include "record_reader.hpp"
#include "support/folder_watch.hpp"
#include "support/payload_template.hpp"

#include <distributo/generator.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <glob.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using distributo::permanent;
using distributo::RawJson;

/// A payload may not be larger either.
constexpr std::size_t longest_record = 1024 * 1024;
/// Writers append in bursts.
constexpr auto settle_time = std::chrono::milliseconds(100);

enum class Format { plain, csv, ndjson };
BOOST_DESCRIBE_ENUM(Format, plain, csv, ndjson)
enum class OnError { skip, fail };
BOOST_DESCRIBE_ENUM(OnError, skip, fail)

struct Config {
    std::vector<std::string> files;
    std::string type;
    std::optional<RawJson> payload;
    std::optional<Format> format;
    std::optional<bool> follow;
    std::optional<bool> skip_empty;
    std::optional<OnError> on_error;
    std::optional<std::string> dedupe;
    std::optional<std::string> group;
    std::optional<std::int32_t> priority;
};
BOOST_DESCRIBE_STRUCT(
    Config,
    (),
    (files, type, payload, format, follow, skip_empty, on_error, dedupe, group, priority))

struct Cursor {
    std::string file;      ///< that is being read; empty: before the first one
    std::string identity;  ///< of its beginning
    std::uint64_t offset = 0;
    std::uint64_t line = 0;  ///< lines before the offset
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (file, identity, offset, line))

std::vector<std::string> expand(const std::vector<std::string>& patterns) {
    std::vector<std::string> files;
    for (const std::string& pattern : patterns) {
        glob_t found{};
        // Without a match the pattern itself: a file with that name is missed then, not overlooked.
        const int status = glob(pattern.c_str(), GLOB_NOCHECK | GLOB_BRACE, nullptr, &found);
        for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i) {
            if (std::ranges::find(files, found.gl_pathv[i]) == files.end()) {
                files.emplace_back(found.gl_pathv[i]);
            }
        }
        globfree(&found);
    }
    return files;
}

Format format_of(const Config& config, const std::string& file) {
    const auto named = [&](std::string_view ending) {
        return file.ends_with(ending) || file.ends_with(std::string(ending) + ".gz") ||
               file.ends_with(std::string(ending) + ".zst");
    };
    if (config.format) {
        return *config.format;
    }
    if (named(".csv")) {
        return Format::csv;
    }
    return named(".ndjson") || named(".jsonl") ? Format::ndjson : Format::plain;
}

class Lines {
public:
    Lines(const Config& config, distributo::Source& source) : config_(config), source_(source) {
        if (config.files.empty()) {
            throw permanent("config.files: expected at least one file");
        }
        if (config.payload) {
            payload_.emplace(*config.payload, "config.payload");
        }
        if (config.follow.value_or(false)) {
            watch_.emplace(settle_time, [this] { source_.more(); });
        }
    }

    void next(Cursor& cursor, distributo::Feed& feed) {
        while (feed.room() > 0) {
            if (!reader_ && !open(cursor)) {
                return watch_ ? void() : feed.end();
            }
            if (!read_file(cursor, feed)) {
                return;
            }
            reader_.reset();
            done_ = true;
        }
    }

private:
    /// The file of the cursor, or the first one behind it. False: there is none.
    bool open(Cursor& cursor) {
        const auto files = expand(config_.files);
        auto at = std::ranges::find(files, cursor.file);
        const bool resume = at != files.end() && !std::exchange(done_, false);
        if (!resume) {
            // Of a file that is not listed any more only its name is known: the order goes on.
            at = at != files.end() ? at + 1
                 : cursor.file.empty()
                     ? files.begin()
                     : std::ranges::find_if(files, [&](const auto& f) { return f > cursor.file; });
            if (at == files.end()) {
                done_ = true;
                return false;
            }
            cursor = {*at, lines::identity_of(*at), 0, 0};
        } else if (lines::identity_of(*at, cursor.identity) != cursor.identity) {
            throw permanent(*at + " is not the file any more that was read up to line " +
                            std::to_string(cursor.line) +
                            ": its beginning differs. Reset the generator to read it anew");
        }
        begin(cursor);
        return true;
    }

    void begin(const Cursor& cursor) {
        format_ = format_of(config_, cursor.file);
        reader_ = std::make_unique<lines::RecordReader>(
            lines::open_source(cursor.file), format_ == Format::csv, longest_record);
        if (watch_ && (!reader_->may_grow() || !watch_->add(cursor.file))) {
            throw permanent(cursor.file +
                            " cannot be followed: it is compressed, or not watchable");
        }
        header_.clear();
        if (format_ == Format::csv) {
            std::string_view row;
            if (reader_->next(row, false)) {
                header_ = lines::csv_fields(row);
            }
            header_end_ = reader_->offset();
            header_lines_ = reader_->lines();
            reader_ = std::make_unique<lines::RecordReader>(
                lines::open_source(cursor.file), true, longest_record);
        }
        reader_->seek(std::max(cursor.offset, format_ == Format::csv ? header_end_ : 0));
    }

    /// True: to its end. False: there is no room any more, or it may grow.
    bool read_file(Cursor& cursor, distributo::Feed& feed) {
        if (format_ == Format::csv && cursor.offset == 0) {
            cursor.offset = header_end_;
            cursor.line = header_lines_;
        }
        std::string_view record;
        while (feed.room() > 0) {
            if (!reader_->next(record, watch_.has_value())) {
                return at_end(cursor);
            }
            if (!give(record, cursor, feed)) {
                begin(cursor);  // the same record comes again
                return false;
            }
            cursor.offset = reader_->offset();
            cursor.line += reader_->lines();
        }
        return false;
    }

    bool at_end(Cursor& cursor) {
        if (!watch_) {
            return true;
        }
        if (lines::size_of(cursor.file) < cursor.offset) {
            throw permanent(cursor.file + " was truncated: it was read up to byte " +
                            std::to_string(cursor.offset) +
                            ". Reset the generator to read it anew");
        }
        return cursor.file != expand(config_.files).back();
    }

    /// False: there is no room.
    bool give(std::string_view record, const Cursor& cursor, distributo::Feed& feed) {
        if (record.empty() && config_.skip_empty.value_or(true)) {
            return true;
        }
        const std::string number = std::to_string(cursor.line + 1);
        try {
            return emit(record, number, cursor, feed);
        } catch (const distributo::Failure& failure) {
            const std::string place = cursor.file + ':' + number + ": ";
            if (config_.on_error.value_or(OnError::fail) == OnError::fail) {
                throw permanent(place + failure.what());
            }
            feed.warn(place + failure.what() + "; skipped");
            return true;
        }
    }

    bool emit(std::string_view record,
              const std::string& number,
              const Cursor& cursor,
              distributo::Feed& feed) {
        std::vector<std::string> row;
        if (format_ == Format::csv) {
            row = lines::csv_fields(record);
            if (row.size() != header_.size()) {
                throw permanent("expected " + std::to_string(header_.size()) + " fields, got " +
                                std::to_string(row.size()));
            }
        }
        const support::Fields fields = [&](std::string_view name) -> support::Field {
            if (name == "line") {
                return {record};
            }
            if (name == "number") {
                return {number};
            }
            if (name == "file") {
                return {cursor.file};
            }
            const auto column = std::ranges::find(header_, name);
            if (column == header_.end()) {
                throw permanent("there is no column '" + std::string(name) + '\'');
            }
            return {row[static_cast<std::size_t>(column - header_.begin())]};
        };
        distributo::EmitOptions options;
        const std::string key =
            config_.dedupe ? support::PayloadTemplate::render_text(*config_.dedupe, fields) : "";
        options.dedupe_key = key;
        options.group = config_.group ? std::string_view(*config_.group) : std::string_view();
        options.priority = config_.priority.value_or(0);
        return feed.emit(config_.type, payload(record, row, fields), options);
    }

    RawJson payload(std::string_view record,
                    const std::vector<std::string>& row,
                    const support::Fields& fields) const {
        if (payload_) {
            return payload_->render(fields);
        }
        if (format_ == Format::ndjson) {
            return distributo::detail::decode_text<RawJson>(record, "line");
        }
        RawJson made;
        made.text = "{";
        const auto add = [&](std::string_view name, std::string_view value) {
            made.text.append(made.text.size() == 1 ? "" : ",");
            distributo::detail::append_string(made.text, name);
            made.text.push_back(':');
            distributo::detail::append_string(made.text, value);
        };
        if (format_ == Format::plain) {
            add("line", record);
        }
        for (std::size_t i = 0; i < row.size(); ++i) {
            add(header_[i], row[i]);
        }
        made.text.push_back('}');
        return made;
    }

    const Config config_;
    distributo::Source& source_;
    std::optional<support::PayloadTemplate> payload_;
    std::unique_ptr<lines::RecordReader> reader_;
    Format format_ = Format::plain;
    std::vector<std::string> header_;
    std::uint64_t header_end_ = 0;
    std::uint64_t header_lines_ = 0;
    bool done_ = false;                          ///< the cursor's file was read to its end
    std::optional<support::FolderWatch> watch_;  ///< last: its thread uses the others
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.lines", "1.0.0", distributo::generator<Lines>("lines"));
