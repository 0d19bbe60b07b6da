#pragma once

#include "coordinator/extensions/extensions.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace distributo::tests {

/// Generators and sinks that do nothing but remember what was asked of them.
class FakeExtensions final : public coordinator::extensions::Extensions {
public:
    using Kind = coordinator::extensions::ExtensionKind;
    using Status = coordinator::extensions::Status;
    using State = coordinator::extensions::State;

    explicit FakeExtensions(boost::asio::io_context& io) : io_(io) {}

    [[nodiscard]] std::vector<Status> list(Kind kind) const override {
        std::vector<Status> some;
        std::ranges::copy_if(all, std::back_inserter(some), [&](const Status& one) {
            return one.definition.kind == kind;
        });
        return some;
    }
    [[nodiscard]] std::optional<Status> find(Kind kind, std::string_view name) const override {
        for (const Status& one : all)
            if (one.definition.kind == kind && one.definition.name == name)
                return one;
        return std::nullopt;
    }
    [[nodiscard]] std::vector<coordinator::extensions::PluginFile> plugins() const override {
        return files;
    }

    void create(coordinator::extensions::Definition definition, Answer answer) override {
        Status status;
        status.definition = std::move(definition);
        if (!refuse && find(status.definition.kind, status.definition.name))
            refuse = base::error(base::Errc::conflict, "the name is taken");
        if (!refuse)
            all.push_back(status);
        say(std::move(status), std::move(answer));
    }
    void pause(Kind kind, std::string_view name, Answer answer) override {
        change(kind, name, State::paused, std::move(answer));
    }
    void resume(Kind kind, std::string_view name, Answer answer) override {
        change(kind, name, State::running, std::move(answer));
    }
    void run_now(Kind kind, std::string_view name, Answer answer) override {
        asked = "run";
        change(kind, name, State::running, std::move(answer));
    }
    void reset_generator(std::string_view name, std::string checkpoint, Answer answer) override {
        of(Kind::generator, name).cursor.checkpoint = std::move(checkpoint);
        say(of(Kind::generator, name), std::move(answer));
    }
    void reset_sink(std::string_view name, std::uint64_t sequence, Answer answer) override {
        of(Kind::sink, name).cursor.sequence = sequence;
        say(of(Kind::sink, name), std::move(answer));
    }
    void remove(Kind kind, std::string_view name, Answer answer) override {
        const Status status = of(kind, name);
        if (!refuse)
            std::erase_if(all, [&](const Status& one) {
                return one.definition.kind == kind && one.definition.name == name;
            });
        say(status, std::move(answer));
    }

    /// To be found among `all`.
    Status& of(Kind kind, std::string_view name) {
        return *std::ranges::find_if(all, [&](const Status& one) {
            return one.definition.kind == kind && one.definition.name == name;
        });
    }

    std::vector<Status> all;
    std::vector<coordinator::extensions::PluginFile> files;
    std::optional<base::Error> refuse;  ///< the answer to the next change
    std::string asked;

private:
    void change(Kind kind, std::string_view name, State state, Answer answer) {
        if (!refuse)
            of(kind, name).state = state;
        say(of(kind, name), std::move(answer));
    }
    void say(Status status, Answer answer) {
        base::Result<Status> result(std::move(status));
        if (const auto refusal = std::exchange(refuse, std::nullopt))
            result = *refusal;
        boost::asio::post(
            io_, [result = std::move(result), answer = std::move(answer)] { answer(result); });
    }

    boost::asio::io_context& io_;
};

}  // namespace distributo::tests
