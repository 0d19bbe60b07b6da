#include "discovery/dns.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace distributo::discovery {

std::string Address::text() const {
    char buffer[INET6_ADDRSTRLEN] = {};
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
    return buffer;
}

bool Address::is_link_local_v6() const noexcept {
    return is_v6 && bytes[0] == 0xFE && (bytes[1] & 0xC0U) == 0x80;
}

namespace dns {
namespace {

constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t top_bit = 0x8000;        // QU in a question, cache flush in a record
constexpr std::uint16_t flag_response = 0x8400;  // QR and AA
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::size_t max_pointer = 0x3FFF;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

class Encoder {
public:
    void u8(std::size_t value) { out += static_cast<char>(value); }
    void u16(std::size_t value) {
        u8(value >> 8U & 255U);
        u8(value & 255U);
    }
    void u32(std::uint32_t value) {
        u16(value >> 16U);
        u16(value & 0xFFFFU);
    }

    void name(const Name& labels, bool compress) {
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const Name rest(labels.begin() + static_cast<std::ptrdiff_t>(i), labels.end());
            if (compress) {
                const auto seen =
                    std::find_if(offsets_.begin(), offsets_.end(), [&](const auto& entry) {
                        return same_name(entry.first, rest);
                    });
                if (seen != offsets_.end()) {
                    u16(0xC000U | seen->second);
                    return;
                }
                if (out.size() <= max_pointer)
                    offsets_.emplace_back(rest, out.size());
            }
            u8(labels[i].size());
            out += labels[i];
        }
        u8(0);
    }

    void data(const Record& record, bool compress) {
        switch (record.type) {
            case Type::a:
            case Type::aaaa:
                out.append(reinterpret_cast<const char*>(record.address.bytes.data()),
                           record.address.is_v6 ? 16 : 4);
                break;
            case Type::ptr:
                name(record.target, compress);
                break;
            case Type::srv:
                u32(0);  // priority and weight
                u16(record.port);
                name(record.target, compress);
                break;
            case Type::txt:
                for (const std::string& text : record.txt) {
                    u8(text.size());
                    out += text;
                }
                if (record.txt.empty())
                    u8(0);
                break;
            case Type::nsec:
                nsec(record);
                break;
            case Type::any:
                break;
        }
    }

    void record(const Record& value) {
        name(value.name, true);
        u16(static_cast<std::uint16_t>(value.type));
        u16(class_in | (value.cache_flush ? top_bit : 0U));
        u32(value.ttl);
        const std::size_t at = out.size();
        u16(0);
        data(value, true);
        const std::size_t size = out.size() - at - 2;
        out[at] = static_cast<char>(size >> 8U);
        out[at + 1] = static_cast<char>(size & 255U);
    }

    std::string out;

private:
    void nsec(const Record& record) {
        name(record.target, false);
        std::string bits(32, '\0');  // window 0 covers every type that we use
        std::size_t used = 0;
        for (const Type type : record.types) {
            const auto number = static_cast<std::size_t>(type);
            bits[number / 8] = static_cast<char>(static_cast<unsigned char>(bits[number / 8]) |
                                                 (0x80U >> (number % 8)));
            used = std::max(used, number / 8 + 1);
        }
        u8(0);
        u8(used);
        out += bits.substr(0, used);
    }

    std::vector<std::pair<Name, std::size_t>> offsets_;
};

/// Reads forward only; every failure makes all later reads fail too.
class Decoder {
public:
    explicit Decoder(std::string_view text) : text_(text) {}

    std::size_t u8() {
        if (position >= text_.size()) {
            failed = true;
            return 0;
        }
        return static_cast<unsigned char>(text_[position++]);
    }
    std::uint16_t u16() {
        const std::size_t high = u8();
        return static_cast<std::uint16_t>(high << 8U | u8());
    }
    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return high << 16U | u16();
    }
    std::string bytes(std::size_t count) {
        if (count > text_.size() - std::min(position, text_.size())) {
            failed = true;
            return {};
        }
        position += count;
        return std::string(text_.substr(position - count, count));
    }

    Name name() {
        Name labels;
        std::size_t total = 0;
        std::size_t behind = 0;        // where reading goes on after the first pointer
        std::size_t limit = position;  // pointers go strictly backwards
        for (std::size_t size = u8(); !failed && size != 0; size = u8()) {
            if ((size & 0xC0U) == 0xC0U) {
                const std::size_t target = (size & 0x3FU) << 8U | u8();
                if (behind == 0)
                    behind = position;
                if (target >= limit)
                    failed = true;
                limit = target;
                position = target;
                continue;
            }
            total += size + 1;
            if (size > 63 || total > 254)
                failed = true;
            labels.push_back(bytes(size));
        }
        if (behind != 0)
            position = behind;
        return labels;
    }

    std::size_t position = 0;
    bool failed = false;

private:
    std::string_view text_;
};

