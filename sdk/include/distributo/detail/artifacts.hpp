#pragma once

#include <distributo/detail/error.hpp>
#include <distributo/detail/host.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace distributo {
namespace detail {

inline const dto_artifacts& artifacts_of(const Host& host) {
    const auto* service = host.service<dto_artifacts>(DTO_SERVICE_ARTIFACTS);
    if (service == nullptr) {
        throw retry_elsewhere("the host has no artifacts");
    }
    return *service;
}

/// Throws unless the host did what it was asked for; "cannot read artifact a/b".
inline void require_done(dto_status status, std::string_view verb, std::string_view name) {
    if (status == DTO_OK) {
        return;
    }
    if (status == DTO_CANCELLED) {
        throw Cancelled();
    }
    throw Failure(status == DTO_UNSUPPORTED ? DTO_RETRY_ELSEWHERE : status,
                  std::string("cannot ").append(verb).append(" artifact ").append(name));
}

inline std::filesystem::path fetch_artifact(const Host& host,
                                            dto_call* call,
                                            std::string_view name) {
    dto_str path{};
    require_done(artifacts_of(host).fetch(call, to_abi(name), &path), "fetch", name);
    return from_abi(path);
}

inline void publish_artifact(const Host& host,
                             dto_call* call,
                             std::string_view name,
                             const std::filesystem::path& file,
                             std::string_view media_type) {
    const std::string path = file.string();
    require_done(artifacts_of(host).publish(call, to_abi(name), to_abi(path), to_abi(media_type)),
                 "publish",
                 name);
}

/// A dto_stream that is closed without a commit unless commit() was called. Move-only.
class ArtifactStream {
public:
    ArtifactStream(const Host& host, std::string_view name)
        : service_(&artifacts_of(host)), name_(name) {}
    ArtifactStream(ArtifactStream&& other) noexcept
        : service_(other.service_),
          name_(std::move(other.name_)),
          stream_(std::exchange(other.stream_, nullptr)) {}
    ArtifactStream& operator=(ArtifactStream&& other) noexcept {
        std::swap(service_, other.service_);
        std::swap(name_, other.name_);
        std::swap(stream_, other.stream_);
        return *this;
    }
    ~ArtifactStream() {
        if (stream_ != nullptr) {
            service_->close(stream_, 0, nullptr);
        }
    }

protected:
    [[nodiscard]] dto_stream* open() const {
        if (stream_ == nullptr) {
            throw permanent("artifact " + name_ + " is closed already");
        }
        return stream_;
    }
    dto_stream* release() {
        dto_stream* const stream = open();
        stream_ = nullptr;
        return stream;
    }

    const dto_artifacts* service_;
    std::string name_;
    dto_stream* stream_ = nullptr;
};

}  // namespace detail

/// Reads an artifact from its begin to its end; made by Task::open_artifact(). Closed by its
/// destructor, at the latest when its call ends. Used by one thread at a time. Functions throw
/// Cancelled when the call is cancelled, and a Failure that names the artifact.
class ArtifactReader : detail::ArtifactStream {
public:
    ArtifactReader(const detail::Host& host, dto_call* call, std::string_view name)
        : ArtifactStream(host, name) {
        detail::require_done(
            service_->open_read(call, detail::to_abi(name), &stream_, &size_), "open", name_);
    }

    /// In bytes.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Fills the front of `buffer`; returns how many bytes, 0 only at the end.
    std::size_t read(std::span<char> buffer) {
        std::size_t got = 0;
        const dto_status status = service_->read(open(), buffer.data(), buffer.size(), &got);
        if (status == DTO_END) {
            return 0;
        }
        detail::require_done(status, "read", name_);
        return got;
    }

    /// Everything that is left.
    [[nodiscard]] std::string read_all() {
        constexpr std::size_t step = 64 * 1024;
        std::string out;
        for (std::size_t got = 1; got != 0;) {
            const std::size_t done = out.size();
            out.resize(done + step);
            got = read({out.data() + done, step});
            out.resize(done + got);
        }
        return out;
    }

private:
    std::uint64_t size_ = 0;
};

/// Writes a new artifact; made by Task::create_artifact(). It exists only after commit(): one that
/// is destroyed before, for example by an exception, leaves nothing behind. Threads and errors like
/// ArtifactReader.
class ArtifactWriter : detail::ArtifactStream {
public:
    ArtifactWriter(const detail::Host& host,
                   dto_call* call,
                   std::string_view name,
                   std::string_view media_type)
        : ArtifactStream(host, name) {
        detail::require_done(
            service_->open_write(call, detail::to_abi(name), detail::to_abi(media_type), &stream_),
            "create",
            name_);
    }

    /// Appends all of the bytes.
    void write(std::string_view bytes) {
        detail::require_done(service_->write(open(), {bytes.data(), bytes.size()}), "write", name_);
    }

    /// Ends the artifact. Returns the SHA-256 of its content in hex.
    std::string commit() {
        dto_str digest{};
        detail::require_done(service_->close(release(), 1, &digest), "commit", name_);
        return std::string(detail::from_abi(digest));
    }
};

}  // namespace distributo
