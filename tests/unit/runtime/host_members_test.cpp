// The host keeps to the members of abi.h as they were locked: tests/contract/layout_lock.inc.
#include "runtime/abi_text.hpp"
#include "runtime/host_table.hpp"
#include "runtime/module_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace distributo::runtime {
namespace {

struct Member {
    std::string table, name;
    std::size_t offset;
    bool is_function;
};

template <typename Type>
constexpr bool is_function = std::is_function_v<std::remove_pointer_t<Type>>;

#define DTO_TEXT(name, text)
#define DTO_VALUE(name, value)
#define DTO_ALIAS(name, ...)
#define DTO_FROZEN(type, at_64, at_32)
#define DTO_GROWS(type, at_64, at_32)
#define DTO_MEMBER(type, member, at_64, at_32, ...) \
    list.push_back({#type, #member, offsetof(type, member), is_function<decltype(type::member)>});

std::vector<Member> functions_of_host() {
    std::vector<Member> list;
#include "layout_lock.inc"
    std::erase_if(list,
                  [](const Member& one) { return one.table != "dto_host" || !one.is_function; });
    return list;
}

TEST(HostMembersTest, EveryFunctionIsThere) {
    const dto_host host = make_host_table();
    ASSERT_GE(functions_of_host().size(), 16U);
    for (const auto& member : functions_of_host()) {
        void* function = nullptr;
        std::memcpy(
            &function, reinterpret_cast<const char*>(&host) + member.offset, sizeof function);
        EXPECT_NE(function, nullptr) << member.name;
    }
}

TEST(HostMembersTest, EveryFunctionMayBeRequiredByName) {
    for (const auto& member : functions_of_host()) {
        const std::string name = "host." + member.name;
        const dto_str required = abi_text(name);
        dto_module module{};
        module.struct_size = sizeof module;
        module.name = abi_text("acme");
        module.version = abi_text("1.0.0");
        module.required = &required;
        module.required_count = 1;

        const auto checked = check_module(module);

        ASSERT_FALSE(checked);
        EXPECT_THAT(checked.error().message, testing::HasSubstr("offers no task types"));
    }
}

}  // namespace
}  // namespace distributo::runtime
