#include "table.hpp"

#include <distributo/sink.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace {

struct Config {
    std::string database;
    std::optional<std::string> table;
    std::optional<bool> per_type;
};
BOOST_DESCRIBE_STRUCT(Config, (), (database, table, per_type))

/// Outcomes as rows. The last sequence is stored in the transaction of the rows, so that it is
/// known also when rows were deleted, or are spread over many tables.
class Tables {
public:
    explicit Tables(const Config& config)
        : base_(config.table.value_or("outcomes")),
          per_type_(config.per_type.value_or(false)),
          database_((sqlite::require_table_name(base_), config.database)),
          progress_(database_, base_),
          last_(progress_.read()) {
        if (!per_type_) {
            table(base_);  // what is wrong with it is better said now than with the first outcome
        }
    }

    [[nodiscard]] std::uint64_t last_stored() const { return last_; }

    void write(std::span<const distributo::Outcome> outcomes) {
        if (outcomes.empty() || outcomes.back().sequence <= last_) {
            return;  // the acknowledgement was lost
        }
        sqlite::Transaction transaction(database_);
        for (const distributo::Outcome& outcome : outcomes) {
            if (outcome.sequence > last_) {
                table(per_type_ ? sqlite::table_of_type(base_, outcome.task_type) : base_)
                    .insert(outcome);
            }
        }
        progress_.write(outcomes.back().sequence);
        transaction.commit();
        last_ = outcomes.back().sequence;
    }

private:
    sqlite::Table& table(const std::string& name) {
        std::unique_ptr<sqlite::Table>& known = tables_[name];
        if (!known) {
            known = std::make_unique<sqlite::Table>(database_, name);
        }
        return *known;
    }

    std::string base_;
    bool per_type_;
    sqlite::Database database_;
    sqlite::Progress progress_;
    std::uint64_t last_;
    std::map<std::string, std::unique_ptr<sqlite::Table>> tables_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.sqlite",
                  "1.0.0",
                  distributo::sink<Tables>("sqlite"),
                  distributo::license("MIT"));
