#pragma once

// distributo/sink.hpp: write a receiver of outcomes in C++20. A complete one:
//
//     #include <distributo/sink.hpp>
//     #include <fstream>
//
//     struct Config { std::string file; };
//     BOOST_DESCRIBE_STRUCT(Config, (), (file))
//
//     struct Lines {
//         explicit Lines(const Config& config) : out(config.file, std::ios::app) {}
//         void write(std::span<const distributo::Outcome> outcomes) {
//             for (const auto& one : outcomes) out << one.sequence << ' ' << one.result << '\n';
//             if (!out.flush()) throw distributo::retry("cannot write");
//         }
//         std::ofstream out;
//     };
//
//     DISTRIBUTO_PLUGIN("demo.lines", "1.0.0", distributo::sink<Lines>("lines"));
//
// write() gets outcomes in order. When it returns, all of them are stored for good and do not come
// again; one that returns a std::size_t says how many are, from the front, and the others are when
// flush() has returned. After an exception, a crash or a restart what was not stored comes again.
//
// Optional: `std::uint64_t last_stored()`, the sequence of the last outcome that it has: the
// coordinator goes on behind it. A sink that stores the sequence together with the data therefore
// has every outcome exactly once. `void flush()`.
//
// Constructor: (const Config&, distributo::Source&), either of them, or nothing. The
// configuration's schema is made from Config. Calls never overlap.

#include <distributo/detail/sink_table.hpp>
#include <distributo/plugin.hpp>

namespace distributo {

/// An element of DISTRIBUTO_PLUGIN: the library's sink. One per library.
template <class Object>
[[nodiscard]] auto sink(std::string name) {
    return detail::Option{
        [name](detail::Module& module) { detail::SinkTable<Object>::add(module, name); }};
}

}  // namespace distributo
