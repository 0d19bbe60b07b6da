#pragma once

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/writer.hpp"
#include "coordinator/store/store.hpp"

namespace distributo::coordinator::store {

/// Begins a boot: its term is durable before anything else happens in it. The first start also
/// gives the store its identity, and the first one of a backup another one.
[[nodiscard]] Writer::Start begin_term(const Database& database);

/// What the store knows, read from the lowest task that may live; tells the writer of those that
/// do. The names of types live as long as the writer.
[[nodiscard]] Recovered recover(const Database& database,
                                const Writer::Start& start,
                                Writer& writer);

}  // namespace distributo::coordinator::store
