#pragma once

#include "discovery/dns.hpp"
#include "discovery/engine_types.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

namespace distributo::discovery {

/// A service whose name, port and address are all known.
struct Found {
    std::string instance;
    Address address;
    std::string zone;  ///< interface of a link-local address
    std::uint16_t port = 0;
    std::vector<std::string> txt;

    friend bool operator==(const Found&, const Found&) = default;
};

/// The browsing half of multicast DNS as a state machine without socket or clock: asks at growing
/// intervals, keeps what it hears as long as it lives, asks again before it expires, and tells
/// when a service of its one type has become complete, has changed or is gone. Not thread-safe.
class Resolver {
public:
    /// `type` is "_distributo._tcp".
    Resolver(const std::string& type, std::uint32_t random_seed);

    void set_links(std::vector<LinkState> links, base::TimePoint now);
    void receive(const Link& link,
                 const Source& from,
                 const dns::Message& message,
                 base::TimePoint now);
    void tick(base::TimePoint now);
    [[nodiscard]] base::TimePoint next_tick() const;

    [[nodiscard]] std::vector<Send> take_sends();

    struct Changes {
        std::vector<Found> found;       ///< new, or changed in port, address or text
        std::vector<std::string> lost;  ///< instances
    };
    [[nodiscard]] Changes take_changes();

private:
    struct Cached {
        dns::Record record;
        Link link;
        base::TimePoint heard;
        base::TimePoint expires;
        unsigned refreshes = 0;  // questions already asked near the end of its life
    };

    void store(const Link& link, const dns::Record& record, base::TimePoint now);
    void drop_foreign_addresses();
    void flush_older(const Link& link, const dns::Record& record, base::TimePoint now);
    [[nodiscard]] bool is_relevant(const dns::Record& record) const;
    void ask(base::TimePoint now);
    void ask_missing();
    void ask_for(const Link& link, const dns::Name& name, dns::Type type);
    void refresh(base::TimePoint now);
    void evaluate();
    [[nodiscard]] std::map<std::string, Found> complete() const;
    [[nodiscard]] static base::TimePoint refresh_time(const Cached& cached);

    dns::Name type_name_;
    std::mt19937 random_;
    std::vector<LinkState> links_;
    std::vector<Cached> cache_;
    base::TimePoint ask_at_ = base::TimePoint::max();
    base::Duration ask_interval_{};
    std::map<std::string, Found> known_;
    std::vector<Send> sends_;
    Changes changes_;
};

}  // namespace distributo::discovery
