#pragma once

#include "support/files.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace command {

/// A program that reads from us and writes to us. Neither side ever waits for a full pipe while the
/// other does: whoever writes here reads what the program says meanwhile. Ends with its owner:
/// end of input, then a second of patience, then a kill. For one thread.
class Child {
public:
    /// `on_line` gets each line that the program prints, without its end.
    Child(const std::vector<std::string>& argv, std::function<void(std::string_view)> on_line);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    /// Writes everything, or throws retry: the program has ended, or did not read in time.
    void write(std::string_view text, std::chrono::steady_clock::time_point deadline);
    /// Reads until `done`, or throws retry likewise.
    void read_until(const std::function<bool()>& done,
                    std::chrono::steady_clock::time_point deadline);

private:
    void wait(bool to_write, std::chrono::steady_clock::time_point deadline);
    /// False: it has closed its output.
    [[nodiscard]] bool read_available();
    [[noreturn]] void ended();

    std::function<void(std::string_view)> on_line_;
    support::Descriptor in_, out_;
    pid_t process_ = -1;
    std::string partial_;
};

}  // namespace command
