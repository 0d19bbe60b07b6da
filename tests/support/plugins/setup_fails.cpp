// Loads, but cannot be set up: its types must not be offered, and the reason must be shown.
#include <distributo/plugin.hpp>

namespace {

struct Unlucky {
    explicit Unlucky(const distributo::Setup&) {
        throw distributo::retry_elsewhere("no licence for this machine");
    }
    void run() const {}
};

}  // namespace

DISTRIBUTO_PLUGIN("test.setup_fails",
                  "1.0.0",
                  distributo::task_type<&Unlucky::run>("test.setup_fails"));
