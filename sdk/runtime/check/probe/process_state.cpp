#include "runtime/check/probe/process_state.hpp"

#include <charconv>
#include <clocale>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <sstream>
#include <thread>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every libc's headers

namespace distributo::runtime::check {

namespace fs = std::filesystem;

std::size_t thread_count() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& task : fs::directory_iterator("/proc/self/task"))
        ++count;
    return count;
}

std::set<int> open_descriptors() {
    std::set<int> found;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
        found.insert(std::stoi(entry.path().filename().string()));
    // The iterator's own is closed by now.
    std::erase_if(found, [](int descriptor) { return descriptor_target(descriptor).empty(); });
    return found;
}

std::string descriptor_target(int descriptor) {
    std::error_code error;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error).string();
}

Memory memory_in_use() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0;
    std::int64_t resident = 0;
    statm >> size >> resident;
    const struct mallinfo2 heap = mallinfo2();
    return {.resident = resident * sysconf(_SC_PAGESIZE),
            .heap = static_cast<std::int64_t>(heap.uordblks + heap.hblkhd)};
}

std::vector<Mapping> mappings() {
    std::vector<Mapping> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::string range;
        std::string mode;
        std::string skipped;
        Mapping one;
        words >> range >> mode >> skipped >> skipped >> skipped >> std::ws;
        std::getline(words, one.file);
        const char* const end = range.data() + range.size();
        const auto dash = std::from_chars(range.data(), end, one.from, 16);
        std::from_chars(dash.ptr + 1, end, one.to, 16);
        one.readable = mode.find('r') != std::string::npos;
        one.executable = mode.find('x') != std::string::npos;
        found.push_back(std::move(one));
    }
    return found;
}

ProcessState ProcessState::take() {
    ProcessState state;
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action {};
        std::ostringstream text;
        if (sigaction(number, nullptr, &action) == 0)
            text << reinterpret_cast<std::uintptr_t>(action.sa_handler) << ' ' << action.sa_flags;
        state.handlers.push_back(text.str());
    }
    std::error_code ignored;
    state.folder = fs::current_path(ignored).string();
    state.locale = std::setlocale(LC_ALL, nullptr);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Umask:"))
            state.umask = line;
    for (char** variable = environ; variable && *variable; ++variable)
        state.environment.emplace_back(*variable);
    return state;
}

void short_pause() {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

}  // namespace distributo::runtime::check
