#include "files.hpp"

#include <distributo/testing.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>
#include <vector>

namespace {

using distributo::testing::Generator;
using distributo::testing::stream_fault;

class SqlTest : public testing::Test {
protected:
    SqlTest() {
        execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, score REAL, raw BLOB);"
            "INSERT INTO t VALUES(3,'c',0.5,x'00ff'),(1,'a \"q\"',NULL,NULL),(2,'b',1e300,'')");
    }
    void execute(const std::string& sql) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(files_.path("t.db").c_str(), &database), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(database);
        sqlite3_close(database);
    }
    [[nodiscard]] std::string config(const std::string& more,
                                     const std::string& query = "SELECT * FROM t") const {
        return R"({"type":"t","database":")" + files_.path("t.db") + R"(","query":")" + query +
               R"(","key":)" + more + "}";
    }
    static std::vector<std::string> payloads(const std::string& config) {
        Generator generator(DISTRIBUTO_PLUGIN_FILE);
        if (const auto opened = generator.open(config); !opened.ok()) {
            return {opened.message};
        }
        std::vector<std::string> payloads;
        for (const auto& task : generator.run().emitted) {
            payloads.push_back(task.payload);
        }
        return payloads;
    }

    Files files_;
};

TEST_F(SqlTest, RowsComeInTheOrderOfTheKey) {
    EXPECT_EQ(payloads(config(R"("id")")),
              (std::vector<std::string>{R"({"id":1,"name":"a \"q\"","score":null,"raw":null})",
                                        R"({"id":2,"name":"b","score":1e+300,"raw":""})",
                                        R"({"id":3,"name":"c","score":0.5,"raw":"AP8="})"}));
}

TEST_F(SqlTest, AKeyMayBeATextAndAPayloadATemplate) {
    EXPECT_EQ(payloads(config(R"("name","payload":{"n":"{name}","i":"{id:number}"})",
                              "SELECT id, name FROM t WHERE id < 3")),
              (std::vector<std::string>{R"({"n":"a \"q\"","i":1})", R"({"n":"b","i":2})"}));
}

TEST_F(SqlTest, TheStreamIsTheSameWithAnyRoomAndFromAnyCheckpoint) {
    execute(
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i+3 FROM n WHERE i < 900)"
        "INSERT INTO t SELECT i, 'n' || i, i / 7.0, NULL FROM n");
    EXPECT_EQ(stream_fault(DISTRIBUTO_PLUGIN_FILE, config(R"("id")")), "");
    EXPECT_EQ(stream_fault(DISTRIBUTO_PLUGIN_FILE, config(R"("name")")), "");
}

TEST_F(SqlTest, RowsThatComeLaterAreFollowed) {
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config(R"("id","follow":true)")).ok());
    EXPECT_EQ(generator.next(10).emitted.size(), 3U);
    EXPECT_EQ(generator.next(10).status, DTO_IDLE);
    execute("INSERT INTO t(id) VALUES(9)");
    EXPECT_EQ(generator.next(10).emitted.size(), 1U);
}

TEST_F(SqlTest, SaysWhatIsWrongWithTheQuery) {
    EXPECT_EQ(payloads(config(R"("id")", "SELECT * FROM missing")),
              std::vector<std::string>{"config.query: no such table: missing"});
    EXPECT_EQ(payloads(config(R"("nokey")", "SELECT id FROM t")),
              std::vector<std::string>{"the query has no column 'nokey'"});
}

}  // namespace
