#pragma once

#include "base/result.hpp"
#include "coordinator/store/sqlite/database.hpp"

#include <cstddef>
#include <string>

/// The tables of the store. Nothing that belongs to a task is updated: it is inserted at submit,
/// at a failed attempt, at a control and at its end, and deleted when it is forgotten.
///
///   task ──── outcome       one row each, by id; `outcome` once it has ended
///     ├────── attempt       those that did not end it
///     ├────── control       cancel, hold, release, retry
///     └────── given_id, unique_key (while it lives)
///   blob                    results in files: `outcome.result` is the file's name as a TEXT then,
///                           and the result itself as a BLOB otherwise
///   recorded                per commit: which tasks ended in it, in order (the sequence)
///   tally                   per type and group: how many, by state
///   block, mark             where to look: see block_marks.hpp
///   name                    texts that repeat: types, groups, hosts, versions, labels, generators
///   extension, cursor       generators and sinks, and how far each has come
///   submission, host, term, meta
namespace distributo::coordinator::store {

/// Kinds of texts in `name`.
enum class NameKind {
    type = 1,
    group = 2,
    host = 3,
    host_id = 4,
    version = 5,
    label = 6,
    generator = 7,  ///< its number
};
inline constexpr std::size_t name_kinds = 8;  ///< above all

inline constexpr int schema_version = 2;

/// Makes the file a store, or a newer one of an older one; each step is one transaction. Sets what
/// belongs to this connection, too. Errors: unavailable (made by a newer version), io (no store).
[[nodiscard]] base::Result<void> prepare_schema(const Database& database, const std::string& file);

}  // namespace distributo::coordinator::store
