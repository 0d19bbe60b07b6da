#include "net/http_parse.hpp"

#include "net/request_target.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cctype>

namespace distributo::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

/// Beast's own view type is not std::string_view.
template <typename View>
std::string_view plain(View text) {
    return {text.data(), text.size()};
}

void assign_lower(std::string& out, std::string_view text) {
    out.assign(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
}

Method method_of(http::verb verb) noexcept {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::delete_:
            return Method::delete_;
        case http::verb::patch:
            return Method::patch;
        case http::verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

bool all_digits(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool same_text(std::string_view text, std::string_view lower) noexcept {
    return text.size() == lower.size() &&
           std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) == b;
           });
}

constexpr std::size_t most_headers = 100;
/// Of one message, beside its data and a plain line for each chunk.
constexpr std::uint64_t most_chunk_overhead = 8 * 1024;
constexpr std::uint64_t plain_chunk_line = 20;  // 16 digits and two line ends

/// Beast's parser, and the checks that it leaves out. One per request.
class StrictParser final : public http::basic_parser<true> {
public:
    StrictParser(RequestSink& sink, Refusal& refusal, std::size_t header_bytes, std::size_t body)
        : sink_(sink), refusal_(refusal), body_bytes_(body) {
        eager(true);
        header_limit(static_cast<std::uint32_t>(header_bytes));
        body_limit(boost::none);  // checked here, where the answer is chosen
    }

    [[nodiscard]] bool stopped() const noexcept { return stopped_; }
    [[nodiscard]] bool refused() const noexcept { return refused_; }
    [[nodiscard]] bool in_body() const noexcept { return head_done_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] bool is_chunked() const noexcept { return head_done_ && chunked(); }
    /// How many bytes the data and plain framing of the chunks so far explain.
    [[nodiscard]] std::uint64_t explained() const noexcept {
        return received_ + (chunks_ + 1) * plain_chunk_line;
    }

private:
    void refuse(error_code& ec,
                unsigned status,
                std::string_view code,
                std::string detail,
                std::string hint = {}) {
        refused_ = true;
        refusal_ = {status, code, std::move(detail), std::move(hint)};
        ec = http::error::bad_value;
    }

    void malformed(error_code& ec, std::string detail, std::string hint = {}) {
        refuse(ec, 400, "malformed_request", std::move(detail), std::move(hint));
    }

    void stop(error_code& ec) {
        stopped_ = true;
        ec = http::error::end_of_stream;
    }

    void on_request_impl(http::verb verb,
                         boost::beast::string_view name,
                         boost::beast::string_view target,
                         int version,
                         error_code& ec) override {
        head_ = &sink_.on_begin();
        head_->method = method_of(verb);
        head_->target.assign(target.data(), target.size());
        framing_.http10 = version < 11;
        if (head_->method == Method::other)
            return refuse(ec,
                          405,
                          "method_not_allowed",
                          "expected a method of this API, got " + quoted(plain(name)),
                          "methods are in upper case: GET, POST, …");
        if (auto wrong = decode_target(*head_); !wrong.empty())
            malformed(ec, wrong + "; got " + quoted(head_->target));
    }

    void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

    void on_field_impl(http::field field,
                       boost::beast::string_view name,
                       boost::beast::string_view value,
                       error_code& ec) override {
        if (head_done_)
            return malformed(ec, "trailers after a chunked body are not accepted");
        if (is_folded(name, value))
            return malformed(ec, "the header " + quoted(plain(name)) + " continues on a new line");
        if (count_ == most_headers)
            return refuse(ec,
                          431,
                          "too_many_headers",
                          "a request has at most " + std::to_string(most_headers) + " headers");
        check_framing_field(field, plain(value), ec);
        if (ec)
            return;
        if (count_ == head_->headers.size())
            head_->headers.emplace_back();
        auto& [kept_name, kept_value] = head_->headers[count_++];
        assign_lower(kept_name, plain(name));
        kept_value.assign(value.data(), value.size());
    }

    /// Beast joins the lines of a folded header elsewhere, or skips empty ones: in both cases the
    /// value does not begin where the name ends.
    static bool is_folded(boost::beast::string_view name,
                          boost::beast::string_view value) noexcept {
        const char* at = name.data() + name.size() + 1;  // behind the colon
        while (*at == ' ' || *at == '\t')
            ++at;
        return at != value.data();
    }

