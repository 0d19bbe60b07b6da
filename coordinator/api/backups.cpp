#include "base/ids.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/json.hpp"

#include <filesystem>
#include <system_error>

namespace distributo::coordinator::api {
namespace {

namespace fs = std::filesystem;

/// A name that no backup had before: callers name no file of this machine.
std::string new_name(base::WallTime now) {
    constexpr std::size_t random_bytes = 4;
    std::string name = "backup-" + time_text(now) + '-' + base::random_hex(random_bytes) + ".db";
    std::erase(name, ':');
    return name;
}

Checked<> make_folder(const fs::path& folder) {
    std::error_code failed;
    if (fs::create_directories(folder, failed))
        fs::permissions(folder, fs::perms::owner_all, failed);
    if (!failed)
        return {};
    return to_problem(
        base::error(base::Errc::io, "cannot create " + folder.string() + ": " + failed.message()));
}

}  // namespace

void create_backup(Context& context, const Request&, net::Respond respond) {
    if (context.backup_folder.empty() || !context.engine.store_health().durable) {
        respond(to_response({.status = Status::conflict,
                             .code = "not_durable",
                             .detail = "the tasks are in memory only; there is nothing to copy",
                             .hint = "start the coordinator without --memory",
                             .faults = {},
                             .extra = {}}));
        return;
    }
    if (auto made = make_folder(context.backup_folder); !made) {
        respond(to_response(made.error()));
        return;
    }
    const std::string file = (context.backup_folder / new_name(context.clock.wall())).string();
    context.engine.backup(file,
                          [respond = std::move(respond), file](base::Result<std::uint64_t> bytes) {
                              if (!bytes) {
                                  respond(to_response(to_problem(bytes.error())));
                                  return;
                              }
                              std::string body;
                              wire::json::Writer(body)
                                  .begin_object()
                                  .member("file", file)
                                  .member("bytes", *bytes)
                                  .end_object();
                              respond(json_response(std::move(body), 201));
                          });
}

}  // namespace distributo::coordinator::api
