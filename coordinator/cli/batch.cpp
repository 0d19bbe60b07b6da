#include "coordinator/cli/batch.hpp"

#include "base/config.hpp"
#include "coordinator/cli/listing.hpp"
#include "coordinator/cli/patience.hpp"
#include "wire/json.hpp"

#include <cstdio>

namespace distributo::coordinator::cli {

using base::Errc;
namespace json = wire::json;

namespace {

constexpr std::size_t tasks_per_request = 1000;
constexpr std::size_t bytes_per_request = 4 * 1024 * 1024;

}  // namespace

base::Result<Batch> Batch::open(const Context& context,
                                Client& client,
                                const SubmitOptions& options) {
    Batch batch(context, client, options);
    if (!options.timeout.empty()) {
        auto limit = base::parse_duration(options.timeout);
        if (!limit)
            return limit.error();
        batch.give_up_ = batch.start_ + std::chrono::milliseconds(*limit);
    }
    if (!options.output.empty()) {
        batch.output_.open(options.output, std::ios::binary | std::ios::trunc);
        if (!batch.output_)
            return base::error(Errc::invalid_argument, "cannot write " + options.output);
    }
    return batch;
}

Batch::Batch(const Context& context, Client& client, const SubmitOptions& options)
    : context_(context),
      client_(client),
      wait_(options.wait || !options.output.empty()),
      group_(options.group),
      output_name_(options.output),
      start_(clock_.now()),
      progress_(wait_ && context.mode == OutputMode::human, start_) {}

base::Result<void> Batch::add(std::string_view task) {
    body_ += task;
    body_ += '\n';
    ++in_body_;
    if (in_body_ < tasks_per_request && body_.size() < bytes_per_request)
        return {};
    return send();
}

base::Result<void> Batch::send() {
    while (in_body_ != 0) {
        auto answer = client_.post("/v1/tasks:batch", body_, "application/x-ndjson");
        if (answer) {
            body_.clear();
            in_body_ = 0;
            if (auto taken = take_ids(*answer); !taken)
                return taken;
            break;
        }
        if (answer.error().code != Errc::limit || interrupted())
            return answer.error();
        // The queue is full: outcomes make room.
        if (wait_) {
            if (auto collected = collect("1s"); !collected)
                return collected;
        } else if (!wait_for_room(context_, client_, give_up_)) {
            return answer.error();
        }
    }
    return wait_ ? collect("0s") : base::Result<void>();
}

base::Result<void> Batch::take_ids(std::string_view answer) {
    json::Reader reader(answer);
    const json::Value list = raw_member(answer, "results");
    if (!list.text.empty())
        reader = json::Reader(list.text);
    if (!reader.begin_array())
        return base::error(Errc::internal, "the server answered a batch without a list");
    for (json::Value entry; reader.next_element() && reader.value(entry);) {
        if (const auto id = raw_member(entry.text, "id").string()) {
            ++tally_.total;
            if (wait_)
                waiting_.insert(*id);
            else if (context_.mode == OutputMode::quiet)
                print(*id);
            continue;
        }
        ++refused_;
        if (first_refusal_.empty())
            first_refusal_ =
                raw_member(raw_member(entry.text, "error").text, "detail").string().value_or("");
    }
    return {};
}

base::Result<void> Batch::collect(std::string_view wait) {
    std::string target = "/v1/results?limit=1000&wait=" + std::string(wait);
    if (!group_.empty())
        target += "&group=" + encode(group_);
    if (!cursor_.empty())
        target += "&cursor=" + encode(cursor_);
    auto page = client_.get(target);
    if (!page)
        return page.error();
    const json::Value items = raw_member(*page, "items");
    if (const auto next = raw_member(*page, "next_cursor").string())
        cursor_ = *next;
    json::Reader reader(items.text);
    if (!reader.begin_array())
        return base::error(Errc::internal, "the server answered without a list of results");
    for (json::Value entry; reader.next_element() && reader.value(entry);)
        if (auto taken = take_outcome(entry.text); !taken)
            return taken;
    progress_.show(tally_, clock_.now());
    return {};
}

base::Result<void> Batch::take_outcome(std::string_view line) {
    const auto id = raw_member(line, "id").string();
    if (!id || waiting_.erase(*id) == 0)
        return {};
    ++tally_.done;
    if (raw_member(line, "state").plain_string() != "completed")
        ++tally_.failed;
    if (output_.is_open()) {
        output_ << line << '\n';
        if (!output_)
            return base::error(
                Errc::io,
                "cannot write " + output_name_,
                "the tasks go on; read them with: distributo task list --group " + group_);
    } else if (context_.mode != OutputMode::human) {
        print(line);
    }
    return {};
}

CommandResult Batch::finish() {
    if (auto sent = send(); !sent)
        return sent.error();
    while (wait_ && !waiting_.empty() && !interrupted()) {
        if (clock_.now() >= give_up_) {
            timed_out_ = true;
            break;
        }
        if (auto collected = collect("1s"); !collected)
            return collected.error();
    }
    progress_.finish();
    output_.close();
    return summary();
}

int Batch::summary() const {
    if (refused_ != 0)
        base::print_error(
            {Errc::conflict,
             grouped(refused_) + " tasks were refused, the first because: " + first_refusal_,
             {}});
    if (context_.mode == OutputMode::human) {
        const double seconds = std::chrono::duration<double>(clock_.now() - start_).count();
        if (wait_)
            std::fprintf(stderr,
                         "%s tasks in %.1f s · %s tasks/s · failed %s\n",
                         grouped(tally_.done).c_str(),
                         seconds,
                         grouped(static_cast<std::uint64_t>(static_cast<double>(tally_.done) /
                                                            std::max(seconds, 0.001)))
                             .c_str(),
                         grouped(tally_.failed).c_str());
        else
            std::fprintf(stderr, "%s tasks submitted\n", grouped(tally_.total).c_str());
        if (!group_.empty())
            std::fprintf(stderr, "group %s\n", group_.c_str());
    }
    if (interrupted()) {
        std::fprintf(stderr,
                     "interrupted: %s tasks go on\n  hint: distributo task list --group %s\n",
                     grouped(waiting_.size()).c_str(),
                     group_.c_str());
        return base::exit_code::interrupted;
    }
    if (timed_out_)
        return base::exit_code::timeout;
    if (refused_ != 0)
        return base::exit_code::refused;
    return tally_.failed != 0 ? base::exit_code::task_failed : base::exit_code::ok;
}

}  // namespace distributo::coordinator::cli
