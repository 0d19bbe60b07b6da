#include "discovery/resolver.hpp"

#include <algorithm>

namespace distributo::discovery {

using base::TimePoint;
using dns::Message;
using dns::Name;
using dns::Record;
using dns::same_name;
using dns::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// RFC 6762 §5.2: first question after 20–120 ms, then 1 s later, then at tripling intervals.
constexpr int first_delay_min = 20;
constexpr int first_delay_max = 120;
constexpr auto first_interval = seconds(1);
constexpr auto longest_interval = seconds(3600);
constexpr int interval_growth = 3;

constexpr std::uint32_t longest_ttl = 75 * 60;  // seconds; a peer that lies is forgotten in time
constexpr auto goodbye_delay = seconds(1);      // RFC 6762 §10.1
constexpr unsigned refresh_percent[] = {80, 85, 90, 95};
constexpr std::size_t max_cached =
    512;  // records, of about a hundred coordinators; more is an attack

}  // namespace

Resolver::Resolver(const std::string& type, std::uint32_t random_seed)
    : type_name_(dns::split_name(type)), random_(random_seed) {
    type_name_.emplace_back("local");
}

void Resolver::set_links(std::vector<LinkState> links, TimePoint now) {
    links_ = std::move(links);
    std::erase_if(cache_, [&](const Cached& cached) {
        return std::none_of(links_.begin(), links_.end(), [&](const LinkState& state) {
            return state.link == cached.link;
        });
    });
    std::uniform_int_distribution<int> delay(first_delay_min, first_delay_max);
    ask_at_ = now + milliseconds(delay(random_));
    ask_interval_ = first_interval;
    evaluate();
}

bool Resolver::is_relevant(const Record& record) const {
    if (record.type == Type::ptr)
        return same_name(record.name, type_name_) &&
               record.target.size() == type_name_.size() + 1 &&
               same_name(Name(record.target.begin() + 1, record.target.end()), type_name_);
    if (record.type == Type::srv || record.type == Type::txt)
        return record.name.size() == type_name_.size() + 1 &&
               same_name(Name(record.name.begin() + 1, record.name.end()), type_name_);
    return record.type == Type::a || record.type == Type::aaaa;
}

void Resolver::receive(const Link& link,
                       const Source& from,
                       const Message& message,
                       TimePoint now) {
    if (!message.response || from.port != mdns_port)
        return;
    for (const auto* section : {&message.answers, &message.additionals})
        for (const Record& record : *section)
            if (is_relevant(record))
                store(link, record, now);
    drop_foreign_addresses();
    ask_missing();
    evaluate();
}

/// Addresses are of interest only for hosts that a service names.
void Resolver::drop_foreign_addresses() {
    std::vector<Name> hosts;
    for (const Cached& cached : cache_)
        if (cached.record.type == Type::srv)
            hosts.push_back(cached.record.target);
    std::erase_if(cache_, [&](const Cached& cached) {
        const bool address = cached.record.type == Type::a || cached.record.type == Type::aaaa;
        return address && std::none_of(hosts.begin(), hosts.end(), [&](const Name& host) {
                   return same_name(host, cached.record.name);
               });
    });
}

void Resolver::flush_older(const Link& link, const Record& record, TimePoint now) {
    for (Cached& cached : cache_)
        if (cached.link == link && cached.record.type == record.type &&
            same_name(cached.record.name, record.name) && cached.heard + seconds(1) < now)
            cached.expires = std::min(cached.expires, now + goodbye_delay);
}

void Resolver::store(const Link& link, const Record& record, TimePoint now) {
    if (record.cache_flush && record.ttl != 0)
        flush_older(link, record, now);
    const auto known = std::find_if(cache_.begin(), cache_.end(), [&](const Cached& cached) {
        return cached.link == link && cached.record.same_data(record);
    });
    if (record.ttl == 0) {
        if (known != cache_.end())
            known->expires = std::min(known->expires, now + goodbye_delay);
        return;
    }
    const auto life = seconds(std::min(record.ttl, longest_ttl));
    if (known != cache_.end())
        *known = {record, link, now, now + life, 0};
    else if (cache_.size() < max_cached)
        cache_.push_back({record, link, now, now + life, 0});
}

void Resolver::ask_for(const Link& link, const Name& name, Type type) {
    Message query;
    query.questions = {{name, type, false}};
    sends_.push_back({link, encode(query), false, {}});
}

