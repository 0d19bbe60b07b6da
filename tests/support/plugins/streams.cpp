// What the torture of generators and sinks runs: two generators whose tasks can be counted
// afterwards, and a sink that keeps a ledger.
//
//   torture_numbers  0, 1, 2 … in calls of changing size, until the file `stop` exists
//   torture_append   one line "sequence number" per outcome in `ledger`, synced; with `remembers`
//                    it goes on behind the last line that it finds there
#include <distributo/generator.hpp>
#include <distributo/sink.hpp>

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

struct Job {
    std::uint64_t number = 0;
};
BOOST_DESCRIBE_STRUCT(Job, (), (number))

struct Limits {
    std::string stop;  ///< a file
};
BOOST_DESCRIBE_STRUCT(Limits, (), (stop))

struct Position {
    std::uint64_t next = 0;
};
BOOST_DESCRIBE_STRUCT(Position, (), (next))

class Numbers {
public:
    explicit Numbers(const Limits& limits) : limits_(limits) {}

    void next(Position& position, distributo::Feed& feed) {
        if (std::filesystem::exists(limits_.stop))
            return feed.end();
        constexpr std::uint64_t longest = 40;
        const auto end = position.next + 1 + position.next % longest;
        while (position.next < end && feed.emit("test.echo", Job{position.next}))
            ++position.next;
    }

private:
    const Limits limits_;
};

struct Ledger {
    std::string ledger;
    bool remembers = false;
};
BOOST_DESCRIBE_STRUCT(Ledger, (), (ledger, remembers))

class Append {
public:
    explicit Append(const Ledger& config)
        : config_(config),
          file_(open(config.ledger.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
        if (file_ < 0)
            throw std::runtime_error("cannot open " + config.ledger);
        cut_torn_line();
    }
    Append(const Append&) = delete;
    Append& operator=(const Append&) = delete;
    ~Append() { close(file_); }

    std::uint64_t last_stored() const { return config_.remembers ? last_ : 0; }

    void write(std::span<const distributo::Outcome> outcomes) {
        std::string lines;
        for (const auto& outcome : outcomes)
            lines += std::to_string(outcome.sequence) + ' ' + std::string(outcome.result) + '\n';
        if (::write(file_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()) ||
            fdatasync(file_) != 0)
            throw std::runtime_error("cannot write to " + config_.ledger);
    }

private:
    void cut_torn_line() {
        std::ifstream in(config_.ledger);
        std::uint64_t whole = 0;
        for (std::string line; std::getline(in, line) && !in.eof(); whole += line.size() + 1)
            last_ = std::strtoull(line.c_str(), nullptr, 10);
        if (ftruncate(file_, static_cast<off_t>(whole)) != 0)
            throw std::runtime_error("cannot cut " + config_.ledger);
    }

    const Ledger config_;
    int file_;
    std::uint64_t last_ = 0;
};

}  // namespace

DISTRIBUTO_PLUGIN("test.streams",
                  "1.0.0",
                  distributo::generator<Numbers>("torture_numbers"),
                  distributo::sink<Append>("torture_append"));
