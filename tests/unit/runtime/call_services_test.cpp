// The services of a host through its table, as a plugin gets them.
#include "base/ids.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/call.hpp"
#include "runtime/host_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class CallServicesTest : public testing::Test, public CallReporter {
protected:
    ~CallServicesTest() override { fs::remove_all(root); }

    void log(CallId, std::string_view, std::string_view text) override { lines.emplace_back(text); }
    void progress(CallId, double, std::string_view) override {}
    bool cache_get(std::string_view key, std::string& value) override {
        const auto place = values.find(std::string(key));
        if (place != values.end())
            value = place->second;
        return place != values.end();
    }
    void cache_put(std::string_view key, std::string_view value, std::int64_t ttl_ms) override {
        values[std::string(key)] = value;
        times.push_back(ttl_ms);
    }
    void capabilities_changed() override { ++changes; }

    dto_call* begin(Call::Kind kind = Call::Kind::task) {
        return call.begin(++id, base::TimePoint::max(), kind);
    }
    CallResult end() {
        CallResult result;
        EXPECT_TRUE(call.end(DTO_OK, result));
        return result;
    }
    template <typename Table>
    const Table& service(const char* name) const {
        return *static_cast<const Table*>(host.get_service(&host, name));
    }
    dto_status put(dto_call* handle, std::string_view key, std::string_view value, int ttl = 0) {
        return service<dto_cache>(DTO_SERVICE_CACHE)
            .put(handle, abi_text(key), {value.data(), value.size()}, ttl);
    }
    dto_status get(dto_call* handle, std::string_view key, std::string& out) {
        dto_bytes value{};
        const auto status =
            service<dto_cache>(DTO_SERVICE_CACHE).get(handle, abi_text(key), &value);
        out.assign(static_cast<const char*>(value.ptr), value.len);
        return status;
    }

    const fs::path root = fs::temp_directory_path() / ("services-" + base::random_hex(6));
    std::vector<std::string> lines;
    std::map<std::string, std::string> values;
    std::vector<std::int64_t> times;
    int changes = 0;
    Call call{*this, root};
    const dto_host host = make_host_table();
    CallId id = 0;
    std::string found;
};

TEST_F(CallServicesTest, TheCacheKeepsWhatItIsGiven) {
    auto* const handle = begin();
    EXPECT_EQ(get(handle, "key", found), DTO_END);
    EXPECT_EQ(put(handle, "key", "value", 5), DTO_OK);
    EXPECT_EQ(get(handle, "key", found), DTO_OK);
    EXPECT_EQ(found, "value");
    EXPECT_EQ(put(handle, "empty", "", -1), DTO_OK);
    EXPECT_EQ(get(handle, "empty", found), DTO_OK);
    EXPECT_EQ(found, "");
    EXPECT_THAT(times, ElementsAre(5, 0));
    end();
}

TEST_F(CallServicesTest, TheCacheRefusesWhatIsTooLarge) {
    auto* const handle = begin();
    EXPECT_EQ(put(handle, "", "x"), DTO_PERMANENT);
    EXPECT_EQ(put(handle, std::string(1025, 'k'), "x"), DTO_PERMANENT);
    EXPECT_EQ(put(handle, "k", std::string(4 * 1024 * 1024 + 1, 'x')), DTO_PERMANENT);
    EXPECT_EQ(get(handle, "", found), DTO_PERMANENT);
    EXPECT_TRUE(values.empty());
    end();
}

TEST_F(CallServicesTest, NothingIsServedOutsideOfACall) {
    auto* const late = begin();
    end();
    EXPECT_EQ(get(late, "key", found), DTO_CANCELLED);
    EXPECT_EQ(put(late, "key", "x"), DTO_CANCELLED);
    const auto& artifacts = service<dto_artifacts>(DTO_SERVICE_ARTIFACTS);
    dto_stream* stream = nullptr;
    EXPECT_EQ(artifacts.open_write(late, abi_text("a"), {}, &stream), DTO_CANCELLED);
    EXPECT_EQ(artifacts.write(nullptr, {"x", 1}), DTO_CANCELLED);

    auto* const nobodys = begin(Call::Kind::root);
    EXPECT_EQ(get(nobodys, "key", found), DTO_UNSUPPORTED);
    EXPECT_EQ(put(nobodys, "key", "x"), DTO_UNSUPPORTED);
    EXPECT_TRUE(values.empty());
    end();
}

TEST_F(CallServicesTest, ArtifactsGoWithTheirCall) {
    const auto& artifacts = service<dto_artifacts>(DTO_SERVICE_ARTIFACTS);
    auto* handle = begin();
    dto_stream* stream = nullptr;
    ASSERT_EQ(artifacts.open_write(handle, abi_text("a"), {}, &stream), DTO_OK);
    EXPECT_EQ(artifacts.write(stream, {"abc", 3}), DTO_OK);
    dto_str digest{}, path{};
    EXPECT_EQ(artifacts.close(stream, 1, &digest), DTO_OK);
    EXPECT_EQ(digest.len, 64U);
    ASSERT_EQ(artifacts.fetch(handle, abi_text("a"), &path), DTO_OK);
    const fs::path file = copy_text(path);
    EXPECT_TRUE(fs::exists(file));
    EXPECT_EQ(artifacts.fetch(handle, abi_text("../a"), &path), DTO_PERMANENT);
    EXPECT_THAT(lines.back(), HasSubstr("artifacts.fetch: expected a relative path"));
    end();
    EXPECT_FALSE(fs::exists(file));

    handle = begin();
    EXPECT_EQ(artifacts.fetch(handle, abi_text("a"), &path), DTO_PERMANENT);
    EXPECT_EQ(artifacts.write(stream, {"x", 1}), DTO_CANCELLED);
    end();
}

TEST_F(CallServicesTest, ANoticeReachesTheHost) {
    auto* const handle = begin(Call::Kind::root);
    EXPECT_EQ(host.notify(handle, abi_text("capabilities")), DTO_OK);
    EXPECT_EQ(host.notify(handle, abi_text("more")), DTO_OK);
    EXPECT_EQ(host.notify(handle, abi_text("what else")), DTO_UNSUPPORTED);
    EXPECT_EQ(changes, 1);
    end();
}

}  // namespace
}  // namespace distributo::runtime
