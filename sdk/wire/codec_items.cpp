#include "wire/codec_items.hpp"

#include "wire/codec_names.hpp"
#include "wire/limits.hpp"

#include <limits>

namespace distributo::wire {
namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

bool read_times(Input& in, PhaseTimes& times) {
    std::uint64_t* const fields[] = {
        &times.wait_us, &times.setup_us, &times.install_us, &times.execute_us};
    if (!in.reader().begin_array())
        return false;
    for (std::uint64_t* const field : fields) {
        if (!in.reader().next_element())
            return !in.failed() &&
                   in.refuse(base::Errc::invalid_argument, "expected four integers");
        if (!in.number(*field))
            return false;
    }
    if (in.reader().next_element())
        return in.refuse(base::Errc::invalid_argument, "expected four integers");
    return !in.failed();
}

bool read_schema(Input& in, std::string& out) {
    std::string_view text;
    if (!in.json(text, limits::schema_length))
        return false;
    out = text;
    return true;
}

bool read_attributes(Input& in, std::string& out) {
    std::string_view text;
    if (!in.json(text, limits::attributes_length))
        return false;
    if (!text.empty() && text.front() != '{')
        return in.refuse(base::Errc::invalid_argument, "expected an object");
    out = text;
    return true;
}

/// An array inside of an item: the place that errors name stays the item's.
bool read_names(Input& in, std::vector<std::string>& out) {
    if (!in.reader().begin_array())
        return false;
    while (in.reader().next_element()) {
        if (out.size() == limits::type_count)
            return in.refuse(base::Errc::limit,
                             "more than " + std::to_string(limits::type_count) + " entries");
        if (!in.name(out.emplace_back(), limits::type_length))
            return false;
    }
    return !in.failed();
}

}  // namespace

bool read(Input& in, AssignItem& item) {
    Object object(in, names::assign);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.token(item.token);
                break;
            case 1:
                good = in.name(item.id, limits::id_length);
                break;
            case 2:
                good = in.name(item.type, limits::type_length);
                break;
            case 3:
                good = in.number(item.attempt);
                break;
            case 4:
                good = in.json(item.payload, limits::inline_payload);
                break;
            case 5:
                good = in.json(item.install, limits::inline_payload);
                break;
            case 6:
                good = in.milliseconds(item.timeout_ms);
                break;
            case 7:
                good = in.milliseconds(item.deadline_ms);
                break;
            case 8:
                good = in.flag(item.alone);
                break;
            case 9:
                good = in.name(item.version, limits::version_length);
                break;
            default:
                good = in.lease(item.lease);
                break;
        }
    }
    return object.complete({0, 1, 2, 4});
}

bool read(Input& in, ResultItem& item) {
    Object object(in, names::result);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.token(item.token);
                break;
            case 1:
                good = in.choice(item.status, names::status);
                break;
            case 2:
                good = in.json(item.result, limits::inline_result);
                break;
            case 3:
                good = in.text(item.message, limits::error_length);
                break;
            case 4:
                good = in.json(item.detail, limits::inline_result);
                break;
            case 5:
                good = in.milliseconds(item.retry_after_ms);
                break;
            case 6:
                good = read_times(in, item.times);
                break;
            case 7:
                good = in.text(item.version, limits::version_length);
                break;
            default:
                good = in.json(item.emitted, limits::emitted_bytes);
                break;
        }
    }
    if (item.status != AttemptStatus::ok) {
        item.result = item.emitted = {};
        return object.complete({0, 1});
    }
    item.message = item.detail = {};
    item.retry_after_ms = 0;
    return object.complete({0, 1, 2});
}

bool read(Input& in, Credit& item) {
    Object object(in, names::credit);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.name(item.type, limits::type_length);
                break;
            case 1:
                good = in.text(item.version, limits::version_length);
                break;
            default:
                good = in.number(item.credit, 0, limits::max_credit);
                break;
        }
    }
    return object.complete({0, 2});
}

bool read(Input& in, PhaseItem& item) {
    Object object(in, names::phase_item);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;)
        good = member == 0 ? in.token(item.token) : in.choice(item.phase, names::phase);
    return object.complete({0, 1});
}

bool read(Input& in, ProgressItem& item) {
    Object object(in, names::progress);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.token(item.token);
                break;
            case 1:
                good = in.fraction(item.fraction);
                break;
            default:
                good = in.text(item.text, limits::progress_length);
                break;
        }
    }
    return object.complete({0});
}

bool read(Input& in, LogItem& item) {
    Object object(in, names::log);
    bool good = true;
    std::size_t stream = 0;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.token(item.token);
                break;
            case 1:
                good = in.choice(stream, names::stream);
                item.stream = names::stream[stream];
                break;
            default:
                good = in.text(item.text, unlimited);
                break;
        }
    }
    return object.complete({0, 1, 2});
}

bool read(Input& in, CancelItem& item) {
    Object object(in, names::cancel);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;)
        good = member == 0 ? in.token(item.token) : in.text(item.reason, limits::error_length);
    return object.complete({0});
}

bool read(Input& in, TokenVerdict& item) {
    Object object(in, names::token_verdict);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;)
        good = member == 0 ? in.token(item.token) : in.choice(item.verdict, names::verdict);
    return object.complete({0, 1});
}

bool read(Input& in, RefusedPlugin& item) {
    Object object(in, names::refused);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.text(item.file, limits::error_length);
                break;
            case 1:
                good = in.text(item.reason, limits::error_length);
                break;
            case 2:
                good = in.flag(item.quarantined);
                break;
            case 3:
                good = in.milliseconds(item.retry_ms);
                break;
            case 4:
                good = in.text(item.plugin, limits::id_length);
                break;
            case 5:
                good = in.text(item.version, limits::id_length);
                break;
            case 6:
                good = in.text(item.digest, limits::id_length);
                break;
            default:
                good = read_names(in, item.types);
                break;
        }
    }
    return object.complete({0, 1});
}

/// A list of names; those of layers that are not known here say nothing.
bool read_layers(Input& in, Layers& out) {
    if (!in.reader().begin_array())
        return false;
    for (std::size_t count = 0; in.reader().next_element(); ++count) {
        std::string_view name;
        if (count == limits::label_count)
            return in.refuse(base::Errc::limit,
                             "more than " + std::to_string(limits::label_count) + " layers");
        if (!in.text(name, limits::type_length))
            return false;
        if (const auto layer = parse_layer(name))
            out.add(*layer);
    }
    return !in.failed();
}

bool read(Input& in, Capability& item) {
    Object object(in, names::capability);
    bool good = true;
    for (int member; good && (member = object.next()) >= 0;) {
        switch (member) {
            case 0:
                good = in.name(item.type, limits::type_length);
                break;
            case 1:
                good = in.text(item.plugin, limits::id_length);
                break;
            case 2:
                good = in.text(item.version, limits::id_length);
                break;
            case 3:
                good = in.text(item.digest, limits::id_length);
                break;
            case 4:
                good = in.text(item.isolation, limits::type_length);
                break;
            case 5:
                good = in.text(item.summary, limits::error_length);
                break;
            case 6:
                good = read_schema(in, item.payload_schema);
                break;
            case 7:
                good = read_schema(in, item.result_schema);
                break;
            case 8:
                good = in.number(item.credit, 1, limits::max_credit);
                break;
            case 9:
                good = in.flag(item.needs_install);
                break;
            case 10:
                good = read_attributes(in, item.attributes);
                break;
            default:
                good = read_layers(in, item.sandbox);
                break;
        }
    }
    return object.complete({0});
}

}  // namespace distributo::wire
