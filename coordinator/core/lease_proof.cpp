#include "coordinator/core/lease_proof.hpp"

#include <bit>

namespace distributo::coordinator::core {
namespace {

constexpr std::size_t word_bytes = 8;

/// The state of SipHash-2-4, fed with words of eight bytes, the lowest first.
class Sip {
public:
    explicit Sip(const LeaseKey& key) noexcept
        : v0_(key[0] ^ 0x736f6d6570736575ULL),
          v1_(key[1] ^ 0x646f72616e646f6dULL),
          v2_(key[0] ^ 0x6c7967656e657261ULL),
          v3_(key[1] ^ 0x7465646279746573ULL) {}

    void absorb(std::uint64_t word) noexcept {
        v3_ ^= word;
        round();
        round();
        v0_ ^= word;
    }
    [[nodiscard]] std::uint64_t finish() noexcept {
        v2_ ^= 0xff;
        for (int i = 0; i < 4; ++i)
            round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

private:
    void round() noexcept {
        v0_ += v1_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v3_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ += v3_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ += v1_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v2_ = std::rotl(v2_, 32);
    }

    std::uint64_t v0_, v1_, v2_, v3_;
};

/// Up to eight bytes as a number, the lowest first.
std::uint64_t word_of(std::string_view bytes) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return word;
}

}  // namespace

std::uint64_t siphash(const LeaseKey& key, std::string_view bytes) noexcept {
    Sip sip(key);
    const auto length = std::uint64_t{bytes.size()} << 56U;
    for (; bytes.size() >= word_bytes; bytes.remove_prefix(word_bytes))
        sip.absorb(word_of(bytes.substr(0, word_bytes)));
    sip.absorb(length | word_of(bytes));
    return sip.finish();
}

std::uint64_t LeaseProofs::proof(std::uint64_t host_digest,
                                 TaskId task,
                                 std::uint32_t attempt) const noexcept {
    constexpr std::uint64_t length = 3 * word_bytes;
    Sip sip(key_);
    sip.absorb(host_digest);
    sip.absorb(task);
    sip.absorb(attempt);
    sip.absorb(length << 56U);
    return sip.finish();
}

}  // namespace distributo::coordinator::core
