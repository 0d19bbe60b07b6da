#include "coordinator/core/lease_proof.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace distributo::coordinator::core {
namespace {

/// The key of the published vectors: bytes 00 01 … 0f.
constexpr LeaseKey published_key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

TEST(SipHashTest, AgreesWithThePublishedVectors) {
    // Of the messages "", 00, 00 01, … from the reference implementation's vectors_sip64.
    constexpr std::uint64_t expected[] = {0x726fdb47dd0e0e31ULL,
                                          0x74f839c593dc67fdULL,
                                          0x0d6c8009d9a94f5aULL,
                                          0x85676696d7fb7e2dULL,
                                          0xcf2794e0277187b7ULL,
                                          0x18765564cd99a68dULL,
                                          0xcbc9466e58fee3ceULL,
                                          0xab0200f58b01d137ULL,
                                          0x93f5f5799a932462ULL,
                                          0x9e0082df0ba9e4b0ULL,
                                          0x7a5dbbc594ddb9f3ULL,
                                          0xf4b32f46226bada7ULL,
                                          0x751e8fbc860ee5fbULL,
                                          0x14ea5627c0843d90ULL,
                                          0xf723ca908e7af2eeULL,
                                          0xa129ca6149be45e5ULL};
    std::string message;
    for (const auto value : expected) {
        EXPECT_EQ(siphash(published_key, message), value) << message.size() << " bytes";
        message.push_back(static_cast<char>(message.size()));
    }
}

TEST(LeaseProofsTest, AProofIsTheHashOfTheThreeWordsThatItStandsFor) {
    const LeaseProofs proofs(published_key);
    std::string bytes;
    for (const std::uint64_t word : {0x1122334455667788ULL, 42ULL, 7ULL})
        for (unsigned i = 0; i < 8; ++i)
            bytes.push_back(static_cast<char>(word >> (8 * i)));

    EXPECT_EQ(proofs.proof(0x1122334455667788ULL, 42, 7), siphash(published_key, bytes));
}

TEST(LeaseProofsTest, EveryHostTaskAttemptAndKeyHasItsOwn) {
    std::set<std::uint64_t> seen;
    std::size_t made = 0;
    for (const LeaseKey& key : {LeaseKey{1, 2}, LeaseKey{2, 1}, LeaseKey{0, 0}}) {
        const LeaseProofs proofs(key);
        for (const char* host : {"a", "b", "ab"})
            for (const TaskId task : {1ULL, 2ULL, 1ULL << 40U})
                for (const std::uint32_t attempt : {1U, 2U, 3U}) {
                    seen.insert(proofs.proof(proofs.host_digest(host), task, attempt));
                    ++made;
                }
    }
    EXPECT_EQ(seen.size(), made);
}

}  // namespace
}  // namespace distributo::coordinator::core
