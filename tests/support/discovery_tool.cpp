// Announces or browses on the real network, for tests that look at it from another machine.
//
//   discovery_tool advertise TYPE INSTANCE PORT [ADDRESS [LIFE_SECONDS]]
//   discovery_tool browse TYPE
//
// Prints one line per event: "found INSTANCE ADDRESS PORT key=value …" or "lost INSTANCE".
// Ends cleanly on SIGTERM.
#include "discovery/discovery.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace distributo;

namespace {

int advertise(boost::asio::io_context& io, int argc, char** argv) {
    discovery::Service service{.type = argv[2],
                               .instance = argv[3],
                               .address = argc > 5 ? argv[5] : "",
                               .port = static_cast<std::uint16_t>(std::atoi(argv[4])),
                               .txt = {{"v", "1"}, {"http", "5000"}}};
    if (argc > 6)
        service.life = static_cast<std::uint32_t>(std::atoi(argv[6]));
    auto advertiser = discovery::advertise(io, service);
    if (!advertiser) {
        std::fprintf(stderr, "%s\n", advertiser.error().message.c_str());
        return 1;
    }
    boost::asio::signal_set signals(io, SIGTERM);
    signals.async_wait([&](auto, int) { (*advertiser)->stop([&io] { io.stop(); }); });
    io.run();
    return 0;
}

int browse(boost::asio::io_context& io, char** argv) {
    auto browser = discovery::browse(io,
                                     argv[2],
                                     {.on_found =
                                          [](const discovery::Service& service) {
                                              std::printf("found %s %s %u",
                                                          service.instance.c_str(),
                                                          service.address.c_str(),
                                                          unsigned{service.port});
                                              for (const auto& [key, value] : service.txt)
                                                  std::printf(" %s=%s", key.c_str(), value.c_str());
                                              std::printf("\n");
                                              std::fflush(stdout);
                                          },
                                      .on_lost =
                                          [](const std::string& instance) {
                                              std::printf("lost %s\n", instance.c_str());
                                              std::fflush(stdout);
                                          }});
    if (!browser) {
        std::fprintf(stderr, "%s\n", browser.error().message.c_str());
        return 1;
    }
    boost::asio::signal_set signals(io, SIGTERM);
    signals.async_wait([&io](auto, int) { io.stop(); });
    io.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    boost::asio::io_context io;
    if (argc >= 5 && std::strcmp(argv[1], "advertise") == 0)
        return advertise(io, argc, argv);
    if (argc == 3 && std::strcmp(argv[1], "browse") == 0)
        return browse(io, argv);
    std::fprintf(stderr, "usage: discovery_tool advertise|browse …\n");
    return 2;
}
