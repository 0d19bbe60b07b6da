#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/listing.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace distributo::coordinator::cli {

using base::Errc;
namespace fs = std::filesystem;

namespace {

/// Moves a file, also to another file system; nothing half-written stays under the new name.
base::Result<void> move_file(const fs::path& from, const fs::path& to) {
    std::error_code failed;
    fs::rename(from, to, failed);
    if (!failed)
        return {};
    const auto fresh = fs::path(to).concat(".new");
    fs::copy_file(from, fresh, fs::copy_options::overwrite_existing, failed);
    if (!failed)
        fs::rename(fresh, to, failed);
    std::error_code ignored;
    fs::remove(failed ? fresh : from, ignored);
    if (failed)
        return base::error(Errc::io,
                           "cannot write " + to.string() + ": " + failed.message(),
                           "the backup lies in " + from.string());
    return {};
}

}  // namespace

CommandResult admin_backup(const Context& context, const BackupOptions& options) {
    std::error_code ignored;
    if (!options.force && fs::exists(options.file, ignored))
        return base::error(
            Errc::conflict, options.file + " exists", "overwrite it with --force, or name another");
    auto client = connect(context);
    if (!client)
        return client.error();
    auto body = client->post("/v1/backups");
    if (!body)
        return body.error();
    auto made = parse_document(*body);
    if (!made)
        return made.error();
    const std::string written = text_of(*made, "file");
    const std::string bytes = text_of(*made, "bytes");
    // Only on the coordinator's own machine the file is there.
    const auto size = fs::file_size(written, ignored);
    const bool here = !ignored && std::to_string(size) == bytes;
    if (here)
        if (auto moved = move_file(written, options.file); !moved)
            return moved.error();
    const std::string file = here ? options.file : written;
    if (context.mode == OutputMode::json) {
        print(boost::json::serialize(
            boost::json::value{{"file", file}, {"bytes", made->at("bytes")}, {"here", here}}));
        return base::exit_code::ok;
    }
    print(context.mode == OutputMode::quiet ? file : file + "  " + bytes + " bytes");
    if (here)
        return base::exit_code::ok;
    base::print_error({Errc::unavailable,
                       "the backup lies on the coordinator's machine, not in " + options.file,
                       "copy " + written + " from " + client->server().host});
    return base::exit_code::unreachable;
}

}  // namespace distributo::coordinator::cli
