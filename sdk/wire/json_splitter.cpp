#include "wire/json_scan.hpp"

#include <algorithm>

namespace distributo::wire::json {

base::Error Splitter::expected(std::string_view what) const {
    return base::error(base::Errc::invalid_argument,
                       "expected " + std::string(what) + " at offset " + std::to_string(position_));
}

base::Error Splitter::too_long() const {
    return base::error(base::Errc::limit,
                       "item " + std::to_string(items_) + " is longer than " +
                           std::to_string(max_item_) + " bytes");
}

base::Result<void> Splitter::keep(std::string_view tail) {
    if (tail.size() > max_item_ - std::min(max_item_, pending_.size()))
        return too_long();
    pending_ += tail;
    return {};
}

base::Result<void> Splitter::hand_out(std::string_view tail, const OnItem& on_item) {
    std::string_view item = tail;
    if (pending_.empty()) {
        if (tail.size() > max_item_)
            return too_long();
    } else {
        if (auto kept = keep(tail); !kept)
            return kept;
        item = pending_;
    }
    ++items_;
    if (!on_item(item))
        state_ = State::stopped;
    pending_.clear();
    return {};
}

/// Takes one byte that belongs to no item.
base::Result<void> Splitter::outside(char c) {
    if (state_ == State::before && c == '[') {
        state_ = State::between;
        return {};
    }
    if (state_ == State::between && c == ']' && !comma_) {
        state_ = State::after;
        return {};
    }
    switch (state_) {
        case State::before:
            return expected("'['");
        case State::between:
            return expected("a value");
        default:
            return expected("nothing behind the array");
    }
}

/// Where the current item ends: at a comma or bracket that is not its own, or with the piece.
std::size_t Splitter::item_end(std::string_view piece, std::size_t from) noexcept {
    const char* p = piece.data() + from;
    const char* const end = piece.data() + piece.size();
    for (; p != end; ++p) {
        if (in_string_) {
            if (escaped_) {
                escaped_ = false;
                continue;
            }
            p = scan::skip_plain(p, end);
            if (p == end)
                break;
            escaped_ = *p == '\\';
            in_string_ = *p != '"';
            continue;
        }
        const char c = *p;
        if (c == '"') {
            in_string_ = true;
        } else if (c == '{' || c == '[') {
            ++depth_;
        } else if (c == '}' || c == ']' || c == ',') {
            if (depth_ == 0)
                break;
            depth_ -= c == ',' ? 0 : 1;
        }
    }
    return static_cast<std::size_t>(p - piece.data());
}

base::Result<void> Splitter::feed_array(std::string_view piece, const OnItem& on_item) {
    const std::size_t base = position_;
    std::size_t start = 0;  // of the current item within this piece
    for (std::size_t i = 0; i < piece.size();) {
        if (state_ == State::stopped)
            break;
        const char c = piece[i];
        position_ = base + i;
        if (state_ == State::inside) {
            i = item_end(piece, i);
            if (i == piece.size())
                break;
            position_ = base + i;
            if (piece[i] == '}')
                return expected("',' or ']'");
            comma_ = piece[i] == ',';
            state_ = comma_ ? State::between : State::after;
            if (auto handed = hand_out(piece.substr(start, i - start), on_item); !handed)
                return handed;
            ++i;
        } else if (scan::is_space(c)) {
            ++i;
        } else if (state_ == State::between && c != ',' && c != ']' && c != '}') {
            state_ = State::inside;
            start = i;
        } else {
            if (auto taken = outside(c); !taken)
                return taken;
            ++i;
        }
    }
    position_ = base + piece.size();
    return state_ == State::inside ? keep(piece.substr(start)) : base::Result<void>();
}

base::Result<void> Splitter::feed_lines(std::string_view piece, const OnItem& on_item) {
    const auto is_blank = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), scan::is_space);
    };
    while (!piece.empty() && state_ != State::stopped) {
        const std::size_t newline = piece.find('\n');
        const std::string_view line = piece.substr(0, newline);
        if (newline == std::string_view::npos)
            return keep(line);
        if (!is_blank(pending_) || !is_blank(line)) {
            if (auto handed = hand_out(line, on_item); !handed)
                return handed;
        }
        pending_.clear();
        piece.remove_prefix(newline + 1);
    }
    return {};
}

base::Result<void> Splitter::feed(std::string_view piece, const OnItem& on_item) {
    return mode_ == Mode::array ? feed_array(piece, on_item) : feed_lines(piece, on_item);
}

base::Result<void> Splitter::finish(const OnItem& on_item) {
    if (state_ == State::stopped)
        return {};
    if (mode_ == Mode::lines)
        return feed_lines("\n", on_item);
    if (state_ == State::before)
        return expected("'['");
    if (state_ != State::after)
        return expected("']'");
    return {};
}

}  // namespace distributo::wire::json
