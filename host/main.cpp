#include "base/config.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "host/agent.hpp"
#include "host/data_dir.hpp"
#include "host/options.hpp"

#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>

namespace {

namespace base = distributo::base;
namespace host = distributo::host;

int fail(const base::Error& error, int code) {
    base::print_error(error);
    return code;
}

int run(const host::Options& options) {
    base::log::configure(options.log);

    // One host per data directory: the lock is held until the process ends.
    auto directory = host::DataDir::open(options.data_dir);
    if (!directory)
        return fail(directory.error(), base::exit_code::refused);

    // One thread owns all state; plugins run in processes or threads of their own.
    boost::asio::io_context io(1);
    const base::SystemClock clock;
    base::log::info("host.started",
                    {{"name", options.name},
                     {"version", base::version},
                     {"slots", options.slots},
                     {"plugins", options.plugin_dirs.front().native()}});

    host::Agent agent(io, clock, options, std::move(*directory));
    if (auto started = agent.start(); !started)
        return fail(started.error(), base::exit_code::unreachable);
    io.run();
    return agent.exit_code();
}

}  // namespace

int main(int argc, char** argv) try {
    base::Config config("host",
                        "Runs tasks of a Distributo coordinator in the plugins of this machine\n"
                        "distributo-host --coordinator http://192.168.1.20:4000",
                        host::option_list());
    bool proceed = true;
    if (auto loaded = config.load(argc, argv, proceed); !loaded)
        return fail(loaded.error(), base::exit_code::usage);
    if (!proceed)
        return base::exit_code::ok;
    const auto options = host::read_options(config);
    if (!options)
        return fail(options.error(), base::exit_code::usage);
    return run(*options);
} catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return distributo::base::exit_code::internal;
}
