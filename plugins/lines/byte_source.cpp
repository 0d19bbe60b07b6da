#include "byte_source.hpp"

#include <distributo/plugin.hpp>

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>
#include <zlib.h>

namespace lines {
namespace {

using distributo::permanent;
using distributo::retry;

/// Of the beginning, for its identity.
constexpr std::size_t identity_bytes = 4096;

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open_file(const std::string& path) {
    File file(std::fopen(path.c_str(), "rbe"));
    if (!file) {
        throw retry("cannot open " + path + ": " + std::strerror(errno));
    }
    return file;
}

std::size_t read_some(std::FILE* file, std::span<char> into, const std::string& path) {
    std::clearerr(file);
    const std::size_t got = std::fread(into.data(), 1, into.size(), file);
    if (got < into.size() && std::ferror(file) != 0) {
        throw retry("cannot read " + path + ": " + std::strerror(errno));
    }
    return got;
}

class Plain final : public ByteSource {
public:
    explicit Plain(const std::string& path) : path_(path), file_(open_file(path)) {}

    std::size_t read(std::span<char> into) override { return read_some(file_.get(), into, path_); }
    void seek(std::uint64_t offset) override {
        if (fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0) {
            throw retry("cannot seek in " + path_);
        }
    }
    bool may_grow() const override { return true; }

private:
    std::string path_;
    File file_;
};

/// Decompresses by inflate(), which gets compressed bytes and says how much it made of them.
class Packed : public ByteSource {
public:
    explicit Packed(const std::string& path)
        : path_(path), file_(open_file(path)), in_(256 * 1024) {}

    std::size_t read(std::span<char> into) override {
        std::size_t made = 0;
        while (made < into.size()) {
            if (input_.empty() && !ended_) {
                input_ = std::span(in_).first(read_some(file_.get(), in_, path_));
                ended_ = input_.empty();
            }
            const std::size_t before = input_.size();
            const std::size_t now = inflate(input_, into.subspan(made));
            made += now;
            if (now == 0 && ended_) {
                if (inside()) {
                    throw permanent(path_ + " ends in the middle of its compressed content");
                }
                break;
            }
            if (now == 0 && before == input_.size() && !input_.empty()) {
                throw permanent(path_ + " is damaged");
            }
        }
        return made;
    }
    void seek(std::uint64_t offset) override {
        std::array<char, 64 * 1024> passed;
        while (offset > 0) {
            const auto got =
                read(std::span(passed).first(std::min<std::uint64_t>(offset, passed.size())));
            if (got == 0) {
                return;
            }
            offset -= got;
        }
    }
    bool may_grow() const override { return false; }

protected:
    [[noreturn]] void damaged(std::string_view why) const {
        throw permanent(path_ + " is damaged: " + std::string(why));
    }
    /// Takes from `input` what it uses; gives the number of bytes made.
    virtual std::size_t inflate(std::span<char>& input, std::span<char> into) = 0;
    /// More must come.
    [[nodiscard]] virtual bool inside() const = 0;

private:
    std::string path_;
    File file_;
    std::vector<char> in_;
    std::span<char> input_;
    bool ended_ = false;
};

class Zstandard final : public Packed {
public:
    explicit Zstandard(const std::string& path) : Packed(path), context_(ZSTD_createDCtx()) {}

private:
    std::size_t inflate(std::span<char>& input, std::span<char> into) override {
        if (input.empty() && !inside_) {
            return 0;
        }
        ZSTD_inBuffer from{input.data(), input.size(), 0};
        ZSTD_outBuffer to{into.data(), into.size(), 0};
        const std::size_t left = ZSTD_decompressStream(context_.get(), &to, &from);
        if (ZSTD_isError(left) != 0) {
            damaged(ZSTD_getErrorName(left));
        }
        inside_ = left != 0;
        input = input.subspan(from.pos);
        return to.pos;
    }
    bool inside() const override { return inside_; }

    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context_;
    bool inside_ = false;
};

class Gzip final : public Packed {
public:
    explicit Gzip(const std::string& path) : Packed(path) {
        constexpr int gzip_only = 16;
        if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) {
            throw retry("out of memory");
        }
    }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;
    ~Gzip() override { inflateEnd(&stream_); }

private:
    std::size_t inflate(std::span<char>& input, std::span<char> into) override {
        if (ended_ && !input.empty()) {  // several members, one after the other
            inflateReset(&stream_);
            ended_ = false;
        }
        if (ended_ || (input.empty() && !inside_)) {
            return 0;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(input.data());
        stream_.avail_in = static_cast<uInt>(input.size());
        stream_.next_out = reinterpret_cast<Bytef*>(into.data());
        stream_.avail_out = static_cast<uInt>(into.size());
        const int status = ::inflate(&stream_, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            damaged(stream_.msg != nullptr ? stream_.msg : "not gzip");
        }
        ended_ = status == Z_STREAM_END;
        inside_ = !ended_;
        input = input.last(stream_.avail_in);
        return into.size() - stream_.avail_out;
    }
    bool inside() const override { return inside_; }

    z_stream stream_{};
    bool ended_ = false;
    bool inside_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> open_source(const std::string& path) {
    std::array<char, 4> begin{};
    const auto got = read_some(open_file(path).get(), begin, path);
    const std::string_view magic(begin.data(), got);
    if (magic == "\x28\xB5\x2F\xFD") {
        return std::make_unique<Zstandard>(path);
    }
    if (magic.starts_with("\x1F\x8B")) {
        return std::make_unique<Gzip>(path);
    }
    return std::make_unique<Plain>(path);
}

std::string identity_of(const std::string& path, const std::string& as) {
    std::size_t bytes = identity_bytes;
    if (const auto colon = as.find(':'); colon != std::string::npos) {
        std::from_chars(as.data(), as.data() + colon, bytes);
    }
    std::vector<char> begin(std::min(bytes, identity_bytes));
    begin.resize(read_some(open_file(path).get(), begin, path));
    // FNV-1a: nobody forges the beginning of a file of his own.
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325U;
    for (const char c : begin) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01B3U;
    }
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
    return std::to_string(begin.size()) + ':' + text.data();
}

std::uint64_t size_of(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error ? 0 : size;
}

}  // namespace lines
