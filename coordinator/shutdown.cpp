#include "coordinator/shutdown.hpp"

#include "base/config.hpp"
#include "base/log.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace distributo::coordinator {
namespace {

constexpr auto look_every = std::chrono::milliseconds(20);
constexpr int most_looks = 100;

}  // namespace

Shutdown::Shutdown(boost::asio::io_context& io,
                   net::HttpServer& host_server,
                   net::HttpServer& http_server,
                   sessions::HostListener& hosts,
                   extensions::RunningExtensions& extensions,
                   std::unique_ptr<discovery::Advertiser> advertiser)
    : io_(io),
      signals_(io, SIGINT, SIGTERM),
      timer_(io),
      host_server_(host_server),
      http_server_(http_server),
      hosts_(hosts),
      extensions_(extensions),
      advertiser_(std::move(advertiser)),
      said_goodbye_(!advertiser_) {
    await_signal();
}

void Shutdown::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed)
            return;
        if (begun_)
            std::_Exit(base::exit_code::interrupted);
        begin();
        await_signal();
    });
}

void Shutdown::begin() {
    if (std::exchange(begun_, true))
        return;
    base::log::info("stopping", {{"hosts", hosts_.connections()}});
    host_server_.stop_accepting();
    http_server_.stop_accepting();
    hosts_.go_away();
    extensions_.stop([this] { extensions_closed_ = true; });
    if (advertiser_)
        advertiser_->stop([this] { said_goodbye_ = true; });
    look_later();
}

void Shutdown::look_later() {
    timer_.expires_after(look_every);
    timer_.async_wait([this](const boost::system::error_code& failed) {
        if (failed)
            return;
        const bool done = hosts_.connections() == 0 && said_goodbye_ && extensions_closed_;
        if (!done && ++looks_ < most_looks)
            return look_later();
        base::log::info("stopped");
        io_.stop();
    });
}

}  // namespace distributo::coordinator
