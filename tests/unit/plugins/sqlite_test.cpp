#include "files.hpp"
#include "outcomes.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Sink;
using outcomes::range;

class SqliteTest : public testing::Test {
protected:
    [[nodiscard]] std::string path() const { return files_.path("out.db"); }
    [[nodiscard]] std::string config(const std::string& more = "") const {
        return R"({"database":")" + path() + "\"" + more + "}";
    }

    /// All values, "|" between columns and a blank between rows, as another program sees them; the
    /// error when there is one.
    [[nodiscard]] std::string query(const std::string& sql) const {
        sqlite3* database = nullptr;
        sqlite3_open(path().c_str(), &database);
        std::string out;
        const auto row = [](void* context, int count, char** values, char**) {
            std::string& text = *static_cast<std::string*>(context);
            for (int i = 0; i < count; ++i) {
                text.append(i > 0 ? "|" : text.empty() ? "" : " ");
                text.append(values[i] == nullptr ? "null" : values[i]);
            }
            return 0;
        };
        char* error = nullptr;
        if (sqlite3_exec(database, sql.c_str(), row, &out, &error) != SQLITE_OK) {
            out = error;
        }
        sqlite3_free(error);
        sqlite3_close(database);
        return out;
    }

    std::string refusal(const std::string& json) {
        const Outcome outcome = sink_.open(json);
        return outcome.ok() ? "" : outcome.message;
    }

    Files files_;
    Sink sink_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(SqliteTest, ARowSaysEverythingThatThereIs) {
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.last_stored(), 0U);
    ASSERT_TRUE(sink_.write(std::vector{outcomes::completed(2), outcomes::failed(7)}).ok());
    EXPECT_EQ(sink_.acknowledged(), 7U);
    EXPECT_EQ(query("SELECT * FROM outcomes ORDER BY sequence"),
              "2|a1|demo.prime|completed|null|null|1|g|null|null|box|null|"
              "2023-11-14T22:13:20.123Z|2023-11-14T22:13:21.023Z|{\"n\":7}|{\"prime\":true} "
              "7|a1|demo.prime|failed|permanent|no \"n\"|1|g|words|k|box|0f|"
              "2023-11-14T22:13:20.123Z|2023-11-14T22:13:21.023Z|{\"n\":7}|null");
    EXPECT_EQ(query("SELECT result ->> 'prime', datetime(created) FROM outcomes LIMIT 1"),
              "1|2023-11-14 22:13:20");
    EXPECT_EQ(query("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteTest, WhatComesAgainIsThereOnce) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 3)).ok());
    ASSERT_TRUE(sink_.write(range(1, 3)).ok());
    ASSERT_TRUE(sink_.write(range(2, 4)).ok());
    EXPECT_EQ(sink_.acknowledged(), 4U);
    Sink restarted(DISTRIBUTO_PLUGIN_FILE);  // beside the first, which hangs for example
    ASSERT_TRUE(restarted.open(config()).ok());
    EXPECT_EQ(restarted.last_stored(), 4U);
    ASSERT_TRUE(restarted.write(range(5, 6)).ok());
    ASSERT_TRUE(sink_.write(range(5, 7)).ok());
    EXPECT_EQ(query("SELECT sequence FROM outcomes ORDER BY 1"), "1 2 3 4 5 6 7");
}

TEST_F(SqliteTest, TheNumberOutlivesTheRows) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 3)).ok());
    EXPECT_EQ(query("DELETE FROM outcomes"), "");
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.last_stored(), 3U);
}

