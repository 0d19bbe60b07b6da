#pragma once

#include <distributo/detail/extension.hpp>
#include <distributo/detail/feed.hpp>
#include <distributo/detail/function.hpp>
#include <distributo/detail/outcome_view.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace distributo::detail {

/// The C functions of the generator that an Object is.
template <class Object>
class GeneratorTable {
public:
    static void add(Module& module, const std::string& name) {
        static std::string known_name, version, schema;
        static dto_generator_api api{};
        known_name = name;
        version = module.version();
        schema = config_schema<Object>();
        api = {.struct_size = sizeof api,
               .flags = 0,
               .name = to_abi(known_name),
               .version = to_abi(version),
               .config_schema = to_abi(schema),
               .open = &open,
               .next_batch = &next_batch,
               .on_result = nullptr,
               .close = &close};
        if constexpr (takes_results) {
            api.on_result = &on_result;
        }
        module.add_interface(DTO_INTERFACE_GENERATOR, &api);
    }

private:
    using Arguments = typename Function<decltype(&Object::next)>::Arguments;
    using Cursor = std::tuple_element_t<0, Arguments>;
    static_assert(std::is_same_v<Arguments, std::tuple<Cursor, Feed>>,
                  "next takes (Cursor&, distributo::Feed&)");
    static constexpr bool takes_results =
        requires(Object & object, Cursor& cursor, const Outcome& outcome, Feed& feed) {
        object.on_result(cursor, outcome, feed);
    };

    struct Generator : Opened<Object> {
        using Opened<Object>::Opened;
        Cursor cursor{};
        std::string token;  // that stands for it
    };

    static dto_status DTO_CALL open(const dto_host* host,
                                    dto_call* call,
                                    dto_str config,
                                    dto_bytes token,
                                    void** out) noexcept {
        return guarded(Host(*host).table(), call, [&] {
            auto made = std::make_unique<Generator>(*host);
            if (token.len != 0) {
                made->token.assign(static_cast<const char*>(token.ptr), token.len);
                made->cursor = decode_text<Cursor>(made->token, "checkpoint");
            } else {
                made->token = encode_text(made->cursor, "checkpoint");
            }
            made->make(from_abi(config));
            *out = made.release();
        });
    }

    /// Runs `body` on a copy of the cursor, which replaces it when all went well.
    template <class Body>
    static dto_status advance(void* self,
                              dto_call* call,
                              const dto_feed* feed,
                              std::uint32_t room,
                              Body&& body) noexcept {
        auto& generator = *static_cast<Generator*>(self);
        return guarded(generator.host.table(), call, [&]() -> dto_status {
            Feed to(generator.host, call, *feed, room);
            Cursor cursor = generator.cursor;
            body(*generator.object, cursor, to);
            std::string token = encode_text(cursor, "checkpoint");
            if (token != generator.token) {
                keep(*feed, call, token);
            }
            const bool moved = token != generator.token;
            generator.cursor = std::move(cursor);
            generator.token = std::move(token);
            if (to.ended()) {
                return DTO_END;
            }
            return moved || to.emitted() > 0 ? DTO_OK : DTO_IDLE;
        });
    }

    static void keep(const dto_feed& feed, dto_call* call, const std::string& token) {
        switch (feed.checkpoint(call, {token.data(), token.size()})) {
            case DTO_OK:
                return;
            case DTO_CANCELLED:
                throw Cancelled();
            default:
                throw permanent("the coordinator refused the checkpoint of " +
                                std::to_string(token.size()) + " bytes; it takes at most 64 KiB");
        }
    }

    static dto_status DTO_CALL next_batch(void* self,
                                          dto_call* call,
                                          const dto_feed* feed,
                                          std::uint32_t max) noexcept {
        return advance(self, call, feed, max, [](Object& object, Cursor& cursor, Feed& to) {
            object.next(cursor, to);
        });
    }

    static dto_status DTO_CALL on_result(void* self,
                                         dto_call* call,
                                         const dto_feed* feed,
                                         const dto_result_view* view) noexcept {
        return advance(self, call, feed, feed->room, [&](Object& object, Cursor& cursor, Feed& to) {
            object.on_result(cursor, outcome_of(*view), to);
        });
    }

    static void DTO_CALL close(void* self, dto_call*) noexcept {
        delete static_cast<Generator*>(self);
    }
};

}  // namespace distributo::detail
