#include "base/config.hpp"
#include "base/ids.hpp"
#include "coordinator/cli/batch.hpp"
#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/patience.hpp"
#include "coordinator/cli/payload.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace distributo::coordinator::cli {

using base::Errc;
using wire::json::Writer;

namespace {

/// Writes "key=value" entries as an object of strings.
base::Result<void> write_labels(Writer& writer, const std::vector<std::string>& labels) {
    writer.key("labels").begin_object();
    for (const std::string& label : labels) {
        const auto equals = label.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::error(Errc::invalid_argument,
                               "--label expects key=value, got \"" + label + "\"");
        std::string key;
        Writer(key).string(label.substr(0, equals));
        writer.key(std::string_view(key).substr(1, key.size() - 2));
        writer.string(label.substr(equals + 1));
    }
    writer.end_object();
    return {};
}

/// Everything of a task but type and payload, as members ready to be put behind them.
base::Result<std::string> common_members(const SubmitOptions& options) {
    std::string text;
    Writer writer(text);
    writer.begin_object();
    if (!options.id.empty())
        writer.member("id", options.id);
    if (!options.group.empty())
        writer.member("group", options.group);
    if (!options.unique_key.empty())
        writer.member("unique_key", options.unique_key);
    if (!options.delay.empty())
        writer.member("delay", options.delay);
    if (!options.deadline.empty())
        writer.member("deadline", options.deadline);
    if (!options.task_timeout.empty())
        writer.member("timeout", options.task_timeout);
    if (options.priority != 0)
        writer.member("priority", options.priority);
    if (options.max_attempts != 0)
        writer.member("max_attempts", options.max_attempts);
    if (!options.labels.empty())
        if (auto written = write_labels(writer, options.labels); !written)
            return written.error();
    writer.end_object();
    return text == "{}" ? std::string() : "," + text.substr(1, text.size() - 2);
}

std::string task_text(const std::string& type, std::string_view payload, std::string_view common) {
    std::string text;
    Writer writer(text);
    writer.begin_object().member("type", type).member_raw("payload", payload);
    text += common;
    text += '}';
    return text;
}

/// When --timeout is over.
base::Result<base::TimePoint> end_of_waiting(const SubmitOptions& options) {
    if (options.timeout.empty())
        return base::TimePoint::max();
    auto limit = base::parse_duration(options.timeout);
    if (!limit)
        return limit.error();
    return base::SystemClock().now() + std::chrono::milliseconds(*limit);
}

/// A line source: a file or standard input.
class Lines {
public:
    static base::Result<Lines> open(const std::string& name) {
        Lines lines;
        if (name != "-") {
            lines.file_ = std::make_unique<std::ifstream>(name, std::ios::binary);
            if (!*lines.file_)
                return base::error(Errc::invalid_argument, "cannot read " + name);
        }
        return lines;
    }

