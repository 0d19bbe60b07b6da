#include "base/crc32c.hpp"

#include <array>

namespace distributo::base {
namespace {

constexpr std::uint32_t polynomial = 0x82F6'3B78;  // reflected

using Table = std::array<std::uint32_t, 256>;

/// tables[k][b]: what byte b does to the checksum when k more bytes follow it. Eight of them take
/// eight bytes in one step, about five times as fast as one byte at a time.
constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0);
        tables[0][byte] = value;
    }
    for (std::size_t k = 1; k < tables.size(); ++k)
        for (std::size_t byte = 0; byte < 256; ++byte)
            tables[k][byte] = (tables[k - 1][byte] >> 8U) ^ tables[0][tables[k - 1][byte] & 0xFFU];
    return tables;
}

constexpr auto tables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view data, std::uint32_t before) noexcept {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(data[at]); };
    std::uint32_t value = ~before;
    while (data.size() >= 8) {
        std::uint32_t next = 0;
        for (std::size_t at = 0; at < 8; ++at) {
            const auto mixed = at < 4 ? byte(at) ^ ((value >> (8 * at)) & 0xFFU) : byte(at);
            next ^= tables[7 - at][mixed];
        }
        value = next;
        data.remove_prefix(8);
    }
    for (std::size_t at = 0; at < data.size(); ++at)
        value = (value >> 8U) ^ tables[0][(value ^ byte(at)) & 0xFFU];
    return ~value;
}

}  // namespace distributo::base
