#pragma once

#include "tests/support/raw_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace distributo::tests {

/// A frame as RFC 6455 lays it out, with every field free to be wrong.
struct RawFrame {
    unsigned first = 0x81;  ///< FIN, RSV and opcode: 0x81 is a complete text
    bool masked = true;     ///< as clients must
    std::string payload;
    int length_bytes = 0;  ///< 0: as short as possible; 2 or 8: the longer forms
    bool lies = false;     ///< announce `length` instead of the payload's
    std::uint64_t length = 0;
};

inline std::string encode(const RawFrame& frame) {
    const std::uint64_t length = frame.lies ? frame.length : frame.payload.size();
    int bytes = frame.length_bytes;
    if (bytes == 0)
        bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
    std::string out(1, static_cast<char>(frame.first));
    const auto short_length = bytes == 0 ? length : bytes == 2 ? 126U : 127U;
    out += static_cast<char>(short_length | (frame.masked ? 0x80U : 0U));
    for (int i = bytes; i-- > 0;)
        out += static_cast<char>(length >> (8 * i) & 0xFFU);
    if (!frame.masked)
        return out + frame.payload;
    constexpr std::string_view mask = "\x12\x34\x56\x78";
    out += mask;
    for (std::size_t i = 0; i < frame.payload.size(); ++i)
        out += static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    return out;
}

/// What came back: the opcode in `first & 15`; first == 0 at the end of the connection.
inline RawFrame take_frame(RawClient& client) {
    RawFrame frame;
    const std::string head = client.take(2);
    frame.first = head.size() == 2 ? static_cast<unsigned char>(head[0]) : 0U;
    if (frame.first == 0)
        return frame;
    frame.length = static_cast<unsigned char>(head[1]) & 0x7FU;
    frame.masked = (static_cast<unsigned char>(head[1]) & 0x80U) != 0;
    if (frame.length >= 126) {
        const std::string rest = client.take(frame.length == 126 ? 2 : 8);
        frame.length = 0;
        for (const char c : rest)
            frame.length = frame.length << 8U | static_cast<unsigned char>(c);
    }
    frame.payload = client.take(frame.length);
    return frame;
}

/// The code of a close frame; 0 when it is none.
inline unsigned close_code(const RawFrame& frame) {
    if ((frame.first & 15U) != 8 || frame.payload.size() < 2)
        return 0;
    return static_cast<unsigned>(static_cast<unsigned char>(frame.payload[0])) << 8U |
           static_cast<unsigned char>(frame.payload[1]);
}

}  // namespace distributo::tests
