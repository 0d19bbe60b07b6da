#pragma once

#include "base/clock.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/extensions/extensions.hpp"
#include "net/http_server.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace distributo::coordinator::api {

struct ApiOptions {
    std::uint16_t host_port = 0;  ///< where hosts connect; told to those who err; 0: unknown
    std::filesystem::path backup_folder{};  ///< absolute; made when it is needed; empty: none
    const base::Clock* clock = nullptr;     ///< null: the machine's; only its wall time is used
    /// Null: their routes answer 503. Must outlive the handler and what it asked of them.
    extensions::Extensions* extensions = nullptr;
};

/// What the HTTP port serves: tasks in, results out, and views of everything between.
/// docs/openapi.yaml is the contract; coordinator/api/routes.cpp is its table of contents.
///
/// The engine must outlive the handler. Answers that are still being waited for when the handler
/// goes are given by the engine without it, or dropped with the engine.
[[nodiscard]] std::unique_ptr<net::HttpHandler> make_api(engine::Engine& engine,
                                                         ApiOptions options);

}  // namespace distributo::coordinator::api
