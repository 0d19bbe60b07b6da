#pragma once

#include "tests/simulation/coordinator.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace distributo::simulation {

/// What a generator and a sink have in common: the coordinator knows it by a name, and where it has
/// come to. Everything else of it dies with the coordinator.
class Extension {
public:
    Extension(core::ExtensionKind kind,
              std::string name,
              Timeline& time,
              Trace& trace,
              Random random,
              Coordinator& coordinator,
              ExtensionOracle& oracle)
        : trace_(trace),
          random_(random),
          oracle_(oracle),
          kind_(kind),
          name_(std::move(name)),
          time_(time),
          coordinator_(coordinator) {}
    virtual ~Extension() = default;
    Extension(const Extension&) = delete;
    Extension& operator=(const Extension&) = delete;

    void coordinator_started(engine::Engine& engine);

protected:
    using Step = std::function<void(engine::Engine&)>;

    /// `cursor_` is where it has come to.
    virtual void begin(engine::Engine& engine) = 0;
    /// Unless the coordinator dies before.
    void later(base::Duration delay, Step step);

    Trace& trace_;
    Random random_;
    ExtensionOracle& oracle_;
    core::Cursor cursor_;

private:
    void make(engine::Engine& engine);

    core::ExtensionKind kind_;
    std::string name_;
    Timeline& time_;
    Coordinator& coordinator_;
};

/// Makes the same tasks in the same order, from its checkpoint on: the number of the next one.
class Generator final : public Extension {
public:
    Generator(std::uint32_t number,
              const GeneratorPlan& plan,
              Timeline& time,
              Trace& trace,
              Random random,
              Coordinator& coordinator,
              ExtensionOracle& oracle)
        : Extension(core::ExtensionKind::generator,
                    generator_name(number),
                    time,
                    trace,
                    random,
                    coordinator,
                    oracle),
          number_(number),
          plan_(plan) {}

private:
    void begin(engine::Engine& engine) override;
    void next(engine::Engine& engine);
    void look_at_results(engine::Engine& engine);
    void acknowledge(engine::Engine& engine, const store::ResultsPage& page);
    void feed(engine::Engine& engine, const engine::Feed& what);
    [[nodiscard]] std::string task(const std::string& payload) const;
    /// Number of its task with this payload; none: no number at all.
    [[nodiscard]] std::uint32_t number_of(std::string_view payload) const;

    std::uint32_t number_;
    const GeneratorPlan& plan_;
    std::uint32_t place_ = 0;
    bool feeding_ = false;
};

/// Gets every outcome. What it has stored outlives the coordinator, what it has in its buffer does
/// not.
class Sink final : public Extension {
public:
    Sink(std::uint32_t number,
         const SinkPlan& plan,
         Timeline& time,
         Trace& trace,
         Random random,
         Coordinator& coordinator,
         ExtensionOracle& oracle)
        : Extension(core::ExtensionKind::sink,
                    sink_name(number),
                    time,
                    trace,
                    random,
                    coordinator,
                    oracle),
          number_(number),
          plan_(plan) {}

private:
    void begin(engine::Engine& engine) override;
    void read(engine::Engine& engine);
    void write(const store::ResultsPage& page);
    void written(engine::Engine& engine, std::uint64_t position);
    void store_one(std::uint64_t sequence);
    void flush();
    void keep_cursor(engine::Engine& engine);

    std::uint32_t number_;
    const SinkPlan& plan_;
    std::uint64_t last_stored_ = 0;  // in its own storage
    std::uint64_t position_ = 0;     // it was given everything up to this one
    std::uint64_t safe_ = 0;         // and has stored everything up to this one
    std::vector<std::uint64_t> buffer_;
};

}  // namespace distributo::simulation
