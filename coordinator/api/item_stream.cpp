#include "coordinator/api/item_stream.hpp"

namespace distributo::coordinator::api {
namespace {

Problem too_much(std::string detail) {
    return {.status = Status::too_large,
            .code = "too_large",
            .detail = std::move(detail),
            .hint = "send several batches",
            .faults = {},
            .extra = {}};
}

Problem no_array(const std::string& got) {
    return {.status = Status::bad_request,
            .code = ItemStream::not_an_array,
            .detail = "expected an array of tasks, got " + got,
            .hint = "for one task a line send the content type application/x-ndjson",
            .faults = {},
            .extra = {}};
}

}  // namespace

void ItemStream::on_body(std::string_view piece) {
    if (ended_)
        return;
    bytes_ += piece.size();
    repeatable_.add(piece);
    if (bytes_ > max_bytes)
        refuse(too_much("a batch has at most " + std::to_string(max_bytes) + " bytes"));
    else if (begins_well(piece))
        feed(piece, false);
}

void ItemStream::on_end() {
    if (ended_)
        return;
    if (!begun_ && mode_ == wire::json::Splitter::Mode::array) {
        refuse(no_array("an empty body"));
        return;
    }
    feed({}, true);
    if (ended_)
        return;
    ended_ = true;
    on_complete();
}

bool ItemStream::begins_well(std::string_view piece) {
    if (begun_)
        return true;
    const auto first = piece.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return true;
    begun_ = true;
    if (mode_ == wire::json::Splitter::Mode::lines || piece[first] == '[')
        return true;
    refuse(no_array(std::string("a body that begins with '") + piece[first] + '\''));
    return false;
}

void ItemStream::feed(std::string_view piece, bool last) {
    const wire::json::Splitter::OnItem take = [this](std::string_view text) {
        if (++items_ > max_items)
            refuse(too_much("a batch has at most " + std::to_string(max_items) + " entries"));
        else
            on_item(text);
        return !ended_;
    };
    const auto fed = last ? splitter_.finish(take) : splitter_.feed(piece, take);
    if (!fed && !ended_)
        refuse(malformed(fed.error()));
}

void ItemStream::refuse(Problem problem) {
    ended_ = true;
    on_refused(std::move(problem));
}

}  // namespace distributo::coordinator::api
