#include "coordinator/store/sqlite/names.hpp"

namespace distributo::coordinator::store {
namespace {

// Groups and labels may differ from task to task; forgetting them only costs a look-up.
constexpr std::size_t most_known = 100'000;

}  // namespace

NameIds::NameIds(const Database& database)
    : database_(database),
      select_(database.prepare("SELECT id FROM name WHERE kind = ? AND text = ?")),
      insert_(database.prepare("INSERT INTO name(kind, text) VALUES(?, ?)")),
      delete_(database.prepare("DELETE FROM name WHERE id = ?")) {}

NameId NameIds::look_up(NameKind kind, std::string_view text) {
    auto rows = select_.query(kind, text);
    return rows.next() ? rows.as<NameId>(0) : 0;
}

NameId NameIds::find(NameKind kind, std::string_view text) {
    const auto& ids = known_[static_cast<std::size_t>(kind)].ids;
    const auto place = ids.find(text);
    return place != ids.end() ? place->second : look_up(kind, text);
}

NameId NameIds::id(NameKind kind, std::string_view text) {
    if (text.empty())
        return 0;
    auto& known = known_[static_cast<std::size_t>(kind)];
    if (text == known.last)
        return known.last_id;
    NameId id = find(kind, text);
    if (id == 0) {
        insert_.run(kind, text);
        id = static_cast<NameId>(database_.last_row());
    }
    if (known.ids.size() > most_known)
        known.ids.clear();
    known.ids.try_emplace(std::string(text), id);
    known.last = text;
    known.last_id = id;
    return id;
}

void NameIds::remove(const std::vector<NameId>& ids) {
    for (const auto id : ids)
        delete_.run(id);
    forget();
}

void NameIds::forget() noexcept {
    known_ = {};
}

NameTexts::NameTexts(const Database& database)
    : select_(database.prepare("SELECT text FROM name WHERE id = ?")) {}

std::string_view NameTexts::text(std::int64_t id) {
    if (id == 0)
        return {};
    const auto known = texts_.find(id);
    if (known != texts_.end())
        return known->second;
    auto rows = select_.query(id);
    if (!rows.next())
        return {};
    return texts_.try_emplace(id, rows.text(0)).first->second;
}

}  // namespace distributo::coordinator::store
