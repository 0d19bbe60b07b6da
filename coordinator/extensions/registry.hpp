#pragma once

#include "coordinator/extensions/instance.hpp"
#include "coordinator/extensions/libraries.hpp"
#include "coordinator/extensions/make_extensions.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace distributo::coordinator::extensions {

/// All generators and sinks, by kind and name, and what people ask of them.
class Registry final : public RunningExtensions {
public:
    Registry(boost::asio::io_context& io,
             const base::Clock& clock,
             engine::Engine& engine,
             ExtensionsOptions options);

    base::Result<void> start() override;
    void stop(std::function<void()> done) override;

    [[nodiscard]] std::vector<Status> list(ExtensionKind kind) const override;
    [[nodiscard]] std::optional<Status> find(ExtensionKind kind,
                                             std::string_view name) const override;
    [[nodiscard]] std::vector<PluginFile> plugins() const override;
    void create(Definition definition, Answer answer) override;
    void pause(ExtensionKind kind, std::string_view name, Answer answer) override;
    void resume(ExtensionKind kind, std::string_view name, Answer answer) override;
    void run_now(ExtensionKind kind, std::string_view name, Answer answer) override;
    void reset_generator(std::string_view name, std::string checkpoint, Answer answer) override;
    void reset_sink(std::string_view name, std::uint64_t sequence, Answer answer) override;
    void remove(ExtensionKind kind, std::string_view name, Answer answer) override;

private:
    using Key = std::pair<ExtensionKind, std::string>;

    void recover();
    void declare(const Declaration& declaration);
    void keep_declared(const Declaration& declaration, core::ExtensionRecord record);
    Instance& add(Definition definition, core::ExtensionRecord record, core::Cursor cursor);
    void tend_all();
    void update_needs();
    void watch_newest();
    [[nodiscard]] Instance* instance(ExtensionKind kind, std::string_view name) const;
    [[nodiscard]] base::Result<void> check(Definition& definition) const;
    /// Runs `use(instance)`, or answers that there is none; never inside the call.
    template <typename Use>
    void with(ExtensionKind kind, std::string_view name, Answer answer, Use use);
    void set_paused(Instance& instance, bool paused, Answer answer);
    void reset(Instance& instance, core::Cursor cursor, Answer answer);
    void answer_later(Answer answer, base::Result<Status> result);

    boost::asio::io_context& io_;
    engine::Engine& engine_;
    const ExtensionsOptions options_;
    std::map<Key, std::unique_ptr<Instance>> instances_;
    std::map<core::ExtensionNumber, std::string> generator_names_;  // removed ones included
    std::map<Key, bool> being_made_;
    Libraries libraries_;
    Surroundings around_;
    std::uint64_t needed_ = 0;
    boost::asio::steady_timer newest_timer_;
    bool watching_newest_ = false;
    bool stopping_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::coordinator::extensions
