#pragma once

#include <cstdint>
#include <string>

namespace distributo::coordinator::core {

/// Number of a generator or sink: allotted when it is made, never used again. 0: none.
using ExtensionNumber = std::uint32_t;

enum class ExtensionKind : std::uint8_t { generator, sink };

/// A generator or sink that the coordinator remembers.
struct ExtensionRecord {
    ExtensionNumber number = 0;
    ExtensionKind kind = ExtensionKind::generator;
    std::string name{};        ///< unique among those of its kind that are not removed
    std::string definition{};  ///< JSON, as somebody made it; empty: of a configuration file
    bool paused = false;
    bool removed = false;  ///< its number and name stay known, since tasks came from it
};

/// How far a generator or sink has come.
struct Cursor {
    ExtensionNumber extension = 0;
    std::string checkpoint{};      ///< of a generator: where it goes on; empty: from its beginning
    std::uint64_t sequence = 0;    ///< of the last outcome that it is done with
    std::uint64_t tasks = 0;       ///< that a generator emitted
    std::uint64_t duplicates = 0;  ///< were there already; those of the last feed not yet counted
    std::uint64_t outcomes = 0;    ///< that it was given and is done with
    bool ended = false;            ///< a generator said that nothing more will come
    /// It belongs to the submits of its transaction: refused when they are.
    bool feeds = false;
};

}  // namespace distributo::coordinator::core
