#pragma once

// distributo/plugin.hpp: write a plugin in C++20. A complete one:
//
//     #include <distributo/plugin.hpp>
//
//     struct Job { std::uint64_t n = 0; std::optional<std::string> note; };
//     BOOST_DESCRIBE_STRUCT(Job, (), (n, note))
//     struct Answer { bool prime = false; };
//     BOOST_DESCRIBE_STRUCT(Answer, (), (prime))
//
//     Answer is_prime(const Job& job, distributo::Task& task) {
//         for (std::uint64_t d = 2; d <= job.n / d; ++d) {
//             if (d % 65536 == 0) task.check();
//             if (job.n % d == 0) return {false};
//         }
//         return {job.n > 1};
//     }
//
//     DISTRIBUTO_PLUGIN("demo.numbers", "1.0.0",
//                       distributo::task_type<is_prime>("demo.is_prime"));
//
// Payloads are described structs of bool, integers, double, std::string, described enums,
// std::optional, std::vector, std::map<std::string, T>, other described structs and RawJson. Their
// JSON Schema is generated; every member that is not a std::optional is required. A payload that
// does not fit never reaches the function; the message names the place: "payload.n: expected
// unsigned integer, got string".
//
// How a function ends: by returning (the result), by throwing permanent(), retry() or
// retry_elsewhere(), by Cancelled from Task::check() or sleep(); any other exception counts as
// retry() with its what(). Exceptions never leave the plugin.
//
// State: give task_type<> a member function. Its struct is constructed once per process, from
// const Setup& or without arguments, before the first task, and destroyed after the last one.
//
// More than a function, each a line of DISTRIBUTO_PLUGIN or an argument more:
//     task_type<f>("t").batch<g>(64)         void g(std::span<BatchItem<Job, Answer>>): many at
//     once void f(const Job&, AsyncTask<Answer>)  only starts the task; the handle ends it, later
//     .install<i>() .verify<v>()             prepare a host for a task, once per content key
//     probe<p>()                             is this host still able? with attributes to require
// and in a call: task.emit(), task.cache(), task.open_artifact(), task.create_artifact(),
// task.artifact(), task.publish(). A host need not have these services: then emit and artifacts
// throw retry_elsewhere(), the cache forgets. requires_service(DTO_SERVICE_EMIT) has such a host
// refuse the plugin instead.
//
// This header needs the headers of Boost.Describe and Mp11 and the standard library, nothing else.

#include <distributo/detail/exported.hpp>
#include <distributo/detail/options.hpp>

/// Exports the plugin. Once per library, outside of any namespace. After name and version come
/// task types (task_type<>), and probe<>(), requires_service(), vendor(), license(), homepage(),
/// config<>(), keep_loaded(), needs_isolation().
#define DISTRIBUTO_PLUGIN(plugin_name, plugin_version, ...)                                  \
    namespace {                                                                              \
    struct DistributoPlugin {                                                                \
        static constexpr const char* name = plugin_name;                                     \
        static constexpr const char* version = plugin_version;                               \
        static void define(::distributo::detail::Module& module) {                           \
            [&module](auto&&... elements) {                                                  \
                (module.add(std::move(elements)), ...);                                      \
            }(__VA_ARGS__);                                                                  \
        }                                                                                    \
    };                                                                                       \
    }                                                                                        \
    extern "C" DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry*); \
    extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {     \
        return ::distributo::detail::Exported<DistributoPlugin>::enter(entry);               \
    }                                                                                        \
    static_assert(true, "a semicolon follows")
