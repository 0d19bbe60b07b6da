#include "base/clock.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "coordinator/announcement.hpp"
#include "coordinator/api/api.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/extensions/make_extensions.hpp"
#include "coordinator/machine.hpp"
#include "coordinator/options.hpp"
#include "coordinator/ports_file.hpp"
#include "coordinator/sessions/host_port.hpp"
#include "coordinator/shutdown.hpp"
#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "coordinator/store/store.hpp"
#include "net/http_server.hpp"
#include "runtime/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

namespace {

using namespace distributo::coordinator;
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace base = distributo::base;
namespace net = distributo::net;

int fail(const base::Error& error, int code = base::exit_code::internal) {
    base::print_error(error);
    return code;
}

core::Settings settings_of(const Options& options) {
    core::Settings settings;
    settings.max_tasks = options.max_tasks;
    settings.max_payload_bytes = options.max_queued_bytes;
    return settings;
}

std::unique_ptr<store::Store> make_store(const Options& options, store::Post post) {
    if (options.memory)
        return store::make_memory_store(std::move(post));
    return store::make_sqlite_store(
        {.directory = options.data_dir, .spacing = options.commit_spacing}, std::move(post));
}

extensions::ExtensionsOptions extensions_of(const Options& options) {
    const auto data = fs::absolute(options.data_dir);
    extensions::ExtensionsOptions made;
    made.folders = options.plugin_dirs;
    made.cache = data / "plugins";
    made.data = data / "extensions";
    made.runner_program = distributo::runtime::default_runner_program();
    made.directory = fs::current_path();
    made.declarations = options.declarations;
    return made;
}

/// The engine did not start: its store did not open.
int exit_code_of(base::Errc error) {
    return error == base::Errc::conflict ? base::exit_code::in_use : base::exit_code::storage;
}

int run(const Options& options) {
    base::log::configure(options.log);
    raise_file_limit();
    auto ports_file = PortsFile::in(options.data_dir);
    if (!ports_file)
        return fail(ports_file.error());
    if (options.memory)
        base::log::info("store.memory", {{"note", "tasks are gone when this process ends"}});

    // One thread owns all state: sockets, core and timers.
    asio::io_context io(1);
    const base::SystemClock clock;
    engine::Engine engine(io, clock, settings_of(options), make_store(options, [&](auto callback) {
                              asio::post(io, std::move(callback));
                          }));
    if (auto started = engine.start(); !started)
        return fail(started.error(), exit_code_of(started.error().code));
    engine.keep(options.retention);
    const auto extensions = extensions::make_extensions(io, clock, engine, extensions_of(options));
    if (auto started = extensions->start(); !started)
        return fail(started.error());

    // Both ports are open before either is served, so that each can name the other.
    const auto names = reachable_names(options.address);
    const auto hosts = sessions::make_host_listener(engine, {});
    auto host_server = net::HttpServer::listen(
        io,
        {.address = options.address, .port = options.host_port, .host_names = names, .limits = {}},
        *hosts);
    if (!host_server)
        return fail(host_server.error());
    const auto port = (*host_server)->port();
    const auto api = api::make_api(engine,
                                   {.host_port = port,
                                    .backup_folder = fs::absolute(options.data_dir) / "backups",
                                    .clock = &clock,
                                    .extensions = extensions.get()});
    auto http_server = net::HttpServer::listen(
        io,
        {.address = options.address, .port = options.http_port, .host_names = names, .limits = {}},
        *api);
    if (!http_server)
        return fail(http_server.error());
    const auto http_port = (*http_server)->port();
    hosts->set_http_port(http_port);

    // Beyond this point others learn of us.
    if (auto written = ports_file->write(port, http_port); !written)
        return fail(written.error());
    Shutdown shutdown(io,
                      **host_server,
                      **http_server,
                      *hosts,
                      *extensions,
                      announce(io, options, engine.coordinator_id(), port, http_port));
    if (!options.is_local())
        base::log::warn("open_to_network",
                        {{"listen", options.address},
                         {"note", "whoever can reach it can submit tasks and offer hosts"}});
    base::log::info("ready",
                    {{"version", base::version},
                     {"listen", options.address},
                     {"http", http_port},
                     {"hosts", port},
                     {"id", engine.coordinator_id()}});
    int code = base::exit_code::ok;
    engine.on_store_failed([&](const base::Error&) {
        code = base::exit_code::storage;
        shutdown.begin();
    });
    io.run();
    return code;
}

}  // namespace

int main(int argc, char** argv) try {
    base::Config config(
        "coordinator", "Hands tasks to hosts that have the plugins for them", option_list());
    bool proceed = true;
    if (auto loaded = config.load(argc, argv, proceed); !loaded)
        return fail(loaded.error(), base::exit_code::usage);
    if (!proceed)
        return base::exit_code::ok;
    const auto options = read_options(config);
    if (!options)
        return fail(options.error(), base::exit_code::usage);
    return run(*options);
} catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return distributo::base::exit_code::internal;
}
