#include "discovery/discovery.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "discovery/links.hpp"
#include "discovery/resolver.hpp"
#include "discovery/responder.hpp"
#include "discovery/transport.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <random>

namespace distributo::discovery {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr std::size_t max_label = 63;  // bytes of one DNS label
constexpr std::size_t host_id_bytes = 4;

/// One state machine with its sockets, its timer and its eye on the interfaces.
template <typename Machine>
class Driver {
public:
    Driver(asio::io_context& io, Machine machine, std::string only)
        : machine_(std::move(machine)),
          only_(std::move(only)),
          timer_(io),
          transport_(io,
                     [this](const Link& link, const Source& from, const dns::Message& message) {
                         machine_.receive(link, from, message, std::chrono::steady_clock::now());
                         carry_out();
                     }),
          watch_(io, [this] {
              if (auto scanned = rescan(); !scanned)
                  base::log::warn("discovery.offline", {{"error", scanned.error().message}});
          }) {}
    virtual ~Driver() = default;
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    base::Result<void> rescan() {
        auto open = transport_.set_links(scan_links(only_));
        if (!open)
            return open.error();
        machine_.set_links(std::move(*open), std::chrono::steady_clock::now());
        carry_out();
        return {};
    }

protected:
    /// After every event: send what is to be sent, tell what is to be told, sleep until the next.
    void carry_out() {
        transport_.send(machine_.take_sends());
        on_event();
        const auto next = machine_.next_tick();
        if (next == base::TimePoint::max() || next == armed_)
            return;
        armed_ = next;
        timer_.expires_at(next);
        // A timer that has fired already calls back although it is gone: hence `alive`.
        timer_.async_wait([this, alive = std::weak_ptr(alive_)](auto cancelled) {
            if (cancelled || alive.expired())
                return;
            armed_ = base::TimePoint::max();
            machine_.tick(std::chrono::steady_clock::now());
            carry_out();
        });
    }
    virtual void on_event() {}

    Machine machine_;

private:
    std::string only_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
    asio::steady_timer timer_;
    base::TimePoint armed_ = base::TimePoint::max();
    Transport transport_;
    LinkWatch watch_;
};

class AdvertiserImpl final : public Advertiser, private Driver<Responder> {
public:
    AdvertiserImpl(asio::io_context& io, Responder responder, const std::string& only)
        : Driver(io, std::move(responder), only), io_(io) {}
    ~AdvertiserImpl() override { say_goodbye(); }

    using Driver::rescan;

    void stop(std::function<void()> done) override {
        say_goodbye();
        asio::post(io_, std::move(done));
    }

private:
    void say_goodbye() {
        machine_.stop();
        carry_out();
    }

    void on_event() override {
        if (!machine_.is_announced() || machine_.instance() == logged_)
            return;
        logged_ = machine_.instance();
        base::log::info("discovery.announced", {{"name", logged_}});
    }

    asio::io_context& io_;
    std::string logged_;
};

std::map<std::string, std::string> txt_map(const std::vector<std::string>& entries) {
    std::map<std::string, std::string> map;
    for (const std::string& entry : entries) {
        const auto equals = std::min(entry.find('='), entry.size());
        map.emplace(entry.substr(0, equals),
                    entry.substr(std::min(equals + 1, entry.size())));  // the first of a key counts
    }
    return map;
}

class BrowserImpl final : public Browser, private Driver<Resolver> {
public:
    BrowserImpl(asio::io_context& io, const std::string& type, BrowserEvents events)
        : Driver(io, Resolver(type, std::random_device{}()), {}),
          io_(io),
          type_(type),
          events_(std::make_shared<BrowserEvents>(std::move(events))) {}

    using Driver::rescan;

private:
    // Told by a post, so that a listener may destroy the browser.
    void on_event() override {
        Resolver::Changes changes = machine_.take_changes();
        if (changes.found.empty() && changes.lost.empty())
            return;
        asio::post(io_,
                   [events = std::weak_ptr(events_), changes = std::move(changes), type = type_] {
                       for (const Found& found : changes.found) {
                           const auto alive = events.lock();
                           if (!alive)
                               return;
                           Service service{.type = type,
                                           .instance = found.instance,
                                           .address = found.address.text(),
                                           .port = found.port,
                                           .txt = txt_map(found.txt)};
                           if (!found.zone.empty())
                               service.address += '%' + found.zone;
                           if (alive->on_found)
                               alive->on_found(service);
                       }
                       for (const std::string& instance : changes.lost) {
                           const auto alive = events.lock();
                           if (!alive)
                               return;
                           if (alive->on_lost)
                               alive->on_lost(instance);
                       }
                   });
    }

    asio::io_context& io_;
    std::string type_;
    std::shared_ptr<BrowserEvents> events_;
};

}  // namespace

base::Result<std::string> service_type(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool good = !name.empty() && name.size() <= 15 && name.front() != '-' &&
                      name.back() != '-' && name.find("--") == std::string_view::npos &&
                      std::any_of(name.begin(), name.end(), letter) &&
                      std::all_of(name.begin(), name.end(), [&](char c) {
                          return letter(c) || digit(c) || c == '-';
                      });
    if (!good)
        return base::error(Errc::invalid_argument,
                           "a service type is 1 to 15 letters, digits and single hyphens with at "
                           "least one letter, got \"" +
                               std::string(name) + "\"",
                           "for example: --service-type distributo");
    return "_" + std::string(name) + "._tcp";
}

base::Result<std::unique_ptr<Advertiser>> advertise(asio::io_context& io, const Service& service) {
    Announcement announcement;
    announcement.type = service.type;
    announcement.instance = service.instance.substr(0, max_label - 6);  // room for " (999)"
    announcement.host = "distributo-" + base::random_hex(host_id_bytes);
    announcement.port = service.port;
    announcement.host_ttl = service.life;
    for (const auto& [key, value] : service.txt)
        announcement.txt.push_back(key + "=" + value);
    auto advertiser = std::make_unique<AdvertiserImpl>(
        io, Responder(std::move(announcement), std::random_device{}()), service.address);
    if (auto opened = advertiser->rescan(); !opened)
        return opened.error();
    return std::unique_ptr<Advertiser>(std::move(advertiser));
}

base::Result<std::unique_ptr<Browser>> browse(asio::io_context& io,
                                              const std::string& type,
                                              BrowserEvents events) {
    auto browser = std::make_unique<BrowserImpl>(io, type, std::move(events));
    if (auto opened = browser->rescan(); !opened)
        return opened.error();
    return std::unique_ptr<Browser>(std::move(browser));
}

}  // namespace distributo::discovery
