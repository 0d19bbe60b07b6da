#include "wire/codec.hpp"
#include "wire/codec_names.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::wire {
namespace {

using json::append_string;
using json::Writer;

template <typename Number>
void append_number(std::string& out, Number value) {
    char buffer[24];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

/// `text` up to `limit` bytes, not cut inside a character.
std::string_view cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return text;
    while (limit != 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U)
        --limit;
    return text.substr(0, limit);
}

void write_token(Writer& writer, std::string_view name, const Token& token) {
    std::string text;
    append_token(text, token);
    writer.member(name, text);
}

void write_claims(Writer& writer, std::string_view name, const std::vector<Claim>& claims) {
    writer.key(name).begin_array();
    std::string text;
    for (const Claim& claim : claims) {
        text.clear();
        append_token(text, claim.token);
        if (claim.lease.task != 0) {
            text += claim_border;
            append_lease(text, claim.lease);
        }
        writer.string(text);
    }
    writer.end_array();
}

/// Schemas come from plugins: one that is no JSON would make the whole message unreadable.
void write_schema(Writer& writer, std::string_view name, std::string_view schema) {
    if (!schema.empty() && schema.size() <= limits::schema_length && json::parse(schema))
        writer.member_raw(name, schema);
}

void write_text(Writer& writer, std::string_view name, std::string_view text) {
    if (!text.empty())
        writer.member(name, text);
}

std::uint32_t allowed_credit(std::uint32_t credit) {
    return std::clamp(credit, std::uint32_t{1}, limits::max_credit);
}

void write_capability(Writer& writer, const Capability& capability) {
    writer.begin_object()
        .member("type", capability.type)
        .member("plugin", capability.plugin)
        .member("version", capability.version);
    write_text(writer, "digest", capability.digest);
    write_text(writer, "isolation", capability.isolation);
    write_text(writer, "summary", cut(capability.summary, limits::error_length));
    write_schema(writer, "payload_schema", capability.payload_schema);
    write_schema(writer, "result_schema", capability.result_schema);
    writer.member("credit", allowed_credit(capability.credit));
    if (capability.needs_install)
        writer.member("needs_install", true);
    if (!capability.attributes.empty())
        writer.member_raw("attributes", capability.attributes);
    if (!capability.sandbox.empty()) {
        writer.key("sandbox").begin_array();
        for (const auto name : capability.sandbox.names())
            writer.string(name);
        writer.end_array();
    }
    writer.end_object();
}

void write_refused(Writer& writer, const RefusedPlugin& plugin) {
    writer.begin_object()
        .member("file", plugin.file)
        .member("reason", cut(plugin.reason, limits::error_length));
    if (plugin.quarantined) {
        writer.member("quarantined", true).member("retry_ms", plugin.retry_ms);
        write_text(writer, "plugin", plugin.plugin);
        write_text(writer, "version", plugin.version);
        write_text(writer, "digest", plugin.digest);
        writer.key("types").begin_array();
        for (const std::string& type : plugin.types)
            writer.string(type);
        writer.end_array();
    }
    writer.end_object();
}

/// {"op":"<op>","<list>":[ … ]} with one object per item.
template <typename Item, typename WriteMembers>
std::string encode_list(std::string_view op,
                        std::string_view list,
                        std::span<const Item> items,
                        WriteMembers write_members) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("op", op).key(list).begin_array();
    for (const Item& item : items) {
        writer.begin_object();
        write_members(writer, item);
        writer.end_object();
    }
    writer.end_array().end_object();
    return out;
}

constexpr std::string_view head(const AssignItem*) {
    return R"({"op":"assign","tasks":[)";
}
constexpr std::string_view head(const ResultItem*) {
    return R"({"op":"result","results":[)";
}

void append_raw(std::string& out, std::string_view member, std::string_view json) {
    if (json.empty())
        return;
    out += member;
    out += json;
}

void append_text(std::string& out, std::string_view member, std::string_view text) {
    if (text.empty())
        return;
    out += member;
    append_string(out, text);
}

