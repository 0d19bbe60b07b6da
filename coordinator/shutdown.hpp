#pragma once

#include "coordinator/extensions/make_extensions.hpp"
#include "coordinator/sessions/host_port.hpp"
#include "discovery/discovery.hpp"
#include "net/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace distributo::coordinator {

/// SIGINT or SIGTERM: nobody new is let in, hosts are told to come back and go on working,
/// generators and sinks are closed, the network hears goodbye, and the io_context stops after two
/// seconds at the latest. A second signal ends the process at once.
class Shutdown {
public:
    Shutdown(boost::asio::io_context& io,
             net::HttpServer& host_server,
             net::HttpServer& http_server,
             sessions::HostListener& hosts,
             extensions::RunningExtensions& extensions,
             std::unique_ptr<discovery::Advertiser> advertiser);

    /// The same as the first signal. Answers that are being sent still go out.
    void begin();

private:
    void await_signal();
    void look_later();

    boost::asio::io_context& io_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    net::HttpServer& host_server_;
    net::HttpServer& http_server_;
    sessions::HostListener& hosts_;
    extensions::RunningExtensions& extensions_;
    std::unique_ptr<discovery::Advertiser> advertiser_;
    bool begun_ = false;
    bool said_goodbye_ = false;
    bool extensions_closed_ = false;
    int looks_ = 0;
};

}  // namespace distributo::coordinator
