#include "wire/codec.hpp"
#include "wire/codec_input.hpp"
#include "wire/codec_items.hpp"
#include "wire/codec_names.hpp"
#include "wire/limits.hpp"

#include <limits>

namespace distributo::wire {
namespace {

using base::Result;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

bool read_claims(Input& in, std::string_view name, std::vector<Claim>& out) {
    return in.list(name, unlimited, [&] {
        Claim& claim = out.emplace_back();
        return in.claim(claim.token, claim.lease);
    });
}

template <typename Item>
bool read_items(Input& in, std::string_view name, std::size_t limit, std::vector<Item>& out) {
    return in.list(name, limit, [&] { return read(in, out.emplace_back()); });
}

bool read_labels(Input& in, Labels& out) {
    if (!in.reader().begin_object())
        return false;
    std::string_view raw;
    while (in.reader().next_member(raw)) {
        const json::Value quoted{json::Kind::string, {raw.data() - 1, raw.size() + 2}};
        const std::string key = quoted.string().value_or("");
        if (key.empty() || key.size() > limits::label_length || out.size() == limits::label_count)
            return in.refuse(base::Errc::limit,
                             "expected at most 64 names of 1 to 128 bytes with their values");
        std::string value;
        if (!in.text(value, unlimited))
            return false;
        if (value.size() > limits::label_length)
            return in.refuse(base::Errc::limit, key + ": longer than 128 bytes");
        if (!out.emplace(key, std::move(value)).second)
            return in.refuse(base::Errc::invalid_argument, key + ": stands twice");
    }
    return !in.failed();
}

bool read_protocol_range(Input& in, Hello& message) {
    auto& reader = in.reader();
    if (!reader.begin_array() || !reader.next_element() || !in.number(message.protocol_min, 1) ||
        !reader.next_element() || !in.number(message.protocol_max, message.protocol_min))
        return in.failed() ? false
                           : in.refuse(base::Errc::invalid_argument, "expected [lowest, highest]");
    if (reader.next_element())
        return in.refuse(base::Errc::invalid_argument, "expected [lowest, highest]");
    return !in.failed();
}

// Messages. Each reads the whole object, "op" included.

/// The end of a message: nothing may follow it.
Result<void> finish(Input& in, bool complete) {
    if (!complete)
        return in.error();
    if (!in.reader().at_end())
        return base::error(base::Errc::invalid_argument,
                           "expected nothing behind the message at offset " +
                               std::to_string(in.reader().offset()));
    return {};
}

Result<void> read_message(Input& in, Hello& message) {
    Object object(in, names::hello);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.skip();
                break;
            case 1:
                good = read_protocol_range(in, message);
                break;
            case 2:
                good = in.name(message.host_id, limits::id_length);
                break;
            case 3:
                good = in.name(message.boot_id, limits::id_length);
                break;
            case 4:
                good = in.name(message.name, limits::id_length);
                break;
            case 5:
                good = in.text(message.version, limits::id_length);
                break;
            case 6:
                good = in.number(message.slots, 1, 65535);
                break;
            case 7:
                good = read_labels(in, message.labels);
                break;
            case 8:
                good = in.text(message.coordinator_id, limits::id_length);
                break;
            case 9:
                good = read_claims(in, "running", message.running);
                break;
            default:
                good = read_claims(in, "finished", message.finished);
                break;
        }
    }
    return finish(in, object.complete({1, 2, 3, 4, 6}));
}

Result<void> read_message(Input& in, Capabilities& message) {
    Object object(in, names::capabilities);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.skip();
                break;
            case 1:
                good = in.number(message.sequence);
                break;
            case 2:
                good = read_items(in, "types", limits::type_count, message.types);
                break;
            default:
                good = read_items(in, "refused", limits::type_count, message.refused);
                break;
        }
    }
    return finish(in, object.complete({1, 2}));
}

