#pragma once

#include "tests/support/simulated_disk.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/torture/power_cut/ledger.hpp"
#include "tests/torture/power_cut/load.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace distributo::tests {

/// What happened in all histories.
struct Figures {
    std::uint64_t cuts = 0;
    std::uint64_t bad_cuts = 0;  ///< after which something was wrong
    std::uint64_t damaged = 0;   ///< of those: the file could not be opened, or was not sound
    std::uint64_t lost = 0;      ///< tasks and ends of tasks that were acknowledged and are gone
    std::uint64_t acknowledged = 0;  ///< calls
    std::uint64_t operations = 0;    ///< of the disk
    std::uint64_t trace = 0;         ///< tells one run from another
    std::uint64_t faults = 0;        ///< operations of the disk that failed, and the power stayed
    std::map<std::string, std::uint64_t> cuts_in;  ///< by what was going on
};

/// The life of one store: time and again it is opened, gets load, and the power goes at any
/// operation of its disk, also while it is opened, copies its log or closes.
class History {
public:
    /// `syncs`: does the disk do what it says?
    History(std::uint64_t seed, bool syncs, Figures& figures);

    /// Up to the next power cut. Says what is wrong after it; empty: nothing.
    [[nodiscard]] std::string next();

private:
    [[nodiscard]] Client client(const class DiskVfs& vfs);
    [[nodiscard]] std::uint64_t up_to(std::uint64_t most) { return 1 + random_() % most; }
    /// One operation of the disk will fail: for want of room, or for good.
    void plan_fault(SimulatedDisk& disk);
    /// From a start until the power is gone.
    [[nodiscard]] std::string work(SimulatedDisk& disk);
    [[nodiscard]] std::string send(Client& client, SimulatedDisk& disk);
    [[nodiscard]] std::string take_answers(Client& client);
    /// Of what the cut left; a copy of it.
    [[nodiscard]] std::string check();

    std::mt19937_64 random_;
    bool syncs_;
    Figures& figures_;
    TemporaryDirectory directory_;
    std::string file_;
    DiskImage image_;
    // Since the last start:
    std::optional<SimulatedDisk::Kind> failed_;  // an operation that did, for good
    bool works_ = false;                         // the store
    Ledger ledger_;
    Load load_;
};

}  // namespace distributo::tests
