#pragma once

#include <distributo/detail/extension.hpp>
#include <distributo/detail/outcome_view.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace distributo::detail {

/// The C functions of the sink that an Object is.
template <class Object>
class SinkTable {
public:
    static void add(Module& module, const std::string& name) {
        static std::string known_name, version, schema;
        static dto_sink_api api{};
        known_name = name;
        version = module.version();
        schema = config_schema<Object>();
        api = {.struct_size = sizeof api,
               .flags = 0,
               .name = to_abi(known_name),
               .version = to_abi(version),
               .config_schema = to_abi(schema),
               .open = &open,
               .write = &write,
               .flush = &flush,
               .close = &close};
        module.add_interface(DTO_INTERFACE_SINK, &api);
    }

private:
    using Sink = Opened<Object>;

    static dto_status DTO_CALL open(const dto_host* host,
                                    dto_call* call,
                                    dto_str config,
                                    std::uint64_t* last,
                                    void** out) noexcept {
        return guarded(Host(*host).table(), call, [&] {
            auto made = std::make_unique<Sink>(*host);
            made->make(from_abi(config));
            *last = 0;
            if constexpr (requires(Object & object) { object.last_stored(); }) {
                *last = made->object->last_stored();
            }
            *out = made.release();
        });
    }

    static dto_status DTO_CALL write(void* self,
                                     dto_call* call,
                                     const dto_result_view* const* views,
                                     std::uint32_t count,
                                     std::uint32_t* durable) noexcept {
        auto& sink = *static_cast<Sink*>(self);
        *durable = 0;
        return guarded(sink.host.table(), call, [&] {
            std::vector<Outcome> outcomes;
            outcomes.reserve(count);
            for (const auto* view : std::span(views, count)) {
                outcomes.push_back(outcome_of(*view));
            }
            const std::span<const Outcome> all(outcomes);
            if constexpr (std::is_void_v<decltype(sink.object->write(all))>) {
                sink.object->write(all);
                *durable = count;
            } else {
                *durable = static_cast<std::uint32_t>(sink.object->write(all));
            }
        });
    }

    static dto_status DTO_CALL flush(void* self, dto_call* call) noexcept {
        auto& sink = *static_cast<Sink*>(self);
        return guarded(sink.host.table(), call, [&] {
            if constexpr (requires(Object & object) { object.flush(); }) {
                sink.object->flush();
            }
        });
    }

    static void DTO_CALL close(void* self, dto_call*) noexcept { delete static_cast<Sink*>(self); }
};

}  // namespace distributo::detail
