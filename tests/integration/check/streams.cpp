// A generator and a sink without task types; each fault breaks one rule.
#include <distributo/generator.hpp>
#include <distributo/sink.hpp>

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

namespace {

struct Config {
    std::uint64_t last = 0;
};
BOOST_DESCRIBE_STRUCT(Config, (), (last))

struct Cursor {
    std::uint64_t next = 1;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (next))

class Numbers {
public:
    explicit Numbers(const Config& config) : last_(config.last) {}
    void next(Cursor& cursor, distributo::Feed& feed) {
        while (cursor.next <= last_ && feed.emit("faulty.double", Cursor{number(cursor)})) {
            ++cursor.next;
            ++count_;
        }
        if (cursor.next > last_)
            feed.end();
    }

private:
    [[nodiscard]] std::uint64_t number(const Cursor& cursor) const {
#ifdef WITH_MEMORY
        static_cast<void>(cursor);
        return count_;
#else
        return cursor.next;
#endif
    }
    const std::uint64_t last_;
    std::uint64_t count_ = 1;
};

class Table {
public:
    Table() { std::ifstream("stored") >> stored_; }
    [[nodiscard]] std::uint64_t last_stored() const { return stored_; }
    void write(std::span<const distributo::Outcome> outcomes) {
#ifdef WITH_FIRST_ONLY
        if (stored_ == 0)
#endif
            stored_ = outcomes.back().sequence;
        std::ofstream("stored") << stored_;
    }

private:
    std::uint64_t stored_ = 0;
};

}  // namespace

DISTRIBUTO_PLUGIN("faulty.streams",
                  "1.0.0",
                  distributo::generator<Numbers>("numbers"),
                  distributo::sink<Table>("table"));
