#pragma once

#include "net/http_message.hpp"

#include <string>
#include <string_view>

namespace distributo::net {

struct WriteOptions {
    bool head_only = false;   ///< the answer to HEAD: every header, no body
    bool close = false;       ///< the connection ends after this response
    bool keep_alive = false;  ///< say so, for an HTTP/1.0 client that asked
    std::string_view date;    ///< "Sun, 06 Nov 1994 08:49:37 GMT"
};

/// Appends the response as it goes over the wire.
void append_response(std::string& out, const Response& response, const WriteOptions& options);

}  // namespace distributo::net
