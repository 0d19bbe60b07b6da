#include "coordinator/announcement.hpp"

#include "base/log.hpp"
#include "coordinator/machine.hpp"
#include "wire/messages.hpp"

#include <utility>

namespace distributo::coordinator {

std::unique_ptr<discovery::Advertiser> announce(boost::asio::io_context& io,
                                                const Options& options,
                                                const std::string& coordinator_id,
                                                std::uint16_t port,
                                                std::uint16_t http_port) {
    if (options.service_type.empty())
        return nullptr;
    discovery::Service service;
    service.type = options.service_type;
    service.instance = "Distributo on " + machine_name();
    service.address = options.address;
    service.port = port;
    service.txt = {{"txtvers", "1"},
                   {"v", std::to_string(wire::protocol_version)},
                   {"id", coordinator_id},
                   {"http", std::to_string(http_port)},
                   {"tls", "0"}};
    auto advertiser = discovery::advertise(io, service);
    if (advertiser)
        return std::move(*advertiser);
    base::log::warn("discovery.off", {{"error", advertiser.error().message}});
    return nullptr;
}

}  // namespace distributo::coordinator
