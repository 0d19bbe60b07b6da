#pragma once

#include <distributo/detail/context.hpp>

#include <string_view>

namespace distributo {

/// What a generator or sink may use of the coordinator outside of its calls: given to its
/// constructor, valid until its destructor has returned, from any thread.
class Source {
public:
    explicit Source(const detail::Host& host) : context_(host, host.table().root) {}

    /// Records a line in the coordinator's log.
    void log(Level level, std::string_view text) const { context_.log(level, text); }
    void debug(std::string_view text) const { log(Level::debug, text); }
    void info(std::string_view text) const { log(Level::info, text); }
    void warn(std::string_view text) const { log(Level::warn, text); }
    void error(std::string_view text) const { log(Level::error, text); }

    /// A generator's next() would find something now: it is called soon, not after its back-off.
    void more() const {
        if (context_.table().notify != nullptr) {
            context_.table().notify(context_.call(), detail::to_abi("more"));
        }
    }

private:
    Context context_;
};

}  // namespace distributo
