#include "runtime/elf_symbols.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <optional>
#include <string>
#include <type_traits>

namespace distributo::runtime {
namespace {

using base::Errc;

constexpr std::string_view entry_prefix = "distributo_module_v";

/// Reads the tables that the dynamic loader itself goes by: section headers may have been
/// stripped. Every read is checked against the end of the file.
class Image {
public:
    explicit Image(std::string_view bytes) : bytes_(bytes) {
        const auto header = at<Elf64_Ehdr>(0);
        for (std::uint64_t i = 0; header && i < header->e_phnum; ++i)
            if (const auto segment = at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr)))
                segments_.push_back(*segment);
    }

    template <typename T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
            return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }

    /// The text at an offset, up to its NUL.
    [[nodiscard]] std::string_view text(std::uint64_t offset) const {
        if (offset >= bytes_.size())
            return {};
        const auto rest = bytes_.substr(offset);
        return rest.substr(0, std::min(rest.find('\0'), rest.size()));
    }

    /// Where an address of the loaded library lies in the file.
    [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
        for (const auto& segment : segments_)
            if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
                address - segment.p_vaddr < segment.p_filesz)
                return segment.p_offset + (address - segment.p_vaddr);
        return std::nullopt;
    }

    /// The value of an entry of the dynamic section, as an offset.
    [[nodiscard]] std::optional<std::uint64_t> table(Elf64_Sxword tag) const {
        for (const auto& segment : segments_) {
            if (segment.p_type != PT_DYNAMIC)
                continue;
            for (std::uint64_t at_byte = 0; at_byte < segment.p_filesz;
                 at_byte += sizeof(Elf64_Dyn)) {
                const auto entry = at<Elf64_Dyn>(segment.p_offset + at_byte);
                if (!entry || entry->d_tag == DT_NULL)
                    break;
                if (entry->d_tag == tag)
                    return offset_of(entry->d_un.d_ptr);
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return bytes_.size(); }

private:
    std::string_view bytes_;
    std::vector<Elf64_Phdr> segments_;
};

/// The dynamic section does not say how many symbols there are; the hash tables over them do.
std::optional<std::uint64_t> count_of_gnu_hash(const Image& image, std::uint64_t table) {
    const auto buckets = image.at<std::uint32_t>(table);
    const auto first_hashed = image.at<std::uint32_t>(table + 4);
    const auto bloom_words = image.at<std::uint32_t>(table + 8);
    if (!buckets || !first_hashed || !bloom_words)
        return std::nullopt;
    const std::uint64_t bucket_table = table + 16 + std::uint64_t{*bloom_words} * 8;
    const std::uint64_t chains = bucket_table + std::uint64_t{*buckets} * 4;
    std::uint32_t last = 0;
    for (std::uint64_t i = 0; i < *buckets; ++i) {
        const auto bucket = image.at<std::uint32_t>(bucket_table + i * 4);
        if (!bucket)
            return std::nullopt;
        last = std::max(last, *bucket);
    }
    if (last < *first_hashed)
        return *first_hashed;
    for (std::uint64_t symbol = last;; ++symbol) {
        const auto hash = image.at<std::uint32_t>(chains + (symbol - *first_hashed) * 4);
        if (!hash)
            return std::nullopt;
        if ((*hash & 1U) != 0)
            return symbol + 1;
    }
}

std::optional<std::uint64_t> symbol_count(const Image& image) {
    if (const auto table = image.table(DT_GNU_HASH))
        return count_of_gnu_hash(image, *table);
    if (const auto table = image.table(DT_HASH))
        if (const auto count = image.at<std::uint32_t>(*table + 4))
            return *count;
    return std::nullopt;
}

/// N of "distributo_module_v<N>", if the name is one.
std::optional<unsigned> major_of(std::string_view name) {
    constexpr std::size_t longest = 4;
    if (name.substr(0, entry_prefix.size()) != entry_prefix)
        return std::nullopt;
    const auto digits = name.substr(entry_prefix.size());
    if (digits.empty() || digits.size() > longest || digits[0] == '0')
        return std::nullopt;
    unsigned major = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9')
            return std::nullopt;
        major = major * 10 + static_cast<unsigned>(digit - '0');
    }
    return major;
}

}  // namespace

base::Result<std::vector<unsigned>> entry_majors(std::string_view bytes) {
    const Image image(bytes);
    const auto symbols = image.table(DT_SYMTAB);
    const auto names = image.table(DT_STRTAB);
    const auto count = symbol_count(image);
    if (!symbols || !names || !count || *count > image.size() / sizeof(Elf64_Sym))
        return base::error(Errc::invalid_argument,
                           "is damaged: its table of symbols lies outside of its " +
                               std::to_string(image.size()) + " bytes",
                           "build it again, and rename it into the folder when it is complete");
    std::vector<unsigned> majors;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto symbol = image.at<Elf64_Sym>(*symbols + i * sizeof(Elf64_Sym));
        if (!symbol || symbol->st_shndx == SHN_UNDEF)
            continue;
        if (const auto major = major_of(image.text(*names + symbol->st_name)))
            majors.push_back(*major);
    }
    std::sort(majors.begin(), majors.end());
    return majors;
}

}  // namespace distributo::runtime