void Resolver::ask(TimePoint now) {
    for (const LinkState& state : links_) {
        Message query;
        query.questions = {{type_name_, Type::ptr, false}};
        for (const Cached& cached : cache_)
            if (cached.record.type == Type::ptr && cached.link == state.link &&
                cached.expires - now > (cached.expires - cached.heard) / 2) {
                Record answer = cached.record;
                answer.ttl = static_cast<std::uint32_t>(
                    std::chrono::duration_cast<seconds>(cached.expires - now).count());
                query.answers.push_back(std::move(answer));
            }
        sends_.push_back({state.link, encode(query), false, {}});
    }
    ask_at_ = now + ask_interval_;
    ask_interval_ = std::min<base::Duration>(ask_interval_ * interval_growth, longest_interval);
}

/// Asks for the parts that a service still lacks; most responders send them all at once.
void Resolver::ask_missing() {
    const auto has = [&](const Link& link, const Name& name, std::initializer_list<Type> types) {
        return std::any_of(cache_.begin(), cache_.end(), [&](const Cached& cached) {
            return cached.link == link && same_name(cached.record.name, name) &&
                   std::find(types.begin(), types.end(), cached.record.type) != types.end();
        });
    };
    for (const Cached& cached : cache_) {
        if (cached.record.type == Type::ptr && !has(cached.link, cached.record.target, {Type::srv}))
            ask_for(cached.link, cached.record.target, Type::any);
        if (cached.record.type == Type::srv &&
            !has(cached.link, cached.record.target, {Type::a, Type::aaaa}))
            ask_for(cached.link, cached.record.target, cached.link.is_v6 ? Type::aaaa : Type::a);
    }
}

TimePoint Resolver::refresh_time(const Cached& cached) {
    if (cached.refreshes >= std::size(refresh_percent))
        return TimePoint::max();
    return cached.heard + (cached.expires - cached.heard) * refresh_percent[cached.refreshes] / 100;
}

void Resolver::refresh(TimePoint now) {
    for (Cached& cached : cache_) {
        if (refresh_time(cached) > now)
            continue;
        while (refresh_time(cached) <= now)
            ++cached.refreshes;
        ask_for(cached.link, cached.record.name, cached.record.type);
    }
}

void Resolver::tick(TimePoint now) {
    std::erase_if(cache_, [&](const Cached& cached) { return cached.expires <= now; });
    if (now >= ask_at_)
        ask(now);
    refresh(now);
    evaluate();
}

TimePoint Resolver::next_tick() const {
    TimePoint next = ask_at_;
    for (const Cached& cached : cache_)
        next = std::min({next, cached.expires, refresh_time(cached)});
    return next;
}

/// Every service whose PTR, SRV and one address are here. IPv4 goes before IPv6, and a global
/// address before a link-local one: what a person would choose.
std::map<std::string, Found> Resolver::complete() const {
    const auto rank = [](const Address& address) {
        return address.is_link_local_v6() ? 2 : address.is_v6 ? 1 : 0;
    };
    std::map<std::string, Found> services;
    for (const Cached& ptr : cache_) {
        if (ptr.record.type != Type::ptr)
            continue;
        for (const Cached& srv : cache_) {
            if (srv.record.type != Type::srv || !same_name(srv.record.name, ptr.record.target))
                continue;
            for (const Cached& at : cache_) {
                const bool address = at.record.type == Type::a || at.record.type == Type::aaaa;
                if (!address || !same_name(at.record.name, srv.record.target))
                    continue;
                Found found{ptr.record.target.front(),
                            at.record.address,
                            at.record.address.is_link_local_v6() ? at.link.name : std::string(),
                            srv.record.port,
                            {}};
                const auto before = services.find(found.instance);
                if (before == services.end() || rank(found.address) < rank(before->second.address))
                    services[found.instance] = std::move(found);
            }
        }
    }
    for (auto& [instance, found] : services)
        for (const Cached& txt : cache_)
            if (txt.record.type == Type::txt && txt.record.name.front() == instance)
                found.txt = txt.record.txt;
    return services;
}

void Resolver::evaluate() {
    auto now_known = complete();
    for (const auto& [instance, found] : now_known) {
        const auto before = known_.find(instance);
        if (before == known_.end() || !(before->second == found))
            changes_.found.push_back(found);
    }
    for (const auto& [instance, found] : known_)
        if (!now_known.contains(instance))
            changes_.lost.push_back(instance);
    known_ = std::move(now_known);
}

std::vector<Send> Resolver::take_sends() {
    return std::exchange(sends_, {});
}

Resolver::Changes Resolver::take_changes() {
    return std::exchange(changes_, {});
}

}  // namespace distributo::discovery
