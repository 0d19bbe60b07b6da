#include "coordinator/engine/schema_cache.hpp"

#include "base/log.hpp"

namespace distributo::coordinator::engine {

std::optional<wire::Schema> SchemaCache::compiled(std::string_view text) {
    if (text.empty())
        return std::nullopt;
    if (const auto found = schemas_.find(text); found != schemas_.end())
        return found->second;
    if (schemas_.size() >= max_schemas)
        schemas_.clear();

    std::optional<wire::Schema> schema;
    if (auto result = wire::Schema::compile(text))
        schema = std::move(*result);
    else
        base::log::warn("types.schema_ignored", {{"error", result.error().message}});
    schemas_.emplace(text, schema);
    return schema;
}

}  // namespace distributo::coordinator::engine