void append_milliseconds(std::string& out, std::string_view member, std::int64_t value) {
    if (value <= 0)
        return;
    out += member;
    append_number(out, value < limits::max_duration_ms ? value : limits::max_duration_ms);
}

void append_item(std::string& out, const AssignItem& item) {
    out += R"({"token":")";
    append_token(out, item.token);
    out += R"(","id":)";
    append_string(out, item.id);
    out += R"(,"type":)";
    append_string(out, item.type);
    out += R"(,"attempt":)";
    append_number(out, item.attempt);
    append_raw(out, R"(,"payload":)", item.payload.empty() ? "null" : item.payload);
    append_raw(out, R"(,"install":)", item.install);
    append_milliseconds(out, R"(,"timeout_ms":)", item.timeout_ms);
    append_milliseconds(out, R"(,"deadline_ms":)", item.deadline_ms);
    if (item.alone)
        out += R"(,"alone":true)";
    append_text(out, R"(,"version":)", item.version);
    if (item.lease.task != 0) {
        out += R"(,"lease":")";
        append_lease(out, item.lease);
        out += '"';
    }
    out += '}';
}

void append_item(std::string& out, const ResultItem& item) {
    out += R"({"token":")";
    append_token(out, item.token);
    out += R"(","status":")";
    out += to_string(item.status);
    out += '"';
    if (item.status == AttemptStatus::ok) {
        append_raw(out, R"(,"result":)", item.result.empty() ? "null" : item.result);
        append_raw(out, R"(,"emitted":)", item.emitted);
    } else {
        out += R"(,"message":)";
        append_string(out, cut(item.message, limits::error_length));
        append_raw(out, R"(,"detail":)", item.detail);
        append_milliseconds(out, R"(,"retry_after_ms":)", item.retry_after_ms);
    }
    out += R"(,"us":[)";
    append_number(out, item.times.wait_us);
    out += ',';
    append_number(out, item.times.setup_us);
    out += ',';
    append_number(out, item.times.install_us);
    out += ',';
    append_number(out, item.times.execute_us);
    out += ']';
    append_text(out, R"(,"version":)", cut(item.version, limits::version_length));
    out += '}';
}

}  // namespace

std::string_view to_string(AttemptStatus status) noexcept {
    return names::status[static_cast<std::size_t>(status)];
}

std::string encode(const Hello& message) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("op", "hello").key("protocol").begin_array();
    writer.number(std::uint64_t{message.protocol_min}).number(std::uint64_t{message.protocol_max});
    writer.end_array()
        .member("host_id", message.host_id)
        .member("boot_id", message.boot_id)
        .member("name", message.name)
        .member("version", message.version)
        .member("slots", message.slots);
    writer.key("labels").begin_object();
    for (const auto& [key, value] : message.labels)
        writer.escaped_key(key).string(value);
    writer.end_object();
    write_text(writer, "coordinator", message.coordinator_id);
    write_claims(writer, "running", message.running);
    write_claims(writer, "finished", message.finished);
    writer.end_object();
    return out;
}

std::string encode(const Capabilities& message) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("op", "capabilities").member("sequence", message.sequence);
    writer.key("types").begin_array();
    for (const Capability& capability : message.types)
        write_capability(writer, capability);
    writer.end_array().key("refused").begin_array();
    for (const RefusedPlugin& plugin : message.refused)
        write_refused(writer, plugin);
    writer.end_array().end_object();
    return out;
}

std::string encode(const Welcome& message) {
    std::string out;
    Writer writer(out);
    writer.begin_object()
        .member("op", "welcome")
        .member("protocol", message.protocol)
        .member("term", message.term)
        .member("coordinator", message.coordinator_id)
        .member("lease_ms", message.lease_ms)
        .member("heartbeat_ms", message.heartbeat_ms)
        .member("reconnect_window_ms", message.reconnect_window_ms)
        .member("durable", message.durable);
    writer.key("verdicts").begin_array();
    for (const auto& [token, verdict] : message.verdicts) {
        writer.begin_object();
        write_token(writer, "token", token);
        writer.member("verdict", names::verdict[static_cast<std::size_t>(verdict)]).end_object();
    }
    writer.end_array().end_object();
    return out;
}