    bool next(std::string& line) {
        std::istream& in = file_ ? *file_ : std::cin;
        while (std::getline(in, line)) {
            ++number_;
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            if (!line.empty())
                return true;
        }
        return false;
    }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

private:
    std::unique_ptr<std::ifstream> file_;
    std::uint64_t number_ = 0;
};

CommandResult submit_lines(Batch& batch, const SubmitOptions& options) {
    auto values = PayloadTemplate::parse(options.sets);
    if (!values)
        return values.error();
    auto common = common_members(options);
    if (!common)
        return common.error();
    auto lines = Lines::open(options.each_line);
    if (!lines)
        return lines.error();
    std::string line;
    while (!interrupted() && lines->next(line))
        if (auto added = batch.add(task_text(options.type, values->fill(line), *common)); !added)
            return added.error();
    return batch.finish();
}

/// A line of --file: a whole task, or with a TYPE argument just its payload.
CommandResult submit_file(Batch& batch, const SubmitOptions& options) {
    auto common = common_members(options);
    if (!common)
        return common.error();
    auto lines = Lines::open(options.file);
    if (!lines)
        return lines.error();
    std::string line;
    while (!interrupted() && lines->next(line)) {
        if (const auto value = wire::json::parse(line); !value)
            return base::error(Errc::invalid_argument,
                               options.file + ":" + std::to_string(lines->number()) + ": " +
                                   value.error().message);
        auto added =
            batch.add(options.type.empty() ? line : task_text(options.type, line, *common));
        if (!added)
            return added.error();
    }
    return batch.finish();
}

void print_times(const boost::json::value& task) {
    const auto* times = task.as_object().if_contains("times");
    if (!times || !times->is_object())
        return;
    std::fprintf(stderr,
                 "  wait %s µs · setup %s µs · install %s µs · execute %s µs\n",
                 text_of(*times, "wait_us").c_str(),
                 text_of(*times, "setup_us").c_str(),
                 text_of(*times, "install_us").c_str(),
                 text_of(*times, "execute_us").c_str());
}

/// Waits for one task and prints its result.
CommandResult wait_for(const Context& context, Client& client, const std::string& id) {
    const std::string target = "/v1/tasks/" + encode(id);
    for (;;) {
        if (interrupted())
            return base::exit_code::interrupted;
        auto body = client.get(target + "?wait=1s");
        if (!body)
            return body.error();
        auto task = parse_document(*body);
        if (!task)
            return task.error();
        const std::string state = text_of(*task, "state");
        if (state != "completed" && state != "failed" && state != "cancelled" && state != "expired")
            continue;
        if (context.mode == OutputMode::json)
            print(*body);
        if (state != "completed") {
            if (context.mode != OutputMode::json)
                base::print_error({Errc::conflict,
                                   id + " " + state + ": " + text_of(*task, "reason") + " " +
                                       text_of(*task, "error"),
                                   "distributo task show " + id});
            return base::exit_code::task_failed;
        }
        if (context.mode == OutputMode::json)
            return base::exit_code::ok;
        if (context.mode == OutputMode::human) {
            std::fprintf(stderr, "%s on %s\n", id.c_str(), text_of(*task, "host").c_str());
            print_times(*task);
        }
        auto result = client.get(target + "/result");
        if (!result)
            return result.error();
        print(*result);
        return base::exit_code::ok;
    }
}

CommandResult submit_one(const Context& context, Client& client, const SubmitOptions& options) {
    std::string payload;
    if (options.payload.empty()) {
        auto values = PayloadTemplate::parse(options.sets);
        if (!values)
            return values.error();
        payload = options.sets.empty() ? "{}" : values->fill("");
    } else {
        auto read = read_payload(options.payload);
        if (!read)
            return read.error();
        payload = *read;
    }
    auto common = common_members(options);
    if (!common)
        return common.error();
    const auto give_up = end_of_waiting(options);
    if (!give_up)
        return give_up.error();
    const auto text = task_text(options.type, payload, *common);
    auto body = client.post("/v1/tasks", text);
    while (!body && body.error().code == Errc::limit && wait_for_room(context, client, *give_up))
        body = client.post("/v1/tasks", text);
    if (!body)
        return body.error();
    auto task = parse_document(*body);
    if (!task)
        return task.error();
    const std::string id = text_of(*task, "id");
    if (options.wait)
        return wait_for(context, client, id);
    print(context.mode == OutputMode::json ? *body : id);
    return base::exit_code::ok;
}

base::Result<void> check_sources(const SubmitOptions& options) {
    const int sources =
        !options.payload.empty() + !options.each_line.empty() + !options.file.empty();
    if (sources > 1)
        return base::error(Errc::invalid_argument,
                           "a payload, --each-line and --file exclude each other");
    if (options.type.empty() && options.file.empty())
        return base::error(Errc::invalid_argument,
                           "which task type?",
                           "distributo submit TYPE '{\"key\":\"value\"}'");
    if (!options.id.empty() && (!options.each_line.empty() || !options.file.empty()))
        return base::error(Errc::invalid_argument, "--id names one task, not a batch");
    if (!options.unique_key.empty() && (!options.each_line.empty() || !options.file.empty()))
        return base::error(Errc::invalid_argument,
                           "--unique-key lets one task live, not a batch",
                           "put \"unique_key\" into the lines of --file");
    return {};
}

}  // namespace

CommandResult submit(const Context& context, const SubmitOptions& options) {
    if (auto checked = check_sources(options); !checked)
        return checked.error();
    auto client = connect(context);
    if (!client)
        return client.error();
    watch_for_interrupt();
    if (options.each_line.empty() && options.file.empty())
        return submit_one(context, *client, options);

    SubmitOptions own = options;
    if (own.group.empty() && !own.type.empty())
        own.group = "batch-" + base::random_hex(4);
    auto batch = Batch::open(context, *client, own);
    if (!batch)
        return batch.error();
    return own.file.empty() ? submit_lines(*batch, own) : submit_file(*batch, own);
}

}  // namespace distributo::coordinator::cli
