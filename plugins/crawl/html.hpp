#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crawl {

/// What a crawler wants to know of a page.
struct HtmlPage {
    std::string title;  ///< without entities, blanks collapsed, at most 300 bytes; empty: none
    std::string base;   ///< what links are relative to, when the page says so itself
    /// The addresses of <a>, <area>, <frame> and <iframe> in the order of the page, as they stand
    /// there but without entities. Those that the page asks crawlers not to follow are left out.
    std::vector<std::string> links;
};

/// Never fails: what is not HTML has no links. Reads each byte about once.
[[nodiscard]] HtmlPage read_html(std::string_view text);

}  // namespace crawl
