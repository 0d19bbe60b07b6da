#include "runtime/module_check.hpp"

#include "runtime/abi_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace distributo::runtime {
namespace {

using testing::HasSubstr;

/// The tables of a plugin that is fine; a test breaks one thing. get_interface has no context, so
/// there is one set of tables at a time.
struct Tables {
    dto_task_type type{};
    const dto_task_type* types[2] = {&type, &type};
    dto_task_api api{};
    dto_module module{};
    bool has_tasks = true;
};
Tables* current = nullptr;

const void* DTO_CALL get_interface(const char* id) {
    return current->has_tasks && std::strcmp(id, DTO_INTERFACE_TASK) == 0 ? &current->api : nullptr;
}

class ModuleCheckTest : public testing::Test, public Tables {
protected:
    ModuleCheckTest() {
        current = this;
        type.struct_size = sizeof type;
        type.name = abi_text("acme.render");
        type.version = abi_text("1.2.0");
        api.struct_size = sizeof api;
        api.type_count = 1;
        api.types = types;
        api.create = [](const dto_host*, dto_call*, void**) -> dto_status { return DTO_OK; };
        api.setup = [](void*, dto_call*, const dto_setup*) -> dto_status { return DTO_OK; };
        api.execute = [](void*, dto_call*, const dto_execute*) -> dto_status { return DTO_OK; };
        api.teardown = [](void*, dto_call*) {};
        api.destroy = [](void*) {};
        module.struct_size = sizeof module;
        module.name = abi_text("acme");
        module.version = abi_text("1.0.0-rc.1+build5");
        module.get_interface = &get_interface;
    }
    ~ModuleCheckTest() override { current = nullptr; }

    std::string reason() {
        const auto checked = check_module(module);
        return checked ? "fine" : checked.error().message;
    }
};

TEST_F(ModuleCheckTest, AcceptsWhatTheContractAllows) {
    EXPECT_EQ(reason(), "fine");
}

TEST_F(ModuleCheckTest, ATypeThatIsNotReentrantRunsOneAtATime) {
    type.max_concurrency = 8;
    EXPECT_EQ(check_module(module)->info.types[0].max_concurrency, 1U);
    type.flags = DTO_TASK_REENTRANT;
    EXPECT_EQ(check_module(module)->info.types[0].max_concurrency, 8U);
}

TEST_F(ModuleCheckTest, ReadsNothingBeyondThePluginsOwnSize) {
    api.struct_size = offsetof(dto_task_api, destroy) + sizeof(void*);
    EXPECT_EQ(reason(), "fine");
    api.struct_size = offsetof(dto_task_api, destroy);
    EXPECT_THAT(reason(), HasSubstr("dto_task_api has struct_size"));
    api.struct_size = 0x10000 + 1;
    EXPECT_THAT(reason(), HasSubstr("dto_task_api has struct_size"));
}

TEST_F(ModuleCheckTest, IgnoresLowFlagsAndRefusesHighOnes) {
    module.flags = 1U << 9U;
    EXPECT_EQ(reason(), "fine");
    module.flags = 1U << 20U;
    EXPECT_THAT(reason(), HasSubstr("flag bit 20"));
    module.flags = DTO_MODULE_NEEDS_ISOLATION;
    EXPECT_TRUE(check_module(module)->info.needs_isolation);
    type.flags = 1U << 17U;
    EXPECT_THAT(reason(), HasSubstr("acme.render has flag bit 17"));
}

TEST_F(ModuleCheckTest, NamesWhatTheHostLacks) {
    const dto_str required[] = {abi_text("distributo.emit/1"), abi_text("distributo.emit/2")};
    module.required = required;
    module.required_count = 1;
    EXPECT_EQ(reason(), "fine");
    module.required_count = 2;
    EXPECT_THAT(reason(), HasSubstr("needs distributo.emit/2"));
}

TEST_F(ModuleCheckTest, AColonMayStandInATypesNameOnly) {
    type.name = abi_text("render:frame.of_a-scene");
    EXPECT_EQ(reason(), "fine");
    module.name = abi_text("acme:render");
    EXPECT_THAT(reason(), HasSubstr("plugin name \"acme:render\""));
}

TEST_F(ModuleCheckTest, RefusesNamesAndVersionsThatAreNone) {
    const std::string long_name(129, 'a');
    type.name = abi_text("Acme Render");
    EXPECT_THAT(reason(), HasSubstr("\"Acme Render\""));
    for (const auto* name : {"-acme", ":acme", "", "acme/render"}) {
        type.name = abi_text(name);
        EXPECT_THAT(reason(), HasSubstr('"' + std::string(name) + '"'));
    }
    type.name = abi_text(std::string_view(long_name));
    EXPECT_THAT(reason(), HasSubstr("is not usable"));
    type.name = abi_text("acme.render");
    for (const auto* version : {"1", "1.0", "01.0.0", "1.0.0.0", "v1.0.0", "1.0.0-"}) {
        type.version = abi_text(version);
        EXPECT_THAT(reason(), HasSubstr("semantic")) << version;
    }
}

TEST_F(ModuleCheckTest, RefusesATypeTwiceAndNoType) {
    api.type_count = 2;
    EXPECT_THAT(reason(), HasSubstr("acme.render twice"));
    api.type_count = 0;
    EXPECT_EQ(reason(), "offers no task types");
    has_tasks = false;
    EXPECT_THAT(reason(), HasSubstr("no interface distributo.task/1"));
}

TEST_F(ModuleCheckTest, ChecksWhatIsDiscoveredLikeWhatIsConstant) {
    api.discover =
        [](void*, dto_call*, const dto_task_type* const**, std::uint32_t*) -> dto_status {
        return DTO_OK;
    };
    auto plain = check_module(module);
    ASSERT_TRUE(plain);
    EXPECT_THAT(add_types(*plain, types, 1).error().message, HasSubstr("acme.render twice"));
    EXPECT_THAT(add_types(*plain, nullptr, 1).error().message, HasSubstr("null pointer"));
    EXPECT_THAT(add_types(*plain, types, 100'000).error().message, HasSubstr("task types, at"));

    api.type_count = 0;
    auto empty = check_module(module);
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_THAT(add_types(*empty, nullptr, 0).error().message, HasSubstr("no task types"));
    type.flags = DTO_TASK_REENTRANT;
    ASSERT_TRUE(add_types(*empty, types, 1));
    EXPECT_EQ(empty->info.types[0].name, "acme.render");
    EXPECT_EQ(empty->flags[0], DTO_TASK_REENTRANT);
    EXPECT_EQ(empty->info.version, "1.2.0");
    EXPECT_EQ(plain->info.version, "1.0.0-rc.1+build5");
    type.name = abi_text("Acme");
    EXPECT_THAT(add_types(*empty, types, 1).error().message, HasSubstr("\"Acme\""));
}

TEST_F(ModuleCheckTest, RefusesMissingFunctions) {
    type.flags = DTO_TASK_NEEDS_INSTALL;
    EXPECT_THAT(reason(), HasSubstr("needs install"));
    api.execute = nullptr;
    EXPECT_THAT(reason(), HasSubstr("lacks the function execute"));
}

TEST_F(ModuleCheckTest, RefusesASchemaThatIsNotJson) {
    type.install_schema = abi_text("{\"type\":}");
    EXPECT_THAT(reason(), HasSubstr("acme.render: install_schema is not JSON"));
}

}  // namespace
}  // namespace distributo::runtime
