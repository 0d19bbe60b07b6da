#pragma once

#include "coordinator/api/problem.hpp"
#include "coordinator/api/repeatable.hpp"
#include "coordinator/api/submit_reader.hpp"
#include "net/http_server.hpp"
#include "wire/json.hpp"

#include <optional>
#include <string_view>

namespace distributo::coordinator::api {

/// A body of many items that is taken apart while it arrives, without being kept: a JSON array,
/// or one JSON value per line.
class ItemStream : public net::Exchange {
public:
    static constexpr std::size_t max_items = 100'000;
    static constexpr std::size_t max_bytes = 16 * 1024 * 1024;

    /// Code of the problem that a body other than an array gets.
    static constexpr std::string_view not_an_array = "not_an_array";

    ItemStream(wire::json::Splitter::Mode mode, Repeatable repeatable)
        : repeatable_(std::move(repeatable)),
          mode_(mode),
          splitter_(mode, SubmitReader::max_text) {}

    void on_body(std::string_view piece) final;
    void on_end() final;

protected:
    /// The next item's text, not validated; valid during the call.
    virtual void on_item(std::string_view text) = 0;
    /// All items were handed out.
    virtual void on_complete() = 0;
    /// The body is no sequence of items; nothing follows.
    virtual void on_refused(Problem problem) = 0;

    /// Ends the stream from inside on_item.
    void refuse(Problem problem);

    Repeatable repeatable_;  ///< has seen the whole body when on_complete is called

private:
    /// Looks at the first character that is not white space: an array begins with a bracket.
    bool begins_well(std::string_view piece);
    void feed(std::string_view piece, bool last);

    wire::json::Splitter::Mode mode_;
    wire::json::Splitter splitter_;
    std::size_t bytes_ = 0;
    std::size_t items_ = 0;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace distributo::coordinator::api
