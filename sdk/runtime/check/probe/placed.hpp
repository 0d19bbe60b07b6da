#pragma once

#include <distributo/abi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace distributo::runtime::check {

/// Which version of the host a probe plays.
enum class Age : unsigned char {
    ordinary,  ///< this version's tables, somewhere in memory
    current,   ///< the same, and not a byte behind them
    oldest,    ///< the tables of version 1.0, and not a byte behind them
    future,    ///< longer tables, with members that nobody here knows
};

[[nodiscard]] constexpr std::uint32_t abi_minor(Age age) {
    constexpr std::uint32_t later = 100;
    return age == Age::oldest ? 0 : age == Age::future ? DTO_ABI_MINOR + later : DTO_ABI_MINOR;
}

/// A copy of one of the host's tables for the plugin to read, so that a look at what is not there
/// is a fault: the table ends where the page ends, and the next page cannot be read. A future
/// table is followed by bytes that are no address.
class Placed {
public:
    template <typename Table>
    Placed(Table table, std::size_t first_size, Age age) {
        const std::size_t size = age == Age::oldest ? first_size : sizeof(Table);
        const std::size_t extra = age == Age::future ? unknown_members : 0;
        table.struct_size = static_cast<std::uint32_t>(size + extra);
        page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        start_ =
            mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start_ == MAP_FAILED)
            throw std::bad_alloc();
        const std::size_t room = age == Age::ordinary ? page_ : size + extra;
        char* const at = static_cast<char*>(start_) + page_ - room;
        std::memcpy(at, &table, size);
        std::memset(at + size, nobody_knows, extra);
        mprotect(static_cast<char*>(start_) + page_, page_, PROT_NONE);
        table_ = at;
    }
    Placed(const Placed&) = delete;
    Placed& operator=(const Placed&) = delete;
    ~Placed() { munmap(start_, 2 * page_); }

    template <typename Table>
    [[nodiscard]] const Table* as() const {
        return reinterpret_cast<const Table*>(table_);
    }

private:
    static constexpr std::size_t unknown_members = 256;
    static constexpr int nobody_knows = 0xA5;

    std::size_t page_ = 0;
    void* start_ = nullptr;
    const char* table_ = nullptr;
};

}  // namespace distributo::runtime::check
