#pragma once

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zstd {

/// Takes what a stream produced.
using Sink = std::function<void(std::span<const std::byte>)>;

/// Compresses into one frame of Zstandard. For one thread; errors are distributo::Failure.
class Compressor {
public:
    /// `size` is how many bytes will come; it is written into the frame.
    Compressor(int level, bool checksum, std::uint64_t size);

    void add(std::span<const std::byte> data, const Sink& sink);
    void finish(const Sink& sink);

private:
    void run(std::span<const std::byte> data, ZSTD_EndDirective how, const Sink& sink);

    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> context_;
    std::vector<std::byte> out_;
};

/// Decompresses any number of frames, one after the other. For one thread; errors are
/// distributo::Failure.
class Decompressor {
public:
    /// `name` is what is decompressed, for messages.
    explicit Decompressor(std::string name);

    void add(std::span<const std::byte> data, const Sink& sink);
    /// Nothing more comes: throws when that is in the middle of a frame, or before the first one.
    void finish() const;

private:
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::string name_;
    std::unique_ptr<ZSTD_DCtx, Free> context_;
    std::vector<std::byte> out_;
    std::uint64_t consumed_ = 0;
    bool in_frame_ = false;
};

}  // namespace zstd