TEST_F(SqliteTest, EachTypeHasATable) {
    std::vector<distributo::Outcome> all = range(1, 6);
    all[1].task_type = "demo_prime";  // shares the table of demo.prime
    all[2].task_type = "other";
    all[3].task_type = "x\"; DROP TABLE outcomes_other; --";
    all[4].task_type = "module:function";
    const std::string very_long = "t" + std::string(300, 'x');
    all[5].task_type = very_long;
    ASSERT_TRUE(sink_.open(config(R"(,"per_type":true)")).ok());
    ASSERT_TRUE(sink_.write(all).ok());
    EXPECT_EQ(query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"),
              "distributo_sink outcomes_demo_prime outcomes_module_function outcomes_other "
              "outcomes_t" +
                  std::string(99, 'x') + " outcomes_x___DROP_TABLE_outcomes_other____");
    EXPECT_EQ(query("SELECT sequence, type FROM outcomes_demo_prime"), "1|demo.prime 2|demo_prime");
    ASSERT_TRUE(sink_.open(config(R"(,"per_type":true)")).ok());
    EXPECT_EQ(sink_.last_stored(), 6U);
}

TEST_F(SqliteTest, SinksShareADatabase) {
    Sink other(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(other.open(config(R"(,"table":"copies")")).ok());
    ASSERT_TRUE(sink_.write(range(1, 3)).ok());
    ASSERT_TRUE(other.write(range(2, 2)).ok());
    EXPECT_EQ(query("SELECT * FROM distributo_sink ORDER BY name"), "copies|2 outcomes|3");
}

TEST_F(SqliteTest, AWriteHappensAsAWhole) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 1)).ok());
    EXPECT_EQ(query("CREATE TRIGGER t BEFORE INSERT ON outcomes WHEN NEW.sequence = 3 BEGIN "
                    "SELECT RAISE(FAIL, 'not this one'); END"),
              "");
    const Outcome outcome = sink_.write(range(2, 4));
    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, path() + ": not this one");
    EXPECT_EQ(query("SELECT sequence FROM outcomes"), "1");
    EXPECT_EQ(query("SELECT sequence FROM distributo_sink"), "1");
    EXPECT_EQ(query("DROP TRIGGER t"), "");
    ASSERT_TRUE(sink_.write(range(2, 4)).ok());
    EXPECT_EQ(query("SELECT sequence FROM outcomes"), "1 2 3 4");
}

TEST_F(SqliteTest, AFullDiskLosesAndDoublesNothing) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 5)).ok());
    {
        const FileSizeLimit limit(std::filesystem::file_size(path() + "-wal"));
        EXPECT_EQ(sink_.write(range(6, 2000)).status, DTO_RETRY);
        EXPECT_EQ(sink_.acknowledged(), 5U);
    }
    ASSERT_TRUE(sink_.write(range(6, 2000)).ok());
    EXPECT_EQ(query("SELECT count(*), max(sequence) FROM outcomes"), "2000|2000");
}

TEST_F(SqliteTest, TablesOfOthersAreLeftAlone) {
    EXPECT_EQ(query("CREATE TABLE outcomes (a)"), "");
    const Outcome outcome = sink_.open(config());
    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_NE(outcome.message.find("no column named sequence"), std::string::npos);
    for (const std::string name :
         {"", "a b", "1a", "a\\\"b", "sqlite_x", "SQLITE_x", "Distributo_Sink"}) {
        EXPECT_EQ(refusal(config(R"(,"table":")" + name + "\"")).find("config.table: expected"), 0U)
            << name;
    }
}

TEST_F(SqliteTest, FilesThatAreNoDatabaseSayWhy) {
    std::filesystem::create_directory(path());
    EXPECT_EQ(refusal(config()), "config.database: " + path() + " is a directory, expected a file");
    std::filesystem::remove(path());
    files_.write("out.db", std::string(5000, 'x'));
    EXPECT_EQ(refusal(config()), path() + ": file is not a database");
    EXPECT_EQ(refusal(R"({"database":"/nowhere/x.db"})"),
              "/nowhere/x.db: unable to open database file");
    EXPECT_EQ(refusal(R"({"database":""})"),
              "config.database: expected the path of a file, got \"\"");
}

}  // namespace