    void check_framing_field(http::field field, std::string_view value, error_code& ec) {
        if (field == http::field::host && hosts_++ > 0)
            return malformed(ec, "expected one Host header, got another: " + quoted(value));
        if (field == http::field::content_length && (lengths_++ > 0 || !all_digits(value)))
            return malformed(ec, "expected one Content-Length of digits, got " + quoted(value));
        if (field == http::field::transfer_encoding) {
            if (encodings_++ > 0 || !same_text(value, "chunked"))
                return malformed(ec,
                                 "expected no Transfer-Encoding but chunked, got " + quoted(value));
            if (framing_.http10)
                return malformed(ec, "HTTP/1.0 has no Transfer-Encoding");
        }
        if (field == http::field::expect) {
            if (!same_text(value, "100-continue"))
                return refuse(ec,
                              417,
                              "expectation_failed",
                              "expected 'Expect: 100-continue' or none, got " + quoted(value));
            framing_.expects_continue = !framing_.http10;
        }
    }

    void on_header_impl(error_code& ec) override {
        head_done_ = true;
        head_->headers.resize(count_);
        if (hosts_ == 0)
            return malformed(ec, "expected a Host header", "every HTTP/1.1 client sends one");
        framing_.keep_alive = keep_alive();
        framing_.upgrade_requested = upgrade();
        if (lengths_ > 0)
            framing_.content_length = content_length().value_or(0);
        head_->has_body = chunked() || framing_.content_length.value_or(0) > 0;
        framing_.expects_continue = framing_.expects_continue && head_->has_body;
        if (!sink_.on_head(framing_))
            stop(ec);
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(boost::beast::string_view piece, error_code& ec) override {
        received_ += piece.size();
        if (!sink_.on_body(plain(piece)))
            stop(ec);
        return piece.size();
    }

    void on_chunk_header_impl(std::uint64_t size,
                              boost::beast::string_view,
                              error_code& ec) override {
        ++chunks_;
        if (size > body_bytes_ - std::min<std::uint64_t>(received_, body_bytes_))
            refuse(ec,
                   413,
                   "too_large",
                   "expected a body of at most " + std::to_string(body_bytes_) + " bytes",
                   "send several requests");
    }

    std::size_t on_chunk_body_impl(std::uint64_t,
                                   boost::beast::string_view piece,
                                   error_code& ec) override {
        return on_body_impl(piece, ec);
    }

    void on_finish_impl(error_code& ec) override {
        if (!sink_.on_end())
            stop(ec);
    }

    RequestSink& sink_;
    Refusal& refusal_;
    RequestHead* head_ = nullptr;
    Framing framing_;
    std::uint64_t body_bytes_;
    std::uint64_t received_ = 0;
    std::uint64_t chunks_ = 0;
    std::size_t count_ = 0;  // of headers
    unsigned hosts_ = 0;
    unsigned lengths_ = 0;
    unsigned encodings_ = 0;
    bool head_done_ = false;
    bool refused_ = false;
    bool stopped_ = false;
};

Refusal refusal_of(const error_code& ec, std::string_view rest, std::size_t header_bytes) {
    if (ec == http::error::header_limit)
        return {431,
                "head_too_large",
                "expected a request head of at most " + std::to_string(header_bytes) + " bytes",
                "remove cookies and other headers that this API does not need"};
    if (!rest.empty() && rest.front() == '\x16')
        return {400,
                "tls_on_plain_port",
                "expected plain HTTP, got the greeting of a TLS connection",
                "this port has no TLS: use http:// instead of https://"};
    if (rest.starts_with("PRI "))
        return {400,
                "http2",
                "expected HTTP/1.1, got the preface of HTTP/2",
                "with curl leave out --http2-prior-knowledge"};
    return {400,
            "malformed_request",
            "expected a well-formed HTTP/1.1 request; the parser says: " + ec.message(),
            ""};
}

}  // namespace

struct RequestParser::Impl {
    RequestSink& sink;
    std::size_t header_bytes;
    std::size_t body_bytes;
    std::optional<StrictParser> parser = {};
    std::uint64_t chunk_bytes = 0;  // consumed since the piece of input in which the head ended
    Refusal refused = {};

    /// Extensions and trailers are not held against the limits of head and body: a chunked message
    /// that consists of them has no end. `waiting` bytes were not enough for the next step.
    bool is_padded(std::uint64_t consumed, std::uint64_t waiting) {
        chunk_bytes += consumed;
        return chunk_bytes + waiting > parser->explained() + most_chunk_overhead;
    }
};

