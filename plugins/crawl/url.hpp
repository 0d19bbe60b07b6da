#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crawl {

/// `reference` as it stands on the page at `base` (empty: it stands alone), as an absolute http or
/// https URL in the one form that all spellings of an address share: scheme and host in small
/// letters, no default port, no "." and ".." in the path, no fragment, "%" only where it is needed
/// and with capital digits. Nothing when it is another kind of address, malformed, or contains a
/// user name.
[[nodiscard]] std::optional<std::string> normal_url(std::string_view base,
                                                    std::string_view reference);

/// Scheme, host and port of what normal_url() made: "http://host:8080".
[[nodiscard]] std::string_view origin_of(std::string_view url);

}  // namespace crawl
