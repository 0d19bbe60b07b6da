#include "coordinator/extensions/extensions.hpp"

namespace distributo::coordinator::extensions {

std::string kind_name(ExtensionKind kind) {
    return kind == ExtensionKind::generator ? "generator" : "sink";
}

std::string_view state_name(State state) noexcept {
    switch (state) {
        case State::starting:
            return "starting";
        case State::running:
            return "running";
        case State::idle:
            return "idle";
        case State::throttled:
            return "throttled";
        case State::paused:
            return "paused";
        case State::retrying:
            return "retrying";
        case State::failed:
            return "failed";
        case State::ended:
            return "ended";
        case State::no_plugin:
            return "no_plugin";
    }
    return "unknown";
}

}  // namespace distributo::coordinator::extensions
