#include "runtime/inproc_runner.hpp"
#include "runtime/runner_pool.hpp"
#include "runtime/value_cache.hpp"

#include <system_error>
#include <utility>

namespace distributo::runtime {

namespace fs = std::filesystem;

std::unique_ptr<Runner> make_runner(boost::asio::io_context& io,
                                    Isolation isolation,
                                    RunnerOptions options,
                                    RunnerEvents& events) {
    if (!options.cache)
        options.cache = std::make_shared<ValueCache>();
    if (isolation == Isolation::inproc)
        return std::make_unique<InprocRunner>(io, std::move(options), events);
    return std::make_unique<RunnerPool>(io, isolation, std::move(options), events);
}

fs::path default_runner_program() {
    std::error_code error;
    const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
    const fs::path name = "distributo-runner";
    const fs::path installed = here.parent_path() / "libexec" / "distributo" / name;
    return !fs::exists(here / name, error) && fs::exists(installed, error) ? installed
                                                                           : here / name;
}

}  // namespace distributo::runtime
