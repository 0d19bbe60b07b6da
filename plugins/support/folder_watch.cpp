#include "folder_watch.hpp"

#include <array>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace support {

FolderWatch::FolderWatch(std::chrono::milliseconds settle, std::function<void()> on_change)
    : settle_(settle),
      on_change_(std::move(on_change)),
      events_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

FolderWatch::~FolderWatch() {
    eventfd_write(stop_.number(), 1);
    thread_.join();
}

bool FolderWatch::add(const std::string& path) {
    constexpr std::uint32_t wanted = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO |
                                     IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
    return inotify_add_watch(events_.number(), path.c_str(), wanted) >= 0;
}

void FolderWatch::run() {
    bool pending = false;
    for (;;) {
        std::array<pollfd, 2> what{pollfd{events_.number(), POLLIN, 0},
                                   pollfd{stop_.number(), POLLIN, 0}};
        const int ready =
            poll(what.data(), what.size(), pending ? static_cast<int>(settle_.count()) : -1);
        if (what[1].revents != 0) {
            return;
        }
        if (ready == 0) {
            pending = false;
            on_change_();
            continue;
        }
        alignas(inotify_event) std::array<char, 16 * 1024> buffer;
        while (read(events_.number(), buffer.data(), buffer.size()) > 0) {
            pending = true;
        }
    }
}

}  // namespace support
