#include "base/bytes.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace distributo::base {

Bytes Bytes::copy(std::string_view text) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
        throw std::length_error("a byte string holds at most 4 GiB");
    Bytes result;
    if (text.empty())
        return result;
    void* memory = ::operator new(sizeof(Block) + text.size());
    result.block_ = new (memory) Block{1, static_cast<std::uint32_t>(text.size())};
    std::memcpy(result.block_ + 1, text.data(), text.size());
    return result;
}

void Bytes::release(Block* block) noexcept {
    ::operator delete(block);
}

}  // namespace distributo::base
