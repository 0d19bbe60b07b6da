#include "discovery/responder.hpp"

#include <algorithm>

namespace distributo::discovery {

using base::TimePoint;
using dns::Message;
using dns::Name;
using dns::Record;
using dns::same_name;
using dns::Type;
using std::chrono::milliseconds;

namespace {

// Times of RFC 6762 §6 and §8, lives of §10.
constexpr auto probe_interval = milliseconds(250);
constexpr unsigned probe_count = 3;
constexpr auto announce_interval = milliseconds(1000);
constexpr unsigned announce_count = 2;
constexpr auto lost_tie_pause = milliseconds(1000);
constexpr unsigned conflicts_before_pause = 15;
constexpr auto conflict_pause = milliseconds(5000);
constexpr auto shared_delay_min = 20;
constexpr auto shared_delay_max = 120;
constexpr auto truncated_delay = milliseconds(450);
constexpr auto multicast_spacing = milliseconds(1000);
constexpr std::uint32_t other_ttl = 4500;
constexpr std::uint32_t legacy_ttl = 10;
constexpr std::size_t max_pending = 256;  // queries that wait at once; more is an attack

/// What probes are compared by, in the order of RFC 6762 §8.2.
std::vector<std::pair<std::uint16_t, std::string>> tie_break_key(
    const std::vector<Record>& records) {
    std::vector<std::pair<std::uint16_t, std::string>> key;
    for (const Record& record : records)
        key.emplace_back(static_cast<std::uint16_t>(record.type), encode_data(record));
    std::sort(key.begin(), key.end());
    return key;
}

void add_once(std::vector<Record>& records, const Record& record) {
    const bool known = std::any_of(records.begin(), records.end(), [&](const Record& other) {
        return other.same_data(record);
    });
    if (!known)
        records.push_back(record);
}

std::string record_key(const Record& record) {
    return dns::joined(record.name) + '/' + std::to_string(static_cast<int>(record.type)) + '/' +
           encode_data(record);
}

}  // namespace

Responder::Responder(Announcement announcement, std::uint32_t random_seed)
    : announcement_(std::move(announcement)),
      base_instance_(announcement_.instance),
      base_host_(announcement_.host),
      random_(random_seed) {}

Name Responder::type_name() const {
    Name name = dns::split_name(announcement_.type);
    name.emplace_back("local");
    return name;
}

Name Responder::instance_name() const {
    Name name = type_name();
    name.insert(name.begin(), announcement_.instance);
    return name;
}

Name Responder::host_name() const {
    return {announcement_.host, "local"};
}

Record Responder::ptr() const {
    Record record;
    record.name = type_name();
    record.type = Type::ptr;
    record.ttl = other_ttl;
    record.target = instance_name();
    return record;
}

Record Responder::srv() const {
    Record record;
    record.name = instance_name();
    record.type = Type::srv;
    record.cache_flush = true;
    record.ttl = announcement_.host_ttl;
    record.target = host_name();
    record.port = announcement_.port;
    return record;
}

Record Responder::txt() const {
    Record record;
    record.name = instance_name();
    record.type = Type::txt;
    record.cache_flush = true;
    record.ttl = other_ttl;
    record.txt = announcement_.txt;
    return record;
}

std::vector<Record> Responder::unique_records(const Link& link) const {
    std::vector<Record> records{srv(), txt()};
    for (const LinkState& state : links_) {
        if (state.link != link)
            continue;
        for (const Address& address : state.addresses) {
            Record record;
            record.name = host_name();
            record.type = address.is_v6 ? Type::aaaa : Type::a;
            record.cache_flush = true;
            record.ttl = announcement_.host_ttl;
            record.address = address;
            records.push_back(std::move(record));
        }
    }
    return records;
}

std::vector<Record> Responder::all_records(const Link& link) const {
    std::vector<Record> records = unique_records(link);
    records.insert(records.begin(), ptr());
    return records;
}

bool Responder::is_ours(const Record& record) const {
    return std::any_of(links_.begin(), links_.end(), [&](const LinkState& state) {
        const auto own = unique_records(state.link);
        return std::any_of(
            own.begin(), own.end(), [&](const Record& mine) { return mine.same_data(record); });
    });
}

bool Responder::claims_our_name(const Record& record) const {
    if (record.type == Type::nsec || record.ttl == 0)
        return false;
    return (same_name(record.name, instance_name()) || same_name(record.name, host_name())) &&
           !is_ours(record);
}

void Responder::set_links(std::vector<LinkState> links, TimePoint now) {
    links_ = std::move(links);
    last_multicast_.clear();
    pending_.clear();
    if (state_ == State::stopped)
        return;
    if (links_.empty()) {
        state_ = State::idle;
        due_ = TimePoint::max();
        return;
    }
    std::uniform_int_distribution<int> delay(0, static_cast<int>(probe_interval.count()));
    start_probing(now + milliseconds(delay(random_)));
}

void Responder::start_probing(TimePoint at) {
    state_ = State::probing;
    step_ = 0;
    due_ = at;
}

void Responder::rename(TimePoint now) {
    ++suffix_;
    announcement_.instance = base_instance_ + " (" + std::to_string(suffix_) + ")";
    announcement_.host = base_host_ + "-" + std::to_string(suffix_);
    ++conflicts_;
    start_probing(conflicts_ >= conflicts_before_pause ? now + conflict_pause : now);
}

void Responder::multicast(const Link& link, const Message& message) {
    sends_.push_back({link, encode(message), false, {}});
}

void Responder::send_probes() {
    for (const LinkState& state : links_) {
        Message probe;
        probe.questions = {{instance_name(), Type::any, false}, {host_name(), Type::any, false}};
        probe.authorities = unique_records(state.link);
        for (Record& record : probe.authorities)
            record.cache_flush = false;
        multicast(state.link, probe);
    }
}

void Responder::announce() {
    for (const LinkState& state : links_) {
        Message message;
        message.response = true;
        message.answers = all_records(state.link);
        multicast(state.link, message);
    }
}

void Responder::stop() {
    if (is_announced() && state_ != State::stopped) {
        for (const LinkState& state : links_) {
            Message message;
            message.response = true;
            message.answers = all_records(state.link);
            for (Record& record : message.answers)
                record.ttl = 0;
            multicast(state.link, message);
        }
    }
    state_ = State::stopped;
    due_ = TimePoint::max();
    pending_.clear();
}

void Responder::tick(TimePoint now) {
    send_pending(now);
    if (now < due_)
        return;
    if (state_ == State::probing && step_ < probe_count) {
        send_probes();
        ++step_;
        due_ = now + probe_interval;
    } else if (state_ == State::probing) {
        state_ = State::announcing;
        announce();
        step_ = 1;
        due_ = now + announce_interval;
    } else if (state_ == State::announcing) {
        announce();
        if (++step_ >= announce_count) {
            state_ = State::running;
            due_ = TimePoint::max();
        } else {
            due_ = now + announce_interval;
        }
    }
}

TimePoint Responder::next_tick() const {
    TimePoint next = due_;
    for (const Pending& pending : pending_)
        next = std::min(next, pending.due);
    return next;
}

void Responder::receive(const Link& link,
                        const Source& from,
                        const Message& message,
                        TimePoint now) {
    if (state_ == State::idle || state_ == State::stopped)
        return;
    if (message.response) {
        if (from.port == mdns_port)
            on_response(message, now);
        return;
    }
    if (!message.authorities.empty() && state_ == State::probing)
        on_rival_probe(link, message, now);
    if (is_announced())
        on_query(link, from, message, now);
}

void Responder::on_response(const Message& message, TimePoint now) {
    for (const auto* section : {&message.answers, &message.additionals})
        for (const Record& record : *section)
            if (claims_our_name(record)) {
                // While probing the name is somebody else's; later both sides probe again, and
                // whoever is answered then gives way.
                if (state_ == State::probing)
                    rename(now);
                else
                    start_probing(now);
                return;
            }
}

void Responder::on_rival_probe(const Link& link, const Message& message, TimePoint now) {
    std::vector<Record> theirs;
    for (const Record& record : message.authorities)
        if (same_name(record.name, instance_name()) || same_name(record.name, host_name()))
            theirs.push_back(record);
    const bool foreign = std::any_of(
        theirs.begin(), theirs.end(), [&](const Record& record) { return !is_ours(record); });
    if (!foreign)
        return;
    if (tie_break_key(unique_records(link)) < tie_break_key(theirs))
        start_probing(now + lost_tie_pause);  // if they took the name, that probe gets an answer
}

std::vector<Record> Responder::matching(const Link& link, const dns::Question& question) const {
    std::vector<Record> answers;
    const auto wanted = [&](Type type) {
        return question.type == type || question.type == Type::any;
    };
    if (same_name(question.name, type_name()) && wanted(Type::ptr))
        answers.push_back(ptr());
    if (same_name(question.name, dns::split_name("_services._dns-sd._udp.local")) &&
        wanted(Type::ptr)) {
        Record record = ptr();
        record.name = question.name;
        record.target = type_name();
        answers.push_back(std::move(record));
    }
    const bool our_instance = same_name(question.name, instance_name());
    const bool our_host = same_name(question.name, host_name());
    if (!our_instance && !our_host)
        return answers;
    Record negative;
    negative.name = question.name;
    negative.type = Type::nsec;
    negative.cache_flush = true;
    negative.ttl = announcement_.host_ttl;
    negative.target = question.name;
    for (const Record& record : unique_records(link)) {
        if (!same_name(record.name, question.name))
            continue;
        if (wanted(record.type))
            answers.push_back(record);
        if (std::find(negative.types.begin(), negative.types.end(), record.type) ==
            negative.types.end())
            negative.types.push_back(record.type);
    }
    if (answers.empty())
        answers.push_back(std::move(negative));
    return answers;
}

std::vector<Record> Responder::additionals(const Link& link,
                                           const std::vector<Record>& answers) const {
    std::vector<Record> extra;
    const bool has_ptr = std::any_of(answers.begin(), answers.end(), [&](const Record& record) {
        return record.type == Type::ptr && same_name(record.target, instance_name());
    });
    const bool has_srv = std::any_of(answers.begin(), answers.end(), [](const Record& record) {
        return record.type == Type::srv;
    });
    if (!has_ptr && !has_srv)
        return extra;
    for (const Record& record : unique_records(link)) {
        const bool address = record.type == Type::a || record.type == Type::aaaa;
        const bool answered = std::any_of(answers.begin(), answers.end(), [&](const Record& other) {
            return other.same_data(record);
        });
        if (!answered && (has_ptr || address))
            extra.push_back(record);
    }
    return extra;
}

void Responder::on_query(const Link& link,
                         const Source& from,
                         const Message& message,
                         TimePoint now) {
    suppress_known(from, message.answers);
    if (from.port != mdns_port) {
        answer_legacy(link, from, message);
        return;
    }
    Pending pending{link, from, {}, now};
    bool shared = false;
    for (const dns::Question& question : message.questions)
        for (const Record& record : matching(link, question)) {
            shared = shared || record.type == Type::ptr;
            add_once(pending.answers, record);
        }
    std::erase_if(pending.answers, [&](const Record& record) {
        return std::any_of(
            message.answers.begin(), message.answers.end(), [&](const Record& known) {
                return known.same_data(record) && known.ttl >= record.ttl / 2;
            });
    });
    if (pending.answers.empty() || pending_.size() >= max_pending)
        return;
    // A defence against a probe must not wait; a shared answer waits so that not all hosts speak
    // at once; a truncated query is followed by more known answers.
    std::uniform_int_distribution<int> delay(shared_delay_min, shared_delay_max);
    if (message.truncated)
        pending.due = now + truncated_delay;
    else if (shared && message.authorities.empty())
        pending.due = now + milliseconds(delay(random_));
    if (!message.authorities.empty())
        for (const Record& record : pending.answers)
            last_multicast_.erase({link, record_key(record)});
    pending_.push_back(std::move(pending));
    send_pending(now);
}

void Responder::suppress_known(const Source& from, const std::vector<Record>& known) {
    for (Pending& pending : pending_)
        if (pending.from.address == from.address)
            std::erase_if(pending.answers, [&](const Record& record) {
                return std::any_of(known.begin(), known.end(), [&](const Record& other) {
                    return other.same_data(record) && other.ttl >= record.ttl / 2;
                });
            });
}

bool Responder::limited(const Link& link, const Record& record, TimePoint now) const {
    const auto last = last_multicast_.find({link, record_key(record)});
    return last != last_multicast_.end() && now < last->second + multicast_spacing;
}

void Responder::send_pending(TimePoint now) {
    for (Pending& pending : pending_) {
        if (pending.due > now)
            continue;
        Message message;
        message.response = true;
        for (Record& record : pending.answers)
            if (!limited(pending.link, record, now)) {
                last_multicast_[{pending.link, record_key(record)}] = now;
                message.answers.push_back(std::move(record));
            }
        message.additionals = additionals(pending.link, message.answers);
        if (!message.answers.empty())
            multicast(pending.link, message);
    }
    std::erase_if(pending_, [&](const Pending& pending) { return pending.due <= now; });
}

void Responder::answer_legacy(const Link& link, const Source& from, const Message& message) {
    Message reply;
    reply.response = true;
    reply.id = message.id;
    reply.questions = message.questions;
    for (const dns::Question& question : message.questions)
        for (const Record& record : matching(link, question))
            add_once(reply.answers, record);
    if (reply.answers.empty())
        return;
    reply.additionals = additionals(link, reply.answers);
    for (auto* section : {&reply.answers, &reply.additionals})
        for (Record& record : *section) {
            record.cache_flush = false;
            record.ttl = std::min(record.ttl, legacy_ttl);
        }
    sends_.push_back({link, encode(reply), true, from});
}

std::vector<Send> Responder::take_sends() {
    return std::exchange(sends_, {});
}

}  // namespace distributo::discovery
