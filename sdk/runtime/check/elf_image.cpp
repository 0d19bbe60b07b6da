#include "runtime/check/elf_image.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <elf.h>
#include <optional>

namespace distributo::runtime::check {
namespace {

using base::Errc;

base::Error damaged(std::string_view what) {
    return base::error(Errc::invalid_argument,
                       "is damaged: " + std::string(what) + " lies outside of the file",
                       "build it again");
}

/// The bytes of a file and the only ways to look at them.
class Bytes {
public:
    explicit Bytes(std::string_view all) : all_(all) {}

    template <typename T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
        if (offset > all_.size() || sizeof(T) > all_.size() - offset)
            return std::nullopt;
        T value;
        std::memcpy(&value, all_.data() + offset, sizeof value);
        return value;
    }

    [[nodiscard]] std::optional<std::string_view> range(std::uint64_t offset,
                                                        std::uint64_t size) const {
        if (offset > all_.size() || size > all_.size() - offset)
            return std::nullopt;
        return all_.substr(offset, size);
    }

    /// The text at `offset` in a string table.
    static std::optional<std::string> text(std::string_view table, std::uint64_t offset) {
        if (offset >= table.size())
            return std::nullopt;
        const auto end = table.find('\0', offset);
        if (end == std::string_view::npos)
            return std::nullopt;
        return std::string(table.substr(offset, end - offset));
    }

private:
    std::string_view all_;
};

/// "2.34" as numbers, so that 2.9 is older than 2.34.
std::vector<int> version_parts(std::string_view text) {
    std::vector<int> parts;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    while (at < end) {
        int part = 0;
        const auto [next, error] = std::from_chars(at, end, part);
        if (error != std::errc())
            return {};
        parts.push_back(part);
        at = next < end && *next == '.' ? next + 1 : next;
        if (next < end && *next != '.')
            return {};
    }
    return parts;
}

void keep_highest(std::string& highest, std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix))
        return;
    const std::string_view version = name.substr(prefix.size());
    const auto parts = version_parts(version);
    if (!parts.empty() && version_parts(highest) < parts)
        highest = version;
}

class Parser {
public:
    explicit Parser(std::string_view file) : bytes_(file) {}

