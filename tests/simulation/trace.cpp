#include "tests/simulation/trace.hpp"

#include <cstdio>

namespace distributo::simulation {

void Trace::note(std::string_view what, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    mix(static_cast<std::uint64_t>(time_.now().time_since_epoch().count()));
    for (const char letter : what)
        mix(static_cast<unsigned char>(letter));
    mix(a);
    mix(b);
    mix(c);
    if (!spoken_)
        return;
    const auto since = time_.now() - base::TimePoint(std::chrono::hours(1));
    std::printf("%9.4f  %-28.*s %llu %llu %llu\n",
                std::chrono::duration<double>(since).count(),
                static_cast<int>(what.size()),
                what.data(),
                static_cast<unsigned long long>(a),
                static_cast<unsigned long long>(b),
                static_cast<unsigned long long>(c));
}

}  // namespace distributo::simulation
