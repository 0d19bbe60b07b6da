#include "runtime/frame.hpp"

#include <algorithm>

namespace distributo::runtime {
namespace {

constexpr std::size_t piece = 64 * 1024;

}  // namespace

FrameBuffer::Space FrameBuffer::space() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (begin_ > 0) {
        std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (bytes_.size() - end_ < piece)
        bytes_.resize(std::max(end_ + piece, bytes_.size() * 2));
    return {bytes_.data() + end_, bytes_.size() - end_};
}

bool FrameBuffer::next(Frame& frame) noexcept {
    if (corrupt_ || end_ - begin_ < sizeof(FrameHeader))
        return false;
    std::memcpy(&frame.header, bytes_.data() + begin_, sizeof(FrameHeader));
    const std::size_t size = frame.header.size;
    if (size > longest_frame) {
        corrupt_ = true;
        return false;
    }
    if (end_ - begin_ - sizeof(FrameHeader) < size)
        return false;
    frame.body = std::string_view(bytes_).substr(begin_ + sizeof(FrameHeader), size);
    frame.bad = false;
    begin_ += sizeof(FrameHeader) + size;
    return true;
}

}  // namespace distributo::runtime
