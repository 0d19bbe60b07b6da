#pragma once

#include "base/result.hpp"
#include "host/outcome.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What a spool file holds: results that must outlive this process, as they are sent. Pure.
///
///   file   = "DTOSPOOL" version:u32 record…
///   record = mark:u32 length:u32 checksum:u32 body          checksum of the length and the body
///   body   = length:u32 coordinator  count:u32 (task:u64 attempt:u32 proof:u64)…  result message
///
/// Numbers are little-endian. Each record stands for itself: what is damaged takes no other with
/// it.
namespace distributo::host {

/// One message of results, beside it what the message does not say.
struct SpoolRecord {
    std::string coordinator_id;       ///< whom they are for
    std::vector<wire::Lease> leases;  ///< one per result, in order
    std::string message;
};

/// What a file begins with.
[[nodiscard]] std::string spool_head();
/// Appends the record's form in the file.
void append_spool_record(std::string& out, const SpoolRecord& record);

struct SpoolScan {
    std::vector<SpoolRecord> records;  ///< the good ones, in order
    std::size_t damaged_bytes = 0;     ///< before a good record
    std::size_t torn_bytes = 0;        ///< behind the last good one: a write that was not finished
    bool foreign = false;              ///< written by a later version, or no spool file: not read
};

/// Reads a whole file. Never fails: what cannot be read is counted.
[[nodiscard]] SpoolScan scan_spool(std::string_view file);

/// The results of a record as they were before they were spooled. Fails when the message is none
/// of results, or there are not as many leases.
[[nodiscard]] base::Result<std::vector<Outcome>> outcomes_of(const SpoolRecord& record);

}  // namespace distributo::host
