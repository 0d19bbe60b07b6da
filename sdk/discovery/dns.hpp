#pragma once

#include "base/result.hpp"
#include "discovery/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// DNS messages as multicast DNS uses them (RFC 1035, RFC 6762): A, AAAA, PTR, SRV, TXT and NSEC.
namespace distributo::discovery::dns {

/// Labels from left to right, without the root. Labels may contain dots and any UTF-8.
using Name = std::vector<std::string>;

/// Equal as DNS compares: ASCII letters without case.
[[nodiscard]] bool same_name(const Name& left, const Name& right) noexcept;
/// "a.b.local" taken apart at its dots.
[[nodiscard]] Name split_name(std::string_view text);
[[nodiscard]] std::string joined(const Name& name);

enum class Type : std::uint16_t {
    a = 1,
    ptr = 12,
    txt = 16,
    aaaa = 28,
    srv = 33,
    nsec = 47,
    any = 255
};

struct Question {
    Name name;
    Type type = Type::any;
    bool unicast_reply = false;
};

struct Record {
    Name name;
    Type type = Type::a;
    bool cache_flush = false;  ///< this host is the only owner of the name
    std::uint32_t ttl = 0;     ///< seconds; 0: goodbye

    Name target;                   ///< PTR, SRV, NSEC
    std::uint16_t port = 0;        ///< SRV
    std::vector<std::string> txt;  ///< TXT
    Address address;               ///< A, AAAA
    std::vector<Type> types;       ///< NSEC: the types that exist

    /// Same name, type and data; the ttl does not matter.
    [[nodiscard]] bool same_data(const Record& other) const;
};

struct Message {
    std::uint16_t id = 0;
    bool response = false;
    bool truncated = false;
    std::vector<Question> questions;
    std::vector<Record> answers;
    std::vector<Record> authorities;
    std::vector<Record> additionals;
};

/// Bytes of a datagram. Names are compressed.
[[nodiscard]] std::string encode(const Message& message);

/// A record's data as it stands on the wire, names uncompressed: what probes are compared by.
[[nodiscard]] std::string encode_data(const Record& record);

/// Reads a datagram. Records of other types and classes are left out; anything that points outside
/// the datagram or backwards in a loop is refused.
[[nodiscard]] base::Result<Message> decode(std::string_view datagram);

}  // namespace distributo::discovery::dns