Result<void> read_message(Input& in, Health& message) {
    Object object(in, names::health);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.skip();
                break;
            case 1:
                good = in.text(message.trouble, limits::error_length);
                break;
            default:
                good = read_items(in, "plugins", limits::health_count, message.plugins);
                break;
        }
    }
    return finish(in, object.complete({2}));
}

Result<void> read_message(Input& in, Welcome& message) {
    Object object(in, names::welcome);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.skip();
                break;
            case 1:
                good = in.number(message.protocol, 1);
                break;
            case 2:
                good = in.number(message.term);
                break;
            case 3:
                good = in.text(message.coordinator_id, limits::id_length);
                break;
            case 4:
                good = in.milliseconds(message.lease_ms);
                break;
            case 5:
                good = in.milliseconds(message.heartbeat_ms);
                break;
            case 6:
                good = in.milliseconds(message.reconnect_window_ms);
                break;
            case 7:
                good = in.flag(message.durable);
                break;
            default:
                good = read_items(in, "verdicts", unlimited, message.verdicts);
                break;
        }
    }
    return finish(in, object.complete({1, 2, 4, 5}));
}

/// A message with nothing but its name.
Result<void> read_empty(Input& in) {
    constexpr std::array<std::string_view, 1> members{"op"};
    Object object(in, members);
    while (object.next() >= 0)
        in.skip();
    return finish(in, object.complete({}));
}

/// A message with one optional or required text beside its name.
Result<void> read_text(Input& in,
                       const std::array<std::string_view, 2>& members,
                       bool required,
                       std::string_view& out) {
    Object object(in, members);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;)
        good = member == 0 ? in.skip() : in.text(out, limits::error_length);
    return finish(in, required ? object.complete({1}) : object.complete({}));
}

Result<void> read_message(Input& in, base::Error& error) {
    Object object(in, names::error);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.skip();
                break;
            case 1:
                good = in.choice(error.code, names::error_code);
                break;
            case 2:
                good = in.text(error.message, limits::error_length);
                break;
            default:
                good = in.text(error.hint, limits::error_length);
                break;
        }
    }
    return finish(in, object.complete({2}));
}

/// A message with one list; every item is handed out as soon as it is read.
template <typename Item, typename Deliver>
Result<void> read_list(Input& in, std::string_view list, std::size_t limit, Deliver deliver) {
    const std::array<std::string_view, 2> members{"op", list};
    Object object(in, members);
    Result<void> delivered;
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        good = member == 0 ? in.skip() : in.list(list, limit, [&] {
            Item item;
            if (!read(in, item))
                return false;
            delivered = deliver(item);
            return delivered.has_value();
        });
    }
    if (!delivered)
        return delivered;
    return finish(in, object.complete({1}));
}

Result<void> read_ack(Input& in, FromCoordinator& receiver) {
    constexpr std::array<std::string_view, 3> members{"op", "recorded", "stale"};
    Object object(in, members);
    Result<void> delivered;
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        const auto index = static_cast<std::size_t>(member);
        good = member == 0 ? in.skip() : in.list(members[index], unlimited, [&] {
            AckItem item;
            if (!in.token(item.token))
                return false;
            item.stale = member == 2;
            delivered = receiver.on_ack(item);
            return delivered.has_value();
        });
    }
    if (!delivered)
        return delivered;
    return finish(in, object.complete({}));
}

/// The name of the message: its first member, or else wherever it stands.
Result<std::string_view> find_op(std::string_view message) {
    if (message.size() > limits::max_message)
        return base::error(
            base::Errc::limit,
            "message: longer than " + std::to_string(limits::max_message) + " bytes");
    json::Reader reader(message);
    reader.begin_object();
    std::string_view key;
    json::Value value;
    while (reader.next_member(key) && reader.value(value)) {
        if (key != "op")
            continue;
        if (const auto op = value.plain_string())
            return *op;
        return base::error(base::Errc::invalid_argument, "message.op: expected a plain string");
    }
    if (!reader.failed())
        return base::error(base::Errc::invalid_argument, "message.op: is missing");
    base::Error error = reader.error();
    error.message = "message: " + error.message;
    return error;
}

