#pragma once

#include "discovery/resolver.hpp"
#include "discovery/responder.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace distributo::discovery {

/// One simulated network with a clock of its own: every datagram reaches every member, its sender
/// included, as real multicast does.
class Lan {
public:
    /// Adds a machine with the address 10.0.0.<number>.
    Responder& publish(std::uint8_t number, const std::string& instance) {
        Announcement announcement{"_distributo._tcp",
                                  instance,
                                  "distributo-" + std::to_string(number),
                                  static_cast<std::uint16_t>(4000 + number),
                                  {"v=1"}};
        auto& member = add(number);
        member.responder = std::make_unique<Responder>(announcement, number);
        member.responder->set_links(links(number), now_);
        return *member.responder;
    }

    Resolver& browse(std::uint8_t number, const std::string& type = "_distributo._tcp") {
        auto& member = add(number);
        member.resolver = std::make_unique<Resolver>(type, number);
        member.resolver->set_links(links(number), now_);
        return *member.resolver;
    }

    /// Takes a machine off the network without a word.
    void unplug(std::uint8_t number) {
        std::erase_if(members_, [&](const auto& member) { return member->number == number; });
    }

    /// Lets time pass, event by event.
    void run_for(base::Duration duration) {
        const auto end = now_ + duration;
        deliver();
        for (;;) {
            base::TimePoint next = end;
            for (const auto& member : members_)
                next = std::min(next, member->next_tick());
            now_ = std::max(now_, next);
            if (next >= end)
                break;
            for (const auto& member : members_)
                member->tick(now_);
            deliver();
        }
    }

    void inject(const dns::Message& message, std::uint8_t from, std::uint16_t port = mdns_port) {
        for (const auto& member : members_)
            member->receive(source(from, port), message, now_);
        deliver();
    }

    [[nodiscard]] base::TimePoint now() const { return now_; }
    std::vector<dns::Message> heard;  ///< every multicast so far
    std::vector<dns::Message> unicasts;

    static Source source(std::uint8_t number, std::uint16_t port = mdns_port) {
        Source from;
        from.address.bytes = {10, 0, 0, number};
        from.port = port;
        return from;
    }

private:
    struct Member {
        std::uint8_t number = 0;
        std::unique_ptr<Responder> responder;
        std::unique_ptr<Resolver> resolver;

        [[nodiscard]] base::TimePoint next_tick() const {
            return std::min(responder ? responder->next_tick() : base::TimePoint::max(),
                            resolver ? resolver->next_tick() : base::TimePoint::max());
        }
        void tick(base::TimePoint now) const {
            if (responder && responder->next_tick() <= now)
                responder->tick(now);
            if (resolver && resolver->next_tick() <= now)
                resolver->tick(now);
        }
        void receive(const Source& from, const dns::Message& message, base::TimePoint now) const {
            if (responder)
                responder->receive(link(), from, message, now);
            if (resolver)
                resolver->receive(link(), from, message, now);
        }
        [[nodiscard]] std::vector<Send> take() const {
            auto sends = responder ? responder->take_sends() : std::vector<Send>();
            if (resolver)
                for (Send& send : resolver->take_sends())
                    sends.push_back(std::move(send));
            return sends;
        }
    };

    static Link link() { return {1, false, "eth0"}; }
    static std::vector<LinkState> links(std::uint8_t number) {
        return {{link(), {source(number).address}}};
    }

    Member& add(std::uint8_t number) {
        members_.push_back(std::make_unique<Member>());
        members_.back()->number = number;
        return *members_.back();
    }

    void deliver() {
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t i = 0; i < members_.size(); ++i)
                for (const Send& send : members_[i]->take()) {
                    moved = true;
                    const auto message = dns::decode(send.datagram);
                    if (send.unicast) {
                        unicasts.push_back(*message);
                        continue;
                    }
                    heard.push_back(*message);
                    const auto from = source(members_[i]->number);
                    for (const auto& member : members_)
                        member->receive(from, *message, now_);
                }
        }
    }

    base::TimePoint now_ = base::TimePoint(std::chrono::hours(1));
    std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace distributo::discovery
