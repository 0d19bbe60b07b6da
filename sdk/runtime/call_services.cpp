#include "runtime/abi_text.hpp"
#include "runtime/call.hpp"
#include "runtime/value_cache.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <cstring>

// What a call offers beyond the host table itself.
namespace distributo::runtime {

dto_status Call::accept_for(dto_call* call, const char* function) {
    const std::lock_guard lock(mutex_);
    return accept_task(call, function);
}

const char* Call::keep(dto_call* call, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (accept_task(call, "keep") != DTO_OK)
        return nullptr;
    auto* const memory = static_cast<char*>(arena_.take(std::max<std::size_t>(bytes.size(), 1)));
    if (memory)
        std::memcpy(memory, bytes.data(), bytes.size());
    return memory;
}

dto_status Call::emit(dto_call* call, const dto_task_spec& spec) {
    base::Result<void> added;
    {
        const std::lock_guard lock(mutex_);
        if (const auto refused = accept_task(call, "emit"))
            return refused;
        if (kind_ == Kind::service || kind_ == Kind::feed)
            return DTO_UNSUPPORTED;
        added = follow_ups_.add(spec);
    }
    if (added)
        return DTO_OK;
    log(call, DTO_ERROR, added.error().message, {});
    return DTO_PERMANENT;
}

// ---- what a generator makes --------------------------------------------------------------------

dto_status Call::feed(dto_call* call, const dto_task_spec& spec) {
    base::Result<void> added;
    {
        const std::lock_guard lock(mutex_);
        if (const auto refused = accept_task(call, "emit"))
            return refused;
        if (kind_ != Kind::feed)
            return DTO_UNSUPPORTED;
        added = book_->tasks.add(spec);
    }
    if (added)
        return DTO_OK;
    if (added.error().code == base::Errc::limit)
        return DTO_RETRY;
    log(call, DTO_ERROR, added.error().message, {});
    return DTO_PERMANENT;
}

dto_status Call::checkpoint(dto_call* call, std::string_view token) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto refused = accept_task(call, "checkpoint"))
            return refused;
        if (kind_ != Kind::feed)
            return DTO_UNSUPPORTED;
        if (token.size() <= wire::limits::checkpoint_length) {
            book_->checkpoint = token;
            return DTO_OK;
        }
    }
    log(call,
        DTO_ERROR,
        "checkpoint refused: it has " + std::to_string(token.size()) + " bytes, at most " +
            std::to_string(wire::limits::checkpoint_length),
        {});
    return DTO_PERMANENT;
}

// ---- the cache that all plugins share --------------------------------------------------------

dto_status Call::cache_get(dto_call* call, std::string_view key, dto_bytes& value) {
    value = {};
    if (const auto refused = accept_for(call, "cache.get"))
        return refused;
    if (!ValueCache().accepts(key, 0))
        return DTO_PERMANENT;
    std::string found;
    if (!reporter_.cache_get(key, found))
        return DTO_END;
    const char* const kept = keep(call, found);
    if (!kept)
        return DTO_END;
    value = {kept, found.size()};
    return DTO_OK;
}

dto_status Call::cache_put(dto_call* call,
                           std::string_view key,
                           std::string_view value,
                           std::int64_t ttl_ms) {
    if (const auto refused = accept_for(call, "cache.put"))
        return refused;
    if (!ValueCache().accepts(key, value.size()))
        return DTO_PERMANENT;
    reporter_.cache_put(key, value, std::max<std::int64_t>(ttl_ms, 0));
    return DTO_OK;
}

dto_status Call::notify(dto_call* call, std::string_view what) {
    if (!is_current(call, "notify"))
        return DTO_CANCELLED;
    if (what == "capabilities")
        reporter_.capabilities_changed();
    if (what == "more")
        reporter_.more();
    return what == "capabilities" || what == "more" ? DTO_OK : DTO_UNSUPPORTED;
}

// ---- artifacts -------------------------------------------------------------------------------

Artifacts* Call::artifacts_of(dto_call* call, const char* function) {
    dto_str directory{};
    if (accept_for(call, function) != DTO_OK || work_dir(call, directory) != DTO_OK)
        return nullptr;
    const std::lock_guard lock(mutex_);
    if (accept_task(call, function) != DTO_OK)
        return nullptr;
    if (!artifacts_)
        artifacts_ = std::make_unique<Artifacts>();
    if (!artifacts_->begun())
        artifacts_->begin(work_dir_, call->cancelled);
    return artifacts_.get();
}

}  // namespace distributo::runtime
