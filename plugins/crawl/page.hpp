#pragma once

#include "support/http.hpp"

#include <distributo/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crawl {

constexpr std::string_view page_type = "crawl.page";

/// Payload of crawl.page. What is absent has the default of the README.
struct PageRequest {
    std::string url;
    std::optional<std::string> crawl;  ///< name of the whole crawl
    std::optional<std::uint32_t> max_depth;
    std::optional<std::uint64_t> max_pages;  ///< this page and all that are found from it
    std::optional<std::uint64_t> max_bytes;  ///< of one page
    std::optional<std::uint32_t> delay_ms;
    std::optional<std::string> start;    ///< set in follow-ups: where the crawl began
    std::optional<std::uint32_t> depth;  ///< set in follow-ups
};
BOOST_DESCRIBE_STRUCT(PageRequest,
                      (),
                      (url, crawl, max_depth, max_pages, max_bytes, delay_ms, start, depth))

/// Result of crawl.page.
struct PageReport {
    std::string url;
    std::uint32_t depth = 0;
    int status = 0;
    std::uint64_t bytes = 0;  ///< of the content that was fetched
    bool cut = false;         ///< there was more than max_bytes
    std::string title;
    std::optional<std::string> location;  ///< where a redirect leads
    std::uint64_t links = 0;              ///< different pages of the same origin
    std::uint64_t followed = 0;           ///< how many of them became follow-up tasks
};
BOOST_DESCRIBE_STRUCT(PageReport,
                      (),
                      (url, depth, status, bytes, cut, title, location, links, followed))

/// The links of a fetched page, normal, different from each other and from `url`, of the same
/// origin, in the order of the page.
[[nodiscard]] std::vector<std::string> links_of(std::string_view url,
                                                const support::HttpResponse& page,
                                                PageReport& report);

/// What all calls share.
struct Web {
    std::string user_agent;
    support::HttpClients clients{};
};

/// Fetches the page and emits a follow-up for each link. Throws Failure and Cancelled. On any
/// thread.
[[nodiscard]] PageReport visit_page(const PageRequest& request, Web& web, distributo::Task& task);

}  // namespace crawl
