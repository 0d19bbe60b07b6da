#include "support/base64.hpp"
#include "support/payload_template.hpp"

#include <distributo/generator.hpp>

#include <sqlite3.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using distributo::permanent;
using distributo::RawJson;
using distributo::retry;

/// Another program may hold the database for a moment.
constexpr int busy_ms = 5000;

struct Config {
    std::string database;
    std::string query;
    std::string key;
    std::string type;
    std::optional<RawJson> payload;
    std::optional<bool> follow;
    std::optional<std::string> dedupe;
    std::optional<std::string> group;
    std::optional<std::int32_t> priority;
};
BOOST_DESCRIBE_STRUCT(Config,
                      (),
                      (database, query, key, type, payload, follow, dedupe, group, priority))

struct Cursor {
    std::optional<std::int64_t> number;  ///< the last key that was given, when it is an integer
    std::optional<std::string> text;     ///< or a text; neither: before the first row
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (number, text))

struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

/// A name as SQL has it between quotes.
std::string identifier(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        text.append(c == '"' ? "\"\"" : std::string(1, c));
    }
    return text + '"';
}

/// One column of a row as JSON.
std::string json_of(sqlite3_stmt* row, int column) {
    std::string text;
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
    switch (sqlite3_column_type(row, column)) {
        case SQLITE_INTEGER:
            return std::to_string(sqlite3_column_int64(row, column));
        case SQLITE_FLOAT: {
            const double value = sqlite3_column_double(row, column);
            return std::isfinite(value) ? distributo::detail::encode_text(value, "column") : "null";
        }
        case SQLITE_TEXT:
            distributo::detail::append_string(
                text, {reinterpret_cast<const char*>(sqlite3_column_text(row, column)), size});
            return text;
        case SQLITE_BLOB: {
            const auto* const bytes =
                static_cast<const std::byte*>(sqlite3_column_blob(row, column));
            return text.append("\"")
                .append(support::to_base64(std::span(bytes, size)))
                .append("\"");
        }
        default:
            return "null";
    }
}

/// The rows of a query in the order of a key, each once.
class Sql {
public:
    explicit Sql(const Config& config) : config_(config) {
        if (config.payload) {
            payload_.emplace(*config.payload, "config.payload");
        }
        sqlite3* opened = nullptr;
        const int status =
            sqlite3_open_v2(config.database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
        database_.reset(opened);
        if (status != SQLITE_OK) {
            throw retry("cannot open " + config.database + ": " + sqlite3_errmsg(opened));
        }
        sqlite3_busy_timeout(opened, busy_ms);
        const std::string key = identifier(config.key);
        const std::string rows = "SELECT * FROM (" + config.query + ") ";
        first_ = prepare(rows + "ORDER BY " + key + " LIMIT ?1");
        later_ = prepare(rows + "WHERE " + key + " > ?2 ORDER BY " + key + " LIMIT ?1");
        key_column_ = column_of(first_.get(), config.key);
    }

    void next(Cursor& cursor, distributo::Feed& feed) {
        sqlite3_stmt* const row = begin(cursor, feed.room());
        std::uint32_t rows = 0;
        bool given = true;
        int status = SQLITE_DONE;
        while (given && (status = sqlite3_step(row)) == SQLITE_ROW) {
            ++rows;
            given = give(row, feed);
            if (given) {
                move(cursor, row);
            }
        }
        const std::string error = sqlite3_errmsg(database_.get());
        sqlite3_reset(row);
        if (given && status != SQLITE_DONE) {
            throw retry("the query failed: " + error);
        }
        if (given && rows < feed_room_ && !config_.follow.value_or(false)) {
            feed.end();
        }
    }

private:
    Statement prepare(const std::string& text) {
        sqlite3_stmt* made = nullptr;
        const int status = sqlite3_prepare_v2(database_.get(), text.c_str(), -1, &made, nullptr);
        if (status != SQLITE_OK) {
            throw permanent("config.query: " + std::string(sqlite3_errmsg(database_.get())));
        }
        return Statement(made);
    }

    int column_of(sqlite3_stmt* row, std::string_view name) const {
        for (int i = 0; i < sqlite3_column_count(row); ++i) {
            if (sqlite3_column_name(row, i) == name) {
                return i;
            }
        }
        throw permanent("the query has no column '" + std::string(name) + '\'');
    }

    sqlite3_stmt* begin(const Cursor& cursor, std::uint32_t room) {
        feed_room_ = room;
        const bool begun = cursor.number || cursor.text;
        sqlite3_stmt* const row = (begun ? later_ : first_).get();
        sqlite3_bind_int64(row, 1, room);
        if (cursor.number) {
            sqlite3_bind_int64(row, 2, *cursor.number);
        } else if (cursor.text) {
            sqlite3_bind_text(row,
                              2,
                              cursor.text->data(),
                              static_cast<int>(cursor.text->size()),
                              SQLITE_TRANSIENT);
        }
        return row;
    }

    void move(Cursor& cursor, sqlite3_stmt* row) const {
        switch (sqlite3_column_type(row, key_column_)) {
            case SQLITE_INTEGER:
                cursor = {sqlite3_column_int64(row, key_column_), {}};
                return;
            case SQLITE_TEXT:
                cursor = {{}, reinterpret_cast<const char*>(sqlite3_column_text(row, key_column_))};
                return;
            default:
                throw permanent("the key '" + config_.key +
                                "' is neither an integer nor a text in every row");
        }
    }

    bool give(sqlite3_stmt* row, distributo::Feed& feed) const {
        std::string value;
        const support::Fields fields = [&](std::string_view name) -> support::Field {
            value = json_of(row, column_of(row, name));
            return {value, true};
        };
        distributo::EmitOptions options;
        const std::string key =
            config_.dedupe ? support::PayloadTemplate::render_text(*config_.dedupe, fields) : "";
        options.dedupe_key = key;
        options.group = config_.group ? std::string_view(*config_.group) : std::string_view();
        options.priority = config_.priority.value_or(0);
        return feed.emit(
            config_.type, payload_ ? payload_->render(fields) : object_of(row), options);
    }

    static RawJson object_of(sqlite3_stmt* row) {
        RawJson made;
        made.text = "{";
        for (int i = 0; i < sqlite3_column_count(row); ++i) {
            made.text.append(i == 0 ? "" : ",");
            distributo::detail::append_string(made.text, sqlite3_column_name(row, i));
            made.text.append(":").append(json_of(row, i));
        }
        made.text.push_back('}');
        return made;
    }

    const Config config_;
    std::optional<support::PayloadTemplate> payload_;
    Database database_;
    Statement first_, later_;
    int key_column_ = 0;
    std::uint32_t feed_room_ = 0;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.sql", "1.0.0", distributo::generator<Sql>("sql"));
