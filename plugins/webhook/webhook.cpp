#include "signature.hpp"
#include "support/http.hpp"
#include "support/outcome_json.hpp"

#include <distributo/sink.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using distributo::permanent;
using distributo::retry;

constexpr std::int64_t default_timeout_ms = 30'000;
/// Of an answer that says no, in the message about it.
constexpr std::size_t shown_answer = 200;

enum class OnRefused { fail, drop };
BOOST_DESCRIBE_ENUM(OnRefused, fail, drop)

struct Config {
    std::string url;
    std::optional<std::map<std::string, std::string>> headers;
    std::optional<std::string> secret;
    std::optional<std::string> secret_env;
    std::optional<std::string> secret_file;
    std::optional<bool> batch;
    std::optional<std::int64_t> timeout_ms;
    std::optional<OnRefused> on_refused;
    std::optional<std::string> ca_file;
    std::optional<std::vector<std::string>> fields;
};
BOOST_DESCRIBE_STRUCT(
    Config,
    (),
    (url, headers, secret, secret_env, secret_file, batch, timeout_ms, on_refused, ca_file, fields))

std::string secret_of(const Config& config) {
    if (config.secret) {
        return *config.secret;
    }
    if (config.secret_env) {
        const char* const value = std::getenv(config.secret_env->c_str());
        if (value == nullptr) {
            throw permanent("config.secret_env: there is no variable " + *config.secret_env);
        }
        return value;
    }
    if (!config.secret_file) {
        return {};
    }
    std::ifstream in(*config.secret_file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.pop_back();
    }
    if (text.empty()) {
        throw permanent("config.secret_file: " + *config.secret_file + " is not there, or empty");
    }
    return text;
}

/// Posts outcomes to a web server, all of a call in one array, or one by one.
class Webhook {
public:
    Webhook(const Config& config, distributo::Source& source)
        : config_(config), source_(source), json_(config.fields), secret_(secret_of(config)) {
        if (!config.url.starts_with("http://") && !config.url.starts_with("https://")) {
            throw permanent("config.url: expected http:// or https://");
        }
        if (config.timeout_ms.value_or(1) <= 0) {
            throw permanent("config.timeout_ms: expected 1 or more");
        }
    }

    void write(std::span<const distributo::Outcome> outcomes) {
        if (config_.batch.value_or(true)) {
            return post(outcomes);
        }
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            // After an error in the middle everything comes again.
            if (outcomes[i].sequence > last_sent_) {
                post(outcomes.subspan(i, 1));
                last_sent_ = outcomes[i].sequence;
            }
        }
    }

private:
    void post(std::span<const distributo::Outcome> outcomes) {
        const bool batch = config_.batch.value_or(true);
        std::string body = batch ? "[" : "";
        for (const auto& outcome : outcomes) {
            body.append(body.size() > 1 ? "," : "");
            json_.append(body, outcome);
        }
        body.append(batch ? "]" : "");
        support::HttpRequest request{.url = config_.url, .shown = "config.url"};
        request.headers.emplace_back("Content-Type: application/json");
        for (const auto& [name, value] :
             config_.headers.value_or(std::map<std::string, std::string>())) {
            request.headers.push_back(name + ": " + value);
        }
        if (!secret_.empty()) {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            request.headers.push_back(
                "Distributo-Signature: " +
                webhook::signature(
                    secret_, std::chrono::duration_cast<std::chrono::seconds>(now).count(), body));
        }
        request.user_agent = "distributo-webhook";
        request.body = body;
        request.timeout =
            std::chrono::milliseconds(config_.timeout_ms.value_or(default_timeout_ms));
        request.ca_file = config_.ca_file.value_or("");
        judge(client_.send(request), outcomes);
    }

    void judge(const support::HttpResponse& answer,
               std::span<const distributo::Outcome> outcomes) const {
        constexpr int request_timeout = 408;
        constexpr int too_many = 429;
        if (answer.status >= 200 && answer.status < 300) {
            return;
        }
        const std::string said = "the server answered " + std::to_string(answer.status) +
                                 (answer.body.empty() ? "" : ": ") +
                                 answer.body.substr(0, shown_answer);
        if (answer.status >= 500 || answer.status == request_timeout || answer.status == too_many) {
            throw retry(answer.retry_after, said);
        }
        if (answer.status < 400 ||
            config_.on_refused.value_or(OnRefused::fail) == OnRefused::fail) {
            throw permanent(said);
        }
        source_.warn(said + "; dropped: outcomes " + std::to_string(outcomes.front().sequence) +
                     " to " + std::to_string(outcomes.back().sequence));
    }

    const Config config_;
    distributo::Source& source_;
    const support::OutcomeJson json_;
    const std::string secret_;
    support::HttpClient client_;
    std::uint64_t last_sent_ = 0;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.webhook", "1.0.0", distributo::sink<Webhook>("webhook"));
