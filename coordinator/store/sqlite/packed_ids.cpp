#include "coordinator/store/sqlite/packed_ids.hpp"

namespace distributo::coordinator::store {
namespace {

constexpr unsigned group_bits = 7;
constexpr std::uint64_t more = 1U << group_bits;

void append(std::string& out, std::uint64_t difference) {
    // A small step down is a small number, too.
    std::uint64_t rest = (difference << 1U) ^ (0 - (difference >> 63U));
    for (; rest >= more; rest >>= group_bits)
        out.push_back(static_cast<char>((rest & (more - 1)) | more));
    out.push_back(static_cast<char>(rest));
}

}  // namespace

void PairPacker::add(std::uint64_t first, std::uint64_t second) {
    append(bytes_, first - first_);
    append(bytes_, second - second_);
    first_ = first;
    second_ = second;
}

bool PairReader::take(std::uint64_t& value) noexcept {
    std::uint64_t rest = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += group_bits) {
        const auto byte = static_cast<unsigned char>(bytes_.front());
        bytes_.remove_prefix(1);
        rest |= (byte & (more - 1)) << shift;
        if (byte < more) {
            value += (rest >> 1U) ^ (0 - (rest & 1U));
            return true;
        }
    }
    return false;
}

std::optional<PairReader::Pair> PairReader::next() noexcept {
    if (!take(last_.first) || !take(last_.second))
        return std::nullopt;
    return last_;
}

}  // namespace distributo::coordinator::store