    base::Result<ElfImage> parse() {
        const auto header = bytes_.at<Elf64_Ehdr>(0);
        if (!header)
            return damaged("its header");
        if (auto read = read_segments(*header); !read)
            return read.error();
        if (auto read = read_sections(*header); !read)
            return read.error();
        const auto is_symbols = [](const Elf64_Shdr& one) { return one.sh_type == SHT_DYNSYM; };
        if (std::none_of(sections_.begin(), sections_.end(), is_symbols))
            return base::error(Errc::invalid_argument,
                               "has no section headers: nobody can tell what it exports",
                               "strip it with strip(1), which leaves them");
        for (const Elf64_Shdr& section : sections_)
            if (auto read = read_section(section); !read)
                return read.error();
        return std::move(image_);
    }

private:
    base::Result<void> read_segments(const Elf64_Ehdr& header) {
        bool has_stack = false;
        for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
            const auto segment = bytes_.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
            if (!segment)
                return damaged("its segment table");
            if (segment->p_type == PT_GNU_STACK) {
                has_stack = true;
                image_.executable_stack = (segment->p_flags & PF_X) != 0;
            }
            image_.relro |= segment->p_type == PT_GNU_RELRO;
            if (segment->p_type == PT_TLS)
                image_.tls_size = segment->p_memsz;
        }
        // Without the header the kernel assumes the worst.
        image_.executable_stack |= !has_stack;
        return {};
    }

    base::Result<void> read_sections(const Elf64_Ehdr& header) {
        for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
            const auto section = bytes_.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
            if (!section)
                return damaged("its section table");
            sections_.push_back(*section);
        }
        return {};
    }

    base::Result<void> read_section(const Elf64_Shdr& section) {
        switch (section.sh_type) {
            case SHT_DYNSYM:
                return read_symbols(section);
            case SHT_DYNAMIC:
                return read_dynamic(section);
            case SHT_GNU_verneed:
                return read_versions(section);
            default:
                return {};
        }
    }

    [[nodiscard]] std::optional<std::string_view> strings_of(const Elf64_Shdr& section) const {
        if (section.sh_link >= sections_.size())
            return std::nullopt;
        const Elf64_Shdr& strings = sections_[section.sh_link];
        if (strings.sh_type != SHT_STRTAB)
            return std::nullopt;
        return bytes_.range(strings.sh_offset, strings.sh_size);
    }

    base::Result<void> read_symbols(const Elf64_Shdr& section) {
        const auto strings = strings_of(section);
        if (!strings || !bytes_.range(section.sh_offset, section.sh_size))
            return damaged("its symbol table");
        for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size;
             at += sizeof(Elf64_Sym)) {
            const auto symbol = bytes_.at<Elf64_Sym>(section.sh_offset + at);
            const int binding = ELF64_ST_BIND(symbol->st_info);
            const int visibility = ELF64_ST_VISIBILITY(symbol->st_other);
            if (symbol->st_shndx == SHN_UNDEF || binding == STB_LOCAL || visibility == STV_HIDDEN ||
                visibility == STV_INTERNAL)
                continue;
            auto name = Bytes::text(*strings, symbol->st_name);
            if (!name)
                return damaged("the name of a symbol");
            image_.exports.push_back(
                {.name = std::move(*name), .unique = binding == STB_GNU_UNIQUE});
        }
        return {};
    }

    base::Result<void> read_dynamic(const Elf64_Shdr& section) {
        const auto strings = strings_of(section);
        if (!strings || !bytes_.range(section.sh_offset, section.sh_size))
            return damaged("its dynamic section");
        for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= section.sh_size;
             at += sizeof(Elf64_Dyn)) {
            const auto entry = bytes_.at<Elf64_Dyn>(section.sh_offset + at);
            if (entry->d_tag == DT_NULL)
                break;
            if (!read_entry(*entry, *strings))
                return damaged("the name of a library or folder");
        }
        return {};
    }

    bool read_entry(const Elf64_Dyn& entry, std::string_view strings) {
        const std::uint64_t value = entry.d_un.d_val;
        if (entry.d_tag == DT_NEEDED || entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) {
            auto text = Bytes::text(strings, value);
            if (!text)
                return false;
            if (entry.d_tag == DT_NEEDED)
                image_.needed.push_back(std::move(*text));
            else
                add_run_paths(*text);
        } else if (entry.d_tag == DT_FLAGS) {
            image_.text_relocations |= (value & DF_TEXTREL) != 0;
            image_.bind_now |= (value & DF_BIND_NOW) != 0;
            image_.static_tls |= (value & DF_STATIC_TLS) != 0;
        } else if (entry.d_tag == DT_FLAGS_1) {
            image_.bind_now |= (value & DF_1_NOW) != 0;
            image_.no_delete |= (value & DF_1_NODELETE) != 0;
        }
        image_.text_relocations |= entry.d_tag == DT_TEXTREL;
        image_.bind_now |= entry.d_tag == DT_BIND_NOW;
        return true;
    }

    void add_run_paths(std::string_view list) {
        for (std::size_t from = 0; from <= list.size();) {
            const auto to = std::min(list.find(':', from), list.size());
            image_.run_paths.emplace_back(list.substr(from, to - from));
            from = to + 1;
        }
    }

    base::Result<void> read_versions(const Elf64_Shdr& section) {
        const auto strings = strings_of(section);
        const auto all = bytes_.range(section.sh_offset, section.sh_size);
        if (!strings || !all)
            return damaged("its table of needed versions");
        const Bytes table(*all);
        std::uint64_t at = 0;
        for (std::uint64_t file = 0; file < section.sh_info; ++file) {
            const auto need = table.at<Elf64_Verneed>(at);
            if (!need)
                return damaged("its table of needed versions");
            std::uint64_t item = at + need->vn_aux;
            for (unsigned i = 0; i < need->vn_cnt; ++i) {
                const auto version = table.at<Elf64_Vernaux>(item);
                const auto name = version ? Bytes::text(*strings, version->vna_name) : std::nullopt;
                if (!name)
                    return damaged("the name of a needed version");
                keep_highest(image_.glibc, *name, "GLIBC_");
                keep_highest(image_.libstdcxx, *name, "GLIBCXX_");
                // A damaged table that points at itself must end, too.
                if (version->vna_next == 0)
                    break;
                item += version->vna_next;
            }
            if (need->vn_next == 0)
                break;
            at += need->vn_next;
        }
        return {};
    }

    Bytes bytes_;
    std::vector<Elf64_Shdr> sections_;
    ElfImage image_;
};

}  // namespace

base::Result<ElfImage> read_elf(std::string_view file) {
    return Parser(file).parse();
}

}  // namespace distributo::runtime::check
