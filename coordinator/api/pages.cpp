#include "base/version.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/spec_text.hpp"

namespace distributo::coordinator::api {
namespace {

constexpr std::string_view index_html = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Distributo coordinator</title></head>
<body><main>
<h1>Distributo coordinator</h1>
<p>Hands tasks to hosts that run native plugins. This port takes tasks and gives results, over
HTTP.</p>
<ul>
<li><a href="/v1/status">status</a>: counts, version, uptime</li>
<li><a href="/v1/tasks">tasks</a>, the newest first · <a href="/v1/results">results</a></li>
<li><a href="/v1/hosts">hosts</a> · <a href="/v1/types">task types</a> that they offer</li>
<li>everything else: <a href="/openapi.yaml">openapi.yaml</a>, or as
<a href="/openapi.json">JSON</a></li>
</ul>
<p>On the command line: <code>distributo status</code>, <code>distributo submit</code>.</p>
</main></body></html>
)";

constexpr std::string_view index_text = R"(Distributo coordinator: takes tasks and gives results.

  GET  /v1/status     counts, version, uptime
  POST /v1/tasks      {"type":"echo","payload":{"text":"hello"}}
  GET  /v1/tasks      the newest tasks        GET /v1/results   what became of them
  GET  /v1/hosts      who runs them           GET /v1/types     what can be run
  GET  /openapi.yaml  everything else
)";

net::Response document(std::string_view content_type, std::string_view body) {
    net::Response response;
    response.content_type = content_type;
    response.body = body;
    return response;
}

}  // namespace

void get_index(Context&, const Request& request, net::Respond respond) {
    if (request.head.header("accept").find("text/html") == std::string_view::npos) {
        respond(document("text/plain; charset=utf-8", index_text));
        return;
    }
    net::Response response = document("text/html; charset=utf-8", index_html);
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; frame-ancestors 'none'");
    respond(std::move(response));
}

void get_openapi_json(Context&, const Request&, net::Respond respond) {
    respond(document("application/json", spec::json()));
}

void get_openapi_yaml(Context&, const Request&, net::Respond respond) {
    respond(document("application/yaml", spec::yaml()));
}

}  // namespace distributo::coordinator::api
