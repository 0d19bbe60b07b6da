#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

/// The protocol between a supervisor and its runner, on the stream socket that is the runner's
/// descriptor 3. Both are always of the same build, so there is no negotiation; numbers are in the
/// machine's own form.
///
///     frame = header (16 bytes) body
///     text in a body = u32 length, bytes      number in a body = i64
///
///     supervisor → runner
///         start    id 0          library, data_dir, work_root, directory, host_id, config; number
///         of
///                                threads; status 1 in the header: for a generator or sink
///         execute  id of call    attempt, timeout; payload, task id, content key, directory
///         install  id of call    the same, payload = spec, directory = staging directory
///         verify   id of call    the same, the directory = the entry in the cache
///         probe    id of call
///         cancel   id of call
///         stop     id 0
///         cache_value  id of question   value; status 1 in the header: there is one
///       to a generator or sink, one at a time
///         open     id of call    config, checkpoint; kind in the status
///         next     id of call    room
///         deliver  id of call    room; number of outcomes, each with its members
///         write    id of call    the same
///         flush    id of call
///     runner → supervisor
///         ready    id 0          the module
///         failed   id 0          why
///         result   id of call    elapsed, retry_after; result, message, detail, follow-up tasks;
///                                status in the header
///         log      id or 0       stream, text
///         progress id of call    fraction (bits of a double); text
///         stopped  id 0
///         cache_get  id of question   key
///         cache_put  id 0        time to live in milliseconds; key, value
///         capabilities_changed  id 0
///       from a generator or sink
///         extension  id 0        what the library offers; in place of ready
///         opened   id of call    answer; last outcome that is stored
///         batch    id of call    answer; tasks, checkpoint; how many outcomes are acknowledged
///         written  id of call    answer; how many outcomes are stored
///         more     id 0
namespace distributo::runtime {

enum class FrameKind : std::uint8_t {
    start = 1,
    execute,
    install,
    cancel,
    stop,
    verify,
    probe,
    cache_value,
    open,
    next,
    deliver,
    write,
    flush,
    ready = 16,
    failed,
    result,
    log,
    progress,
    stopped,
    cache_get,
    cache_put,
    capabilities_changed,
    extension,
    opened,
    batch,
    written,
    more,
};

struct FrameHeader {
    std::uint32_t size = 0;  ///< of the body
    FrameKind kind{};
    std::uint8_t status = 0;
    std::uint16_t type = 0;  ///< index of the task type
    std::uint64_t id = 0;
};
static_assert(sizeof(FrameHeader) == 16 && std::is_trivially_copyable_v<FrameHeader>);

/// A longer frame than this is no frame: what is carried is limited to far less.
inline constexpr std::size_t longest_frame = 64 * 1024 * 1024;

/// Appends one frame to `out`; complete when the writer goes.
class FrameWriter {
public:
    FrameWriter(std::string& out, FrameHeader header) : out_(out), start_(out.size()) {
        out_.append(reinterpret_cast<const char*>(&header), sizeof header);
    }
    FrameWriter(const FrameWriter&) = delete;
    FrameWriter& operator=(const FrameWriter&) = delete;
    ~FrameWriter() {
        const auto size = static_cast<std::uint32_t>(out_.size() - start_ - sizeof(FrameHeader));
        std::memcpy(out_.data() + start_, &size, sizeof size);
    }

    FrameWriter& number(std::int64_t value) { return raw(&value, sizeof value); }
    FrameWriter& text(std::string_view value) {
        const auto size = static_cast<std::uint32_t>(value.size());
        raw(&size, sizeof size);
        return raw(value.data(), value.size());
    }

private:
    FrameWriter& raw(const void* data, std::size_t size) {
        out_.append(static_cast<const char*>(data), size);
        return *this;
    }

    std::string& out_;
    std::size_t start_;
};

/// A received frame; its body lies in the buffer that it came from.
struct Frame {
    FrameHeader header;
    std::string_view body;
    bool bad = false;  ///< a read went beyond the end

    std::int64_t number() {
        std::int64_t value = 0;
        if (const auto bytes = take(sizeof value); !bad)
            std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string_view text() {
        std::uint32_t size = 0;
        if (const auto bytes = take(sizeof size); !bad)
            std::memcpy(&size, bytes.data(), sizeof size);
        return take(size);
    }

private:
    std::string_view take(std::size_t size) {
        if (size > body.size()) {
            bad = true;
            return {};
        }
        const auto bytes = body.substr(0, size);
        body.remove_prefix(size);
        return bytes;
    }
};

/// Bytes from a stream, cut into frames.
class FrameBuffer {
public:
    struct Space {
        char* data;
        std::size_t size;
    };

    /// Room for the next read, at least 64 KiB. Frames handed out before are gone.
    [[nodiscard]] Space space();
    void filled(std::size_t bytes) noexcept { end_ += bytes; }
    /// The next complete frame; false when there is none, see corrupt().
    [[nodiscard]] bool next(Frame& frame) noexcept;
    /// What came is not a frame: the stream cannot be understood any more.
    [[nodiscard]] bool corrupt() const noexcept { return corrupt_; }

private:
    std::string bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool corrupt_ = false;
};

}  // namespace distributo::runtime