std::string encode_credit(std::span<const Credit> items) {
    return encode_list("credit", "types", items, [](Writer& writer, const Credit& item) {
        writer.member("type", item.type);
        write_text(writer, "version", item.version);
        writer.member("credit", std::min(item.credit, limits::max_credit));
    });
}

std::string encode_phases(std::span<const PhaseItem> items) {
    return encode_list("phase", "tasks", items, [](Writer& writer, const PhaseItem& item) {
        write_token(writer, "token", item.token);
        writer.member("phase", to_string(item.phase));
    });
}

std::string encode_progress(std::span<const ProgressItem> items) {
    return encode_list("progress", "tasks", items, [](Writer& writer, const ProgressItem& item) {
        write_token(writer, "token", item.token);
        if (item.fraction >= 0)
            writer.member("fraction", item.fraction < 1 ? item.fraction : 1.0);
        write_text(writer, "text", cut(item.text, limits::progress_length));
    });
}

std::string encode_log(std::span<const LogItem> items) {
    return encode_list("log", "tasks", items, [](Writer& writer, const LogItem& item) {
        write_token(writer, "token", item.token);
        writer.member("stream", item.stream).member("text", item.text);
    });
}

std::string encode_heartbeat() {
    return R"({"op":"heartbeat"})";
}
std::string encode_draining() {
    return R"({"op":"draining"})";
}
std::string encode_drain() {
    return R"({"op":"drain"})";
}

std::string encode_bye(std::string_view reason) {
    std::string out;
    Writer writer(out);
    writer.begin_object().member("op", "bye");
    write_text(writer, "reason", cut(reason, limits::error_length));
    writer.end_object();
    return out;
}

std::string encode_cancel(std::span<const CancelItem> items) {
    return encode_list("cancel", "tasks", items, [](Writer& writer, const CancelItem& item) {
        write_token(writer, "token", item.token);
        write_text(writer, "reason", cut(item.reason, limits::error_length));
    });
}

std::string encode_ack(std::span<const AckItem> items) {
    std::string out = R"({"op":"ack","recorded":[)";
    const auto append_all = [&](bool stale) {
        bool comma = false;
        for (const AckItem& item : items) {
            if (item.stale != stale)
                continue;
            out += comma ? ",\"" : "\"";
            append_token(out, item.token);
            out += '"';
            comma = true;
        }
    };
    append_all(false);
    out += R"(],"stale":[)";
    append_all(true);
    out += "]}";
    return out;
}

std::string encode_unsupported(std::string_view op) {
    std::string out;
    Writer writer(out);
    writer.begin_object()
        .member("op", "unsupported")
        .member("unknown", cut(op, limits::type_length))
        .end_object();
    return out;
}

std::string encode_error(const base::Error& error) {
    std::string out;
    Writer writer(out);
    writer.begin_object()
        .member("op", "error")
        .member("code", names::error_code[static_cast<std::size_t>(error.code)])
        .member("message", cut(error.message, limits::error_length));
    write_text(writer, "hint", cut(error.hint, limits::error_length));
    writer.end_object();
    return out;
}

template <typename Item>
bool Batch<Item>::full() const noexcept {
    return count_ >= limits::batch_entries || text_.size() >= limits::batch_bytes;
}

template <typename Item>
void Batch<Item>::add(const Item& item) {
    if (count_++ == 0)
        text_ = head(static_cast<const Item*>(nullptr));
    else
        text_ += ',';
    append_item(text_, item);
}

template <typename Item>
std::string Batch<Item>::take() {
    text_ += "]}";
    count_ = 0;
    return std::exchange(text_, {});
}

template class Batch<AssignItem>;
template class Batch<ResultItem>;

}  // namespace distributo::wire
