#include "coordinator/cli/commands.hpp"

#include <csignal>
#include <cstdio>

namespace distributo::coordinator::cli {
namespace {

volatile std::sig_atomic_t signalled = 0;

}  // namespace

bool interrupted() noexcept {
    return signalled != 0;
}

void watch_for_interrupt() {
    struct sigaction action {};
    action.sa_handler = [](int signal) {
        // The second one ends the program as if nobody watched.
        signalled = 1;
        std::signal(signal, SIG_DFL);
    };
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaction(signal, &action, nullptr);
}

base::Result<Client> connect(const Context& context) {
    auto server = find_coordinator(context.coordinator);
    if (!server)
        return server.error();
    if (context.verbose)
        std::fprintf(stderr, "coordinator %s:%u\n", server->host.c_str(), unsigned{server->port});
    return Client(*server);
}

}  // namespace distributo::coordinator::cli
