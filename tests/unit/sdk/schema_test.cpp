#include <distributo/detail/schema.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace {

enum class Mode { exact, fast };
BOOST_DESCRIBE_ENUM(Mode, exact, fast)

struct Job {
    std::uint64_t n = 0;
    Mode mode = Mode::exact;
    std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Job, (), (n, mode, note))

struct Batch {
    std::vector<Job> jobs;
    std::map<std::string, double> weights;
    int offset = 0;
    bool dry = false;
    distributo::RawJson extra;
};
BOOST_DESCRIBE_STRUCT(Batch, (), (jobs, weights, offset, dry, extra))

struct Tree {
    std::string name;
    std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (name, children))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

const std::string job_schema =
    R"({"type":"object","properties":{"n":{"type":"integer","minimum":0},)"
    R"("mode":{"enum":["exact","fast"]},"note":{"type":"string"}},)"
    R"("required":["n","mode"],"additionalProperties":false})";

TEST(SchemaTest, AStructListsItsMembersAndRequiresThoseThatAreNotOptional) {
    EXPECT_EQ(distributo::detail::schema_text<Job>(), job_schema);
}

TEST(SchemaTest, ContainersAndNestedStructsAreDescribedThroughout) {
    EXPECT_EQ(distributo::detail::schema_text<Batch>(),
              R"({"type":"object","properties":{"jobs":{"type":"array","items":)" + job_schema +
                  R"(},"weights":{"type":"object","additionalProperties":{"type":"number"}},)"
                  R"("offset":{"type":"integer"},"dry":{"type":"boolean"},"extra":{}},)"
                  R"("required":["jobs","weights","offset","dry","extra"],)"
                  R"("additionalProperties":false})");
}

TEST(SchemaTest, AnOptionalThatIsNoMemberMayBeNull) {
    EXPECT_EQ(distributo::detail::schema_text<std::vector<std::optional<bool>>>(),
              R"({"type":"array","items":{"anyOf":[{"type":"boolean"},{"type":"null"}]}})");
}

TEST(SchemaTest, ATypeThatContainsItselfEnds) {
    EXPECT_EQ(distributo::detail::schema_text<Tree>(),
              R"({"type":"object","properties":{"name":{"type":"string"},)"
              R"("children":{"type":"array","items":{}}},"required":["name","children"],)"
              R"("additionalProperties":false})");
}

TEST(SchemaTest, AnEmptyStructAllowsNoMembers) {
    EXPECT_EQ(distributo::detail::schema_text<Nothing>(),
              R"({"type":"object","properties":{},"additionalProperties":false})");
}

}  // namespace
