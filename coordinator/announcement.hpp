#pragma once

#include "coordinator/options.hpp"
#include "discovery/discovery.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace distributo::coordinator {

/// Makes the coordinator known on the network as the options say. Null when they say no, or when it
/// cannot be done, with a warning: discovery is a convenience, hosts can be told the address.
[[nodiscard]] std::unique_ptr<discovery::Advertiser> announce(boost::asio::io_context& io,
                                                              const Options& options,
                                                              const std::string& coordinator_id,
                                                              std::uint16_t port,
                                                              std::uint16_t http_port);

}  // namespace distributo::coordinator
