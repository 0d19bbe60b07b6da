#pragma once

#include "discovery/dns.hpp"
#include "discovery/engine_types.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

namespace distributo::discovery {

/// What is announced. `type` is "_distributo._tcp"; addresses come with the links.
struct Announcement {
    std::string type;
    std::string instance;  ///< one label; renamed "… (2)" when somebody has it already
    std::string host;      ///< one label, of our own: never the operating system's host name
    std::uint16_t port = 0;
    std::vector<std::string> txt;  ///< "key=value"
    std::uint32_t host_ttl = 120;  ///< seconds until a silent end is noticed; RFC 6762 §10
};

/// The announcing half of multicast DNS (RFC 6762) as a state machine without socket or clock:
///
///     probing ──3 probes, nobody objects──> announcing ──twice──> running ──stop──> stopped
///        ^  └─somebody has the name: rename─┘                        │
///        └───────────── somebody claims the name, or links changed ──┘
///
/// One state for all links, so that the name is the same everywhere. Not thread-safe.
class Responder {
public:
    Responder(Announcement announcement, std::uint32_t random_seed);

    /// The links there are now; a change starts probing again.
    void set_links(std::vector<LinkState> links, base::TimePoint now);
    void receive(const Link& link,
                 const Source& from,
                 const dns::Message& message,
                 base::TimePoint now);
    void tick(base::TimePoint now);
    [[nodiscard]] base::TimePoint next_tick() const;
    /// Says goodbye; nothing is answered any more.
    void stop();

    /// What has to be sent since the last call.
    [[nodiscard]] std::vector<Send> take_sends();
    /// The name in use, after conflicts; final for now when `is_announced`.
    [[nodiscard]] const std::string& instance() const noexcept { return announcement_.instance; }
    [[nodiscard]] bool is_announced() const noexcept { return state_ >= State::announcing; }

private:
    enum class State { idle, probing, announcing, running, stopped };

    /// An answer that waits for its random delay.
    struct Pending {
        Link link;
        Source from;
        std::vector<dns::Record> answers;
        base::TimePoint due;
    };

    void start_probing(base::TimePoint at);
    void rename(base::TimePoint now);
    void send_probes();
    void announce();
    void multicast(const Link& link, const dns::Message& message);

    void on_query(const Link& link,
                  const Source& from,
                  const dns::Message& message,
                  base::TimePoint now);
    void on_response(const dns::Message& message, base::TimePoint now);
    void on_rival_probe(const Link& link, const dns::Message& message, base::TimePoint now);
    void answer_legacy(const Link& link, const Source& from, const dns::Message& message);
    void suppress_known(const Source& from, const std::vector<dns::Record>& known);
    void send_pending(base::TimePoint now);
    [[nodiscard]] bool limited(const Link& link,
                               const dns::Record& record,
                               base::TimePoint now) const;

    [[nodiscard]] std::vector<dns::Record> matching(const Link& link,
                                                    const dns::Question& question) const;
    [[nodiscard]] std::vector<dns::Record> additionals(
        const Link& link, const std::vector<dns::Record>& answers) const;
    [[nodiscard]] std::vector<dns::Record> unique_records(const Link& link) const;
    [[nodiscard]] std::vector<dns::Record> all_records(const Link& link) const;
    [[nodiscard]] bool is_ours(const dns::Record& record) const;
    [[nodiscard]] bool claims_our_name(const dns::Record& record) const;

    [[nodiscard]] dns::Name type_name() const;
    [[nodiscard]] dns::Name instance_name() const;
    [[nodiscard]] dns::Name host_name() const;
    [[nodiscard]] dns::Record ptr() const;
    [[nodiscard]] dns::Record srv() const;
    [[nodiscard]] dns::Record txt() const;

    Announcement announcement_;
    std::string base_instance_, base_host_;
    unsigned suffix_ = 1;
    unsigned conflicts_ = 0;
    std::mt19937 random_;
    State state_ = State::idle;
    unsigned step_ = 0;  // probes or announcements sent
    base::TimePoint due_ = base::TimePoint::max();
    std::vector<LinkState> links_;
    std::vector<Pending> pending_;
    std::map<std::pair<Link, std::string>, base::TimePoint> last_multicast_;
    std::vector<Send> sends_;
};

}  // namespace distributo::discovery
