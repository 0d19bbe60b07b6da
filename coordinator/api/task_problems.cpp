#include "coordinator/api/task_problems.hpp"

namespace distributo::coordinator::api {

Problem id_taken(const std::string& id) {
    return {.status = Status::conflict,
            .code = "id_taken",
            .detail = "a task with the id \"" + id + "\" exists already, with other content",
            .hint = "leave the id out, or send the same content again to repeat a request",
            .faults = {{"/id", "is taken"}},
            .extra = {}};
}

Problem submit_problem(const engine::Engine& engine, const base::Error& error) {
    constexpr std::int64_t look_at_the_disk_again_s = 10;
    Problem problem = to_problem(error);
    if (error.code == base::Errc::limit) {
        problem.code = "queue_full";
        problem.retry_after_s =
            std::chrono::ceil<std::chrono::seconds>(engine.time_until_room()).count();
    } else if (error.code == base::Errc::no_space) {
        problem.retry_after_s = look_at_the_disk_again_s;
    } else if (error.code == base::Errc::conflict) {
        // The only thing that a submit as a whole can be in conflict with.
        problem.status = Status::unprocessable;
        problem.code = "idempotency_key_reused";
    }
    return problem;
}

Problem task_problem(const base::Error& error, const std::string& id) {
    if (error.code != base::Errc::not_found)
        return to_problem(error);
    return {.status = Status::not_found,
            .code = "task_not_found",
            .detail = "no task has the id \"" + id.substr(0, 256) + '"',
            .hint = "GET /v1/tasks lists the newest ones",
            .faults = {},
            .extra = {}};
}

std::string path_escaped(std::string_view text) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string escaped;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            escaped += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        escaped += '%';
        escaped += hex[byte >> 4U];
        escaped += hex[byte & 15U];
    }
    return escaped;
}

}  // namespace distributo::coordinator::api