RequestParser::RequestParser(RequestSink& sink, std::size_t header_bytes, std::size_t body_bytes)
    : impl_(new Impl{sink, header_bytes, body_bytes}) {}
RequestParser::~RequestParser() = default;

RequestParser::Fed RequestParser::feed(std::string_view input) {
    Impl& own = *impl_;
    if (input.empty())
        return {};
    if (!own.parser) {
        own.parser.emplace(own.sink, own.refused, own.header_bytes, own.body_bytes);
        own.chunk_bytes = 0;
    }
    StrictParser& parser = *own.parser;
    const bool was_in_body = parser.in_body();
    error_code ec;
    const std::size_t consumed =
        parser.put(boost::asio::const_buffer(input.data(), input.size()), ec);

    if (parser.stopped())
        return {consumed, Outcome::stopped};
    if (!parser.refused() && ec && ec != http::error::need_more)
        own.refused = refusal_of(ec, input, own.header_bytes);
    else if (!parser.refused() && parser.is_chunked() &&
             own.is_padded(was_in_body ? consumed : 0, ec ? input.size() - consumed : 0))
        own.refused = {400,
                       "malformed_request",
                       "expected chunks of data, got mostly sizes, extensions or trailers",
                       "send larger chunks, or a Content-Length"};
    else if (!parser.refused()) {
        if (!parser.is_done())
            return {consumed, Outcome::need_more};
        own.parser.reset();
        return {consumed, Outcome::complete};
    }
    return {consumed, Outcome::refused};
}

const Refusal& RequestParser::refusal() const noexcept {
    return impl_->refused;
}
bool RequestParser::in_request() const noexcept {
    return impl_->parser.has_value();
}
bool RequestParser::in_body() const noexcept {
    return impl_->parser && impl_->parser->in_body();
}
std::uint64_t RequestParser::body_received() const noexcept {
    return impl_->parser ? impl_->parser->received() : 0;
}

// ---- responses -------------------------------------------------------------------------------

struct ResponseParser::Impl final : http::basic_parser<false> {
    explicit Impl(To request) {
        eager(true);
        header_limit(64 * 1024);
        body_limit(boost::none);
        skip(request == To::head);
    }

    void on_request_impl(http::verb,
                         boost::beast::string_view,
                         boost::beast::string_view,
                         int,
                         error_code&) override {}
    void on_response_impl(int status, boost::beast::string_view, int, error_code&) override {
        response.status = static_cast<unsigned>(status);
        response.content_type.clear();
    }
    void on_field_impl(http::field field,
                       boost::beast::string_view name,
                       boost::beast::string_view value,
                       error_code&) override {
        if (field == http::field::content_type)
            response.content_type.assign(value.data(), value.size());
        auto& [kept_name, kept_value] = response.headers.emplace_back();
        assign_lower(kept_name, plain(name));
        kept_value.assign(value.data(), value.size());
    }
    void on_header_impl(error_code&) override { head_done = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(boost::beast::string_view piece, error_code&) override {
        response.body.append(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t,
                                   boost::beast::string_view piece,
                                   error_code& ec) override {
        return on_body_impl(piece, ec);
    }
    void on_finish_impl(error_code&) override {}

    Response response;
    bool head_done = false;
};

ResponseParser::ResponseParser(To request) : impl_(std::make_unique<Impl>(request)) {}
ResponseParser::~ResponseParser() = default;

base::Result<std::size_t> ResponseParser::feed(std::string_view input) {
    if (input.empty())
        return std::size_t{0};
    error_code ec;
    const auto consumed = impl_->put(boost::asio::const_buffer(input.data(), input.size()), ec);
    if (ec && ec != http::error::need_more)
        return base::error(base::Errc::io,
                           "expected an HTTP/1.1 response; the parser says: " + ec.message(),
                           "is there a Distributo coordinator at this address?");
    return consumed;
}

base::Result<void> ResponseParser::end_of_input() {
    error_code ec = http::error::partial_message;
    if (impl_->head_done && !impl_->is_done())
        impl_->put_eof(ec);
    if (ec)
        return base::error(base::Errc::io, "the connection ended in the middle of the response");
    return {};
}

bool ResponseParser::done() const noexcept {
    return impl_->is_done();
}
bool ResponseParser::keep_alive() const noexcept {
    return impl_->head_done && impl_->keep_alive();
}
Response& ResponseParser::response() noexcept {
    return impl_->response;
}

}  // namespace distributo::net
