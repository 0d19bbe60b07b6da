#pragma once

// distributo/generator.hpp: write a source of tasks in C++20. A complete one:
//
//     #include <distributo/generator.hpp>
//
//     struct Config { std::uint64_t last = 0; };
//     BOOST_DESCRIBE_STRUCT(Config, (), (last))
//     struct Cursor { std::uint64_t next = 1; };
//     BOOST_DESCRIBE_STRUCT(Cursor, (), (next))
//
//     struct Numbers {
//         explicit Numbers(const Config& config) : last(config.last) {}
//         void next(Cursor& cursor, distributo::Feed& feed) {
//             while (cursor.next <= last && feed.emit("demo.square", cursor)) ++cursor.next;
//             if (cursor.next > last) feed.end();
//         }
//         std::uint64_t last;
//     };
//
//     DISTRIBUTO_PLUGIN("demo.numbers", "1.0.0", distributo::generator<Numbers>("numbers"));
//
// next() is called when the coordinator wants more tasks. It emits as many as there is room for and
// moves the cursor, a described struct that says where to go on: both become durable together.
// After a crash, a restart or an error the generator is made anew and gets the last durable cursor,
// or a default one at its first start; so whatever is not in the cursor must be found out again.
// Nothing emitted: it is called again later, or after Source::more(). Feed::end(): never again.
// What it throws drops what it emitted and leaves the cursor; retry() and unknown exceptions are
// tried again, permanent() stops the generator until somebody looks at it.
//
// Optional: `void on_result(Cursor&, const distributo::Outcome&, distributo::Feed&)` gets the
// outcomes of its tasks, in order; it may emit and move the cursor, too.
//
// Constructor: (const Config&, distributo::Source&), either of them, or nothing. The
// configuration's schema is made from Config. Calls never overlap.

#include <distributo/detail/generator_table.hpp>
#include <distributo/plugin.hpp>

namespace distributo {

/// An element of DISTRIBUTO_PLUGIN: the library's generator. One per library.
template <class Object>
[[nodiscard]] auto generator(std::string name) {
    return detail::Option{
        [name](detail::Module& module) { detail::GeneratorTable<Object>::add(module, name); }};
}

}  // namespace distributo
