#include "page.hpp"

#include "html.hpp"
#include "marks.hpp"
#include "url.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_set>

namespace crawl {

namespace {

constexpr std::uint32_t default_page_depth = 10;
constexpr std::uint64_t default_page_bytes = std::uint64_t{2} << 20;
constexpr std::uint64_t max_page_bytes = std::uint64_t{64} << 20;  // a page is kept in memory
constexpr std::size_t max_url = 2000;  // what servers and browsers agree on

std::string start_url(const std::string& text) {
    const auto url = normal_url({}, text);
    if (!url || url->size() > max_url) {
        throw distributo::permanent("payload.url: expected an http or https URL of at most " +
                                    std::to_string(max_url) + " bytes without a user name, got \"" +
                                    text.substr(0, 200) + "\"");
    }
    return *url;
}

std::uint64_t byte_limit(const PageRequest& request) {
    const std::uint64_t limit = request.max_bytes.value_or(default_page_bytes);
    if (limit > max_page_bytes) {
        throw distributo::permanent("payload.max_bytes: expected at most " +
                                    std::to_string(max_page_bytes) + ", got " +
                                    std::to_string(limit));
    }
    return limit;
}

/// Says of an answer that may be another one next time that it is none.
void require_final(const std::string& url, const support::HttpResponse& page) {
    if (page.status == 408 || page.status == 429 || page.status >= 500) {
        throw distributo::retry(page.retry_after,
                                url + ": the server answered " + std::to_string(page.status));
    }
}

support::HttpResponse fetch(const std::string& url,
                            const PageRequest& request,
                            Web& web,
                            const distributo::Task& task) {
    support::HttpRequest get{.url = url, .shown = url};
    get.headers = {"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"};
    get.user_agent = web.user_agent;
    get.max_bytes = static_cast<std::size_t>(byte_limit(request));
    get.timeout = std::min(task.remaining().value_or(get.timeout), get.timeout);
    get.cancelled = [&task] { return task.cancelled(); };
    if (request.delay_ms.value_or(0) > 0) {
        task.sleep(std::chrono::milliseconds(*request.delay_ms));
    }
    return web.clients.send(get);
}

bool is_html(const support::HttpResponse& page) {
    return page.status == 200 && (page.content_type.starts_with("text/html") ||
                                  page.content_type.starts_with("application/xhtml+xml"));
}

/// What remains of max_pages for the i-th of n links, so that all of them together stay within it.
/// The earlier ones get what cannot be divided.
std::uint64_t share_of(std::uint64_t rest, std::uint64_t i, std::uint64_t n) {
    return rest / n + (i < rest % n ? 1 : 0);
}

}  // namespace

std::vector<std::string> links_of(std::string_view url,
                                  const support::HttpResponse& page,
                                  PageReport& report) {
    HtmlPage html;
    if (!page.location.empty()) {
        html.links.push_back(page.location);
        report.location = normal_url(url, page.location);
    } else if (is_html(page)) {
        html = read_html(page.body);
    }
    report.title = html.title;
    const std::string base = normal_url(url, html.base).value_or(std::string(url));
    std::vector<std::string> links;
    std::unordered_set<std::string> known{std::string(url)};
    for (const std::string& reference : html.links) {
        auto link = normal_url(base, reference);
        if (link && link->size() <= max_url && origin_of(*link) == origin_of(url) &&
            known.insert(*link).second) {
            links.push_back(std::move(*link));
        }
    }
    return links;
}

PageReport visit_page(const PageRequest& request, Web& web, distributo::Task& task) {
    PageReport report;
    const std::string crawl = request.crawl.value_or("crawl");
    const std::uint32_t max_depth = request.max_depth.value_or(default_page_depth);
    report.url = start_url(request.url);
    report.depth = request.depth.value_or(0);
    require_limits(crawl, std::max(max_depth, report.depth));

    const support::HttpResponse page = fetch(report.url, request, web, task);
    require_final(report.url, page);
    report.status = page.status;
    report.bytes = page.body.size();
    report.cut = page.cut;
    std::vector<std::string> links = links_of(report.url, page, report);
    report.links = links.size();
    if (report.depth >= max_depth) {
        return report;
    }

    PageRequest next = request;
    next.crawl = crawl;
    next.depth = report.depth + 1;
    next.start = request.start.value_or(report.url);
    std::erase(links, *next.start);  // it has a task, one without a dedupe key
    if (request.max_pages) {
        const std::uint64_t rest = std::max<std::uint64_t>(*request.max_pages, 1) - 1;
        links.resize(std::min<std::uint64_t>(links.size(), rest));
    }
    Room room;
    for (const std::string& link : links) {
        const std::string mark = mark_of(page_type, crawl, link);
        if (!room.take(2 * link.size() + mark.size() + next.start->size())) {
            task.warn("more links than a task may follow; the rest is left out");
            break;
        }
        next.url = link;
        if (request.max_pages) {
            next.max_pages = share_of(*request.max_pages - 1, report.followed, links.size());
        }
        task.emit(page_type,
                  next,
                  {.dedupe_key = mark, .group = crawl, .priority = priority_of(*next.depth)});
        ++report.followed;
    }
    return report;
}

}  // namespace crawl
