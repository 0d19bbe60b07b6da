#include "zstd_stream.hpp"

#include <distributo/plugin.hpp>

#include <zstd_errors.h>

#include <utility>

namespace zstd {

namespace {

/// 128 MiB, the largest window that `zstd` makes and takes without being told to. More costs as
/// much memory in a process that several tasks share.
constexpr int max_window_log = 27;

[[noreturn]] void fail(const std::string& what, std::size_t code) {
    const std::string message = what + ": " + ZSTD_getErrorName(code);
    switch (ZSTD_getErrorCode(code)) {
        case ZSTD_error_memory_allocation:
            throw distributo::retry(message);
        case ZSTD_error_frameParameter_windowTooLarge:
            throw distributo::permanent(message + ": at most 128 MiB");
        default:
            throw distributo::permanent(message);
    }
}

std::size_t checked(const std::string& what, std::size_t code) {
    if (ZSTD_isError(code) != 0) {
        fail(what, code);
    }
    return code;
}

}  // namespace

Compressor::Compressor(int level, bool checksum, std::uint64_t size)
    : context_(ZSTD_createCCtx()), out_(ZSTD_CStreamOutSize()) {
    if (!context_) {
        throw distributo::retry("no memory for a compressor");
    }
    const std::string what = "cannot set up the compressor";
    checked(what, ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    checked(what, ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, checksum ? 1 : 0));
    checked(what, ZSTD_CCtx_setPledgedSrcSize(context_.get(), size));
}

void Compressor::add(std::span<const std::byte> data, const Sink& sink) {
    run(data, ZSTD_e_continue, sink);
}

void Compressor::finish(const Sink& sink) {
    run({}, ZSTD_e_end, sink);
}

void Compressor::run(std::span<const std::byte> data, ZSTD_EndDirective how, const Sink& sink) {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    for (bool more = true; more;) {
        ZSTD_outBuffer out{out_.data(), out_.size(), 0};
        const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, how);
        if (ZSTD_getErrorCode(left) == ZSTD_error_srcSize_wrong) {
            throw distributo::retry("the file was changed while it was read");
        }
        checked("cannot compress", left);
        sink(std::span<const std::byte>(out_).first(out.pos));
        more = how == ZSTD_e_end ? left != 0 : in.pos < in.size;
    }
}

Decompressor::Decompressor(std::string name)
    : name_(std::move(name)), context_(ZSTD_createDCtx()), out_(ZSTD_DStreamOutSize()) {
    if (!context_) {
        throw distributo::retry("no memory for a decompressor");
    }
    checked("cannot set up the decompressor",
            ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, max_window_log));
}

void Decompressor::add(std::span<const std::byte> data, const Sink& sink) {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    bool more_out = false;
    while (in.pos < in.size || more_out) {
        ZSTD_outBuffer out{out_.data(), out_.size(), 0};
        const std::size_t before = in.pos;
        const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
        consumed_ += in.pos - before;
        checked(name_ + " is not valid Zstandard near byte " + std::to_string(consumed_), left);
        sink(std::span<const std::byte>(out_).first(out.pos));
        in_frame_ = left != 0;
        more_out = in_frame_ && out.pos == out.size;
    }
}

void Decompressor::finish() const {
    if (consumed_ == 0) {
        throw distributo::permanent(name_ + " is empty, expected a Zstandard frame");
    }
    if (in_frame_) {
        throw distributo::permanent(name_ + " is truncated: it ends within a Zstandard frame");
    }
}

}  // namespace zstd
