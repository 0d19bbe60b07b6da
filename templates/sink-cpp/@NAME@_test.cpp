#include <distributo/sink.hpp>
#include <distributo/testing.hpp>

#include <fstream>
#include <iterator>

using distributo::testing::Sink;

namespace {

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int main() {
    const distributo::testing::TemporaryDirectory folder;
    const auto file = folder.path() / "out.tsv";
    const std::string config = R"({"file":")" + file.string() + R"("})";
    const std::vector<distributo::Outcome> outcomes = {
        {.sequence = 4, .task_type = "demo.square", .result = R"({"square":9})"},
        {.sequence = 7, .status = DTO_PERMANENT, .message = "too large", .task_type = "demo.cube"},
        {.sequence = 8, .task_type = "demo.square", .result = R"({"square":16})"}};
    const std::string wanted =
        "4\tdemo.square\tcompleted\t{\"square\":9}\n"
        "7\tdemo.cube\tfailed\t\n"
        "8\tdemo.square\tcompleted\t{\"square\":16}\n";
    {
        Sink lines(DISTRIBUTO_PLUGIN_FILE);
        DISTRIBUTO_EXPECT(lines.open(config).ok());
        DISTRIBUTO_EXPECT_EQUAL(lines.last_stored(), 0U);
        DISTRIBUTO_EXPECT(lines.write(std::span(outcomes).first(2)).ok());
        DISTRIBUTO_EXPECT_EQUAL(lines.acknowledged(), 7U);
    }
    std::ofstream(file, std::ios::app) << "8\tdemo.sq";  // the machine stopped while it wrote

    Sink lines(DISTRIBUTO_PLUGIN_FILE);  // and everybody else forgot how far it was
    DISTRIBUTO_EXPECT(lines.open(config).ok());
    DISTRIBUTO_EXPECT_EQUAL(lines.last_stored(), 7U);
    DISTRIBUTO_EXPECT(lines.deliver(outcomes).ok());
    DISTRIBUTO_EXPECT_EQUAL(content(file), wanted);

    std::ofstream(file) << "a letter to somebody\n";
    const auto strange = lines.open(config);
    DISTRIBUTO_EXPECT_EQUAL(strange.status, DTO_PERMANENT);
    DISTRIBUTO_EXPECT_EQUAL(content(file), "a letter to somebody\n");

    const auto nowhere = lines.open(R"({"file":"/nowhere/out.tsv"})");
    DISTRIBUTO_EXPECT_EQUAL(nowhere.message,
                            "cannot open /nowhere/out.tsv: No such file or directory");

    return distributo::testing::report();
}