void decode_data(Decoder& in, Record& record, std::size_t end) {
    switch (record.type) {
        case Type::a:
        case Type::aaaa: {
            record.address.is_v6 = record.type == Type::aaaa;
            const std::string raw = in.bytes(record.address.is_v6 ? 16 : 4);
            std::copy(raw.begin(), raw.end(), record.address.bytes.begin());
            break;
        }
        case Type::ptr:
            record.target = in.name();
            break;
        case Type::srv:
            in.u32();
            record.port = in.u16();
            record.target = in.name();
            break;
        case Type::txt:
            while (!in.failed && in.position < end)
                record.txt.push_back(in.bytes(in.u8()));
            break;
        case Type::nsec:
            record.target = in.name();
            in.position = end;  // which types exist is of no use to us
            break;
        case Type::any:
            break;
    }
}

bool is_ours(std::uint16_t type) {
    switch (static_cast<Type>(type)) {
        case Type::a:
        case Type::ptr:
        case Type::txt:
        case Type::aaaa:
        case Type::srv:
        case Type::nsec:
            return true;
        case Type::any:
            break;
    }
    return false;
}

bool decode_records(Decoder& in, std::size_t count, std::size_t size, std::vector<Record>& out) {
    for (std::size_t i = 0; i < count && !in.failed; ++i) {
        Record record;
        record.name = in.name();
        const std::uint16_t type = in.u16();
        const std::uint16_t klass = in.u16();
        record.ttl = in.u32();
        const std::size_t length = in.u16();
        const std::size_t end = in.position + length;
        if (in.failed || end > size)
            return false;
        if (is_ours(type) && (klass & ~top_bit) == class_in) {
            record.type = static_cast<Type>(type);
            record.cache_flush = (klass & top_bit) != 0;
            decode_data(in, record, end);
            if (in.failed || in.position != end)
                return false;
            out.push_back(std::move(record));
        }
        in.position = end;
    }
    return !in.failed;
}

}  // namespace

bool same_name(const Name& left, const Name& right) noexcept {
    return std::equal(left.begin(),
                      left.end(),
                      right.begin(),
                      right.end(),
                      [](const std::string& a, const std::string& b) {
                          return std::equal(
                              a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
                                  return lower(x) == lower(y);
                              });
                      });
}

Name split_name(std::string_view text) {
    Name labels;
    while (!text.empty()) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        labels.emplace_back(text.substr(0, dot));
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return labels;
}

std::string joined(const Name& name) {
    std::string text;
    for (const std::string& label : name)
        text += (text.empty() ? "" : ".") + label;
    return text;
}

bool Record::same_data(const Record& other) const {
    return type == other.type && same_name(name, other.name) && same_name(target, other.target) &&
           port == other.port && txt == other.txt && address == other.address;
}

std::string encode(const Message& message) {
    Encoder encoder;
    encoder.u16(message.id);
    encoder.u16((message.response ? flag_response : 0U) |
                (message.truncated ? flag_truncated : 0U));
    encoder.u16(message.questions.size());
    encoder.u16(message.answers.size());
    encoder.u16(message.authorities.size());
    encoder.u16(message.additionals.size());
    for (const Question& question : message.questions) {
        encoder.name(question.name, true);
        encoder.u16(static_cast<std::uint16_t>(question.type));
        encoder.u16(class_in | (question.unicast_reply ? top_bit : 0U));
    }
    for (const auto* section : {&message.answers, &message.authorities, &message.additionals})
        for (const Record& record : *section)
            encoder.record(record);
    return std::move(encoder.out);
}

std::string encode_data(const Record& record) {
    Encoder encoder;
    encoder.data(record, false);
    return std::move(encoder.out);
}

base::Result<Message> decode(std::string_view datagram) {
    Decoder in(datagram);
    Message message;
    message.id = in.u16();
    const std::uint16_t flags = in.u16();
    message.response = (flags & 0x8000U) != 0;
    message.truncated = (flags & flag_truncated) != 0;
    const std::size_t questions = in.u16();
    const std::size_t answers = in.u16();
    const std::size_t authorities = in.u16();
    const std::size_t additionals = in.u16();
    if (in.failed || (flags & 0x7800U) != 0)
        return base::error(base::Errc::invalid_argument, "not a DNS query or response");
    for (std::size_t i = 0; i < questions && !in.failed; ++i) {
        Question question;
        question.name = in.name();
        question.type = static_cast<Type>(in.u16());
        question.unicast_reply = (in.u16() & top_bit) != 0;
        if (!in.failed)
            message.questions.push_back(std::move(question));
    }
    if (in.failed || !decode_records(in, answers, datagram.size(), message.answers) ||
        !decode_records(in, authorities, datagram.size(), message.authorities) ||
        !decode_records(in, additionals, datagram.size(), message.additionals))
        return base::error(base::Errc::invalid_argument,
                           "malformed DNS message near byte " + std::to_string(in.position));
    return message;
}

}  // namespace dns
}  // namespace distributo::discovery
