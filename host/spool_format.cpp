#include "host/spool_format.hpp"

#include "base/crc32c.hpp"
#include "wire/codec.hpp"

#include <concepts>
#include <cstdint>
#include <optional>

namespace distributo::host {
namespace {

constexpr std::string_view magic = "DTOSPOOL";
constexpr std::uint32_t version = 1;
constexpr std::uint32_t mark = 0xD7'0C'E5'01;
constexpr std::size_t frame_bytes = 12;  // mark, length, checksum

template <std::unsigned_integral Number>
void put(std::string& out, Number number) {
    for (std::size_t at = 0; at < sizeof number; ++at)
        out += static_cast<char>(number >> (8 * at));
}

template <std::unsigned_integral Number>
bool take(std::string_view& in, Number& number) {
    if (in.size() < sizeof number)
        return false;
    number = 0;
    for (std::size_t at = 0; at < sizeof number; ++at)
        number |= static_cast<Number>(Number{static_cast<std::uint8_t>(in[at])} << (8 * at));
    in.remove_prefix(sizeof number);
    return true;
}

std::optional<SpoolRecord> read_body(std::string_view body) {
    SpoolRecord record;
    std::uint32_t length = 0;
    if (!take(body, length) || length > body.size())
        return std::nullopt;
    record.coordinator_id = body.substr(0, length);
    body.remove_prefix(length);
    std::uint32_t count = 0;
    if (!take(body, count) || count > body.size())
        return std::nullopt;
    record.leases.resize(count);
    for (auto& lease : record.leases)
        if (!take(body, lease.task) || !take(body, lease.attempt) || !take(body, lease.proof))
            return std::nullopt;
    record.message = body;
    return record;
}

/// The record that `in` begins with, and its size; none when it does not check out.
std::optional<SpoolRecord> read_record(std::string_view in, std::size_t& size) {
    const auto frame = in;
    std::uint32_t found = 0;
    std::uint32_t length = 0;
    std::uint32_t checksum = 0;
    if (!take(in, found) || found != mark || !take(in, length) || !take(in, checksum) ||
        length > in.size())
        return std::nullopt;
    const auto body = in.substr(0, length);
    if (base::crc32c(body, base::crc32c(frame.substr(4, 4))) != checksum)
        return std::nullopt;
    size = frame_bytes + length;
    return read_body(body);
}

std::size_t next_mark(std::string_view file, std::size_t from) {
    std::string text;
    put(text, mark);
    return std::min(file.find(text, from), file.size());
}

}  // namespace

std::string spool_head() {
    std::string head(magic);
    put(head, version);
    return head;
}

void append_spool_record(std::string& out, const SpoolRecord& record) {
    constexpr std::size_t lease_bytes = 20;
    const auto length = 8 + record.coordinator_id.size() + record.leases.size() * lease_bytes +
                        record.message.size();
    out.reserve(out.size() + frame_bytes + length);
    put(out, mark);
    const auto length_at = out.size();
    put(out, static_cast<std::uint32_t>(length));
    const auto checksum_at = out.size();
    put(out, std::uint32_t{0});
    const auto body_at = out.size();
    put(out, static_cast<std::uint32_t>(record.coordinator_id.size()));
    out += record.coordinator_id;
    put(out, static_cast<std::uint32_t>(record.leases.size()));
    for (const auto& lease : record.leases) {
        put(out, lease.task);
        put(out, lease.attempt);
        put(out, lease.proof);
    }
    out += record.message;
    const std::string_view text(out);
    std::string checksum;
    put(checksum, base::crc32c(text.substr(body_at), base::crc32c(text.substr(length_at, 4))));
    out.replace(checksum_at, checksum.size(), checksum);
}

SpoolScan scan_spool(std::string_view file) {
    SpoolScan scan;
    const auto head = spool_head();
    // What was cut inside its head never held a result.
    scan.foreign = !file.starts_with(head.substr(0, file.size()));
    if (scan.foreign || file.size() < head.size()) {
        scan.torn_bytes = scan.foreign ? 0 : file.size();
        return scan;
    }
    std::size_t good = head.size();  // up to here everything is accounted for
    for (std::size_t at = good; at < file.size();) {
        std::size_t size = 0;
        auto record = read_record(file.substr(at), size);
        if (!record) {
            at = next_mark(file, at + 1);
            continue;
        }
        scan.damaged_bytes += at - good;
        scan.records.push_back(std::move(*record));
        good = at += size;
    }
    scan.torn_bytes = file.size() - good;
    return scan;
}

base::Result<std::vector<Outcome>> outcomes_of(const SpoolRecord& record) {
    std::vector<Outcome> outcomes;
    auto read = wire::decode_results(record.message, [&](const wire::ResultItem& item) {
        outcomes.push_back({.token = item.token,
                            .lease = outcomes.size() < record.leases.size()
                                         ? record.leases[outcomes.size()]
                                         : wire::Lease{},
                            .status = item.status,
                            .result = std::string(item.result),
                            .message = std::string(item.message),
                            .detail = std::string(item.detail),
                            .emitted = std::string(item.emitted),
                            .retry_after_ms = item.retry_after_ms,
                            .times = item.times,
                            .version = std::string(item.version)});
    });
    if (!read)
        return read.error();
    if (outcomes.size() != record.leases.size())
        return base::error(base::Errc::invalid_argument, "a record without its leases");
    return outcomes;
}

}  // namespace distributo::host
