#include "coordinator/api/api.hpp"

#include "coordinator/api/routes.hpp"
#include "coordinator/api/submit_reader.hpp"

namespace distributo::coordinator::api {
namespace {

const base::Clock& machine_clock() {
    static const base::SystemClock clock;
    return clock;
}

Problem body_too_large() {
    return {.status = Status::too_large,
            .code = "too_large",
            .detail = "the body of this request is longer than " +
                      std::to_string(SubmitReader::max_text) + " bytes",
            .hint = "POST /v1/tasks:batch takes many tasks",
            .faults = {},
            .extra = {}};
}

/// Gathers a body and hands the complete request to a handler.
class Collected final : public net::Exchange {
public:
    Collected(Context& context, const net::RequestHead& head, Match match, net::Respond respond)
        : context_(context),
          handle_(match.route->handle),
          request_{head, std::move(match.captured), {}},
          respond_(std::move(respond)) {}

    void on_body(std::string_view piece) override {
        if (refused_)
            return;
        if (request_.body.size() + piece.size() > SubmitReader::max_text) {
            refused_ = true;
            respond_(to_response(body_too_large()));
            return;
        }
        request_.body += piece;
    }

    void on_end() override {
        if (!refused_)
            handle_(context_, request_, std::move(respond_));
    }

private:
    Context& context_;
    Handle handle_;
    Request request_;
    net::Respond respond_;
    bool refused_ = false;
};

class Api final : public net::HttpHandler {
public:
    Api(engine::Engine& engine, const ApiOptions& options)
        : context_{engine,
                   options.clock ? *options.clock : machine_clock(),
                   options.host_port,
                   options.backup_folder,
                   engine.now(),
                   options.extensions,
                   {}} {}

    std::unique_ptr<net::Exchange> on_request(const net::RequestHead& head,
                                              net::Respond respond) override {
        auto match = find_route(routes(), head);
        if (!match)
            return refused_exchange(to_response(match.error()), std::move(respond));
        if (match->route->open)
            return match->route->open(context_, head, std::move(respond));
        return std::make_unique<Collected>(context_, head, std::move(*match), std::move(respond));
    }

    net::Response on_upgrade(const net::RequestHead& head) override {
        const std::string port =
            context_.host_port == 0 ? std::string() : ' ' + std::to_string(context_.host_port);
        return to_response(
            {.status = Status::misdirected,
             .code = "wrong_port",
             .detail = "this port serves HTTP, not WebSockets at " + head.path.substr(0, 256),
             .hint = "hosts connect to the coordinator's host port" + port,
             .faults = {},
             .extra = {}});
    }

    void on_websocket(const net::RequestHead&, std::unique_ptr<net::Connection>) override {}

private:
    Context context_;
};

}  // namespace

std::unique_ptr<net::HttpHandler> make_api(engine::Engine& engine, ApiOptions options) {
    return std::make_unique<Api>(engine, options);
}

}  // namespace distributo::coordinator::api
