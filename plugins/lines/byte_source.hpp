#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace lines {

/// The content of a file from its beginning, decompressed. Errors are distributo::Failure, which
/// name the file.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// Less than asked for only at the end, as it is now.
    [[nodiscard]] virtual std::size_t read(std::span<char> into) = 0;
    /// Goes on from there.
    virtual void seek(std::uint64_t offset) = 0;
    /// The end that was reached may not be the last one: the file may grow.
    [[nodiscard]] virtual bool may_grow() const = 0;
};

/// Opens a plain file, or one that begins like gzip or Zstandard does. What is missing or may not
/// be read is retried: it may come.
[[nodiscard]] std::unique_ptr<ByteSource> open_source(const std::string& path);

/// What tells this file from another one under its name: how many bytes of its beginning were
/// looked at, and their digest. `as`: an earlier one, to look at as many bytes; empty: any.
[[nodiscard]] std::string identity_of(const std::string& path, const std::string& as = {});

/// Bytes on the disk.
[[nodiscard]] std::uint64_t size_of(const std::string& path);

}  // namespace lines