/// What both directions share: messages that one side does not know, or ends with.
template <typename Receiver>
Result<void> decode_common(Input& in, std::string_view op, Receiver& receiver) {
    if (op == "unsupported") {
        std::string_view unknown;
        auto read = read_text(in, names::unsupported, true, unknown);
        return read ? receiver.on_unsupported(unknown) : read;
    }
    if (op == "error") {
        base::Error error;
        auto read = read_message(in, error);
        return read ? receiver.on_error(error) : read;
    }
    auto read = read_empty(in);
    return read ? receiver.on_unknown(op) : read;
}

}  // namespace

Result<void> decode(std::string_view message, FromHost& receiver) {
    const auto found = find_op(message);
    if (!found)
        return found.error();
    const std::string_view op = *found;
    Input in(message);
    in.set_op(op);
    if (op == "result")
        return read_list<ResultItem>(in, "results", limits::batch_entries, [&](const auto& item) {
            return receiver.on_result(item);
        });
    if (op == "phase")
        return read_list<PhaseItem>(
            in, "tasks", unlimited, [&](const auto& item) { return receiver.on_phase(item); });
    if (op == "progress")
        return read_list<ProgressItem>(
            in, "tasks", unlimited, [&](const auto& item) { return receiver.on_progress(item); });
    if (op == "log")
        return read_list<LogItem>(
            in, "tasks", unlimited, [&](const auto& item) { return receiver.on_log(item); });
    if (op == "credit")
        return read_list<Credit>(in, "types", limits::type_count, [&](const auto& item) {
            return receiver.on_credit(item);
        });
    if (op == "hello") {
        Hello hello;
        auto read = read_message(in, hello);
        return read ? receiver.on_hello(std::move(hello)) : read;
    }
    if (op == "capabilities") {
        Capabilities capabilities;
        auto read = read_message(in, capabilities);
        return read ? receiver.on_capabilities(std::move(capabilities)) : read;
    }
    if (op == "health") {
        Health health;
        auto read = read_message(in, health);
        return read ? receiver.on_health(std::move(health)) : read;
    }
    if (op == "bye") {
        std::string_view reason;
        auto read = read_text(in, names::bye, false, reason);
        return read ? receiver.on_bye(reason) : read;
    }
    if (op == "heartbeat" || op == "draining") {
        auto read = read_empty(in);
        if (!read)
            return read;
        return op == "heartbeat" ? receiver.on_heartbeat() : receiver.on_draining();
    }
    return decode_common(in, op, receiver);
}

Result<void> decode_results(std::string_view message,
                            const std::function<void(const ResultItem&)>& receiver) {
    const auto found = find_op(message);
    if (!found)
        return found.error();
    if (*found != "result")
        return base::error(base::Errc::invalid_argument, "expected a message of results");
    Input in(message);
    in.set_op(*found);
    return read_list<ResultItem>(
        in, "results", limits::batch_entries, [&](const auto& item) -> Result<void> {
            receiver(item);
            return {};
        });
}

Result<void> decode(std::string_view message, FromCoordinator& receiver) {
    const auto found = find_op(message);
    if (!found)
        return found.error();
    const std::string_view op = *found;
    Input in(message);
    in.set_op(op);
    if (op == "assign")
        return read_list<AssignItem>(in, "tasks", limits::batch_entries, [&](const auto& item) {
            return receiver.on_assign(item);
        });
    if (op == "ack")
        return read_ack(in, receiver);
    if (op == "cancel")
        return read_list<CancelItem>(
            in, "tasks", unlimited, [&](const auto& item) { return receiver.on_cancel(item); });
    if (op == "welcome") {
        Welcome welcome;
        auto read = read_message(in, welcome);
        return read ? receiver.on_welcome(std::move(welcome)) : read;
    }
    if (op == "drain") {
        auto read = read_empty(in);
        return read ? receiver.on_drain() : read;
    }
    return decode_common(in, op, receiver);
}

}  // namespace distributo::wire
