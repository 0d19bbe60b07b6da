#pragma once

#include <string>
#include <vector>

namespace distributo::coordinator {

/// Each host and client is an open file: takes as many as the system gives without asking.
void raise_file_limit();

/// "box", or "this machine" when it has no name.
[[nodiscard]] std::string machine_name();

/// By which names and addresses clients may reach a server that listens on `address`: those of the
/// machine when that is a wildcard or another machine can reach it, otherwise none.
[[nodiscard]] std::vector<std::string> reachable_names(const std::string& address);

}  // namespace distributo::coordinator
