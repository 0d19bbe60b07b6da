#pragma once

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/schema.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

/// Number of a text in `name`; 0 stands for the empty text.
using NameId = std::uint32_t;

/// How a label stands there. Two labels may look alike: whoever looks for one checks the task too.
[[nodiscard]] inline std::string label_text(std::string_view key, std::string_view value) {
    return std::string(key).append(1, '=').append(value);
}

/// Texts to numbers, for the connection that writes: what is new gets one.
class NameIds {
public:
    explicit NameIds(const Database& database);
    [[nodiscard]] NameId id(NameKind kind, std::string_view text);
    /// 0 when nobody has it.
    [[nodiscard]] NameId find(NameKind kind, std::string_view text);
    void remove(const std::vector<NameId>& ids);
    /// After a transaction was rolled back: numbers that it made are not known any more.
    void forget() noexcept;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    /// The text looked at last comes first, since most of a batch is alike.
    struct Known {
        std::unordered_map<std::string, NameId, Hash, std::equal_to<>> ids;
        std::string last;
        NameId last_id = 0;
    };
    [[nodiscard]] NameId look_up(NameKind kind, std::string_view text);

    const Database& database_;
    Statement select_;
    Statement insert_;
    Statement delete_;
    std::array<Known, name_kinds> known_;
};

/// Numbers to texts. A view that it gave lives as long as it: of those that are asked for, types,
/// hosts and versions, there are few.
class NameTexts {
public:
    explicit NameTexts(const Database& database);
    [[nodiscard]] std::string_view text(std::int64_t id);

private:
    Statement select_;
    std::unordered_map<std::int64_t, std::string> texts_;
};

}  // namespace distributo::coordinator::store
