#pragma once

#include "base/ids.hpp"
#include "built.hpp"
#include "fake_coordinator.hpp"
#include "host/agent.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

// Real plugins in real runner processes under a host whose coordinator is the test. Waiting is
// always for an event; the limit only ends a test that would otherwise hang.

namespace distributo::tests {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class HostTest : public testing::Test {
protected:
    HostTest() : coordinator(io) {
        fs::create_directories(folder);
        options.coordinator = coordinator.url();
        options.plugin_dirs = {folder};
        options.data_dir = root / "data";
        options.slots = 4;
        options.name = "test-host";
        options.runner_program = built / "bin/distributo-runner";
    }
    ~HostTest() override {
        agent.reset();
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }

    /// Puts a plugin where the host sees it, the way an installer does.
    void drop_in(const std::string& from, const std::string& name, std::string_view suffix = {}) {
        const auto fresh = root / ("." + name);
        fs::copy_file(built / "test-plugins" / from, fresh, fs::copy_options::overwrite_existing);
        fs::permissions(fresh, fs::perms::owner_all);
        if (!suffix.empty())
            std::ofstream(fresh, std::ios::app) << suffix;
        fs::rename(fresh, folder / name);
    }
    void start() {
        auto directory = host::DataDir::open(options.data_dir);
        ASSERT_TRUE(directory) << directory.error().message;
        agent.emplace(io, clock, options, std::move(*directory));
        auto started = agent->start();
        ASSERT_TRUE(started) << started.error().message;
    }
    void start_with(const std::string& plugin, std::string_view type) {
        drop_in("good/" + plugin, plugin);
        start();
        wait_until([&] { return coordinator.offers(type); });
    }
    void wait_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never happened";
            io.restart();
            io.run_one_until(end);
        }
    }
    const FakeCoordinator::Result& result_of(const wire::Token& token) {
        wait_until([&] { return coordinator.result(token) != nullptr; });
        static const FakeCoordinator::Result none;
        const auto* result = coordinator.result(token);
        return result ? *result : none;
    }

    fs::path root = fs::temp_directory_path() / ("distributo-host-" + base::random_hex(6));
    fs::path folder = root / "plugins";
    boost::asio::io_context io{1};
    base::SystemClock clock;
    FakeCoordinator coordinator;
    host::Options options;
    std::optional<host::Agent> agent;
};

}  // namespace distributo::tests
