#include "coordinator/machine.hpp"

#include <boost/asio/ip/address.hpp>

#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

namespace distributo::coordinator {
namespace {

std::string address_text(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = nullptr;
    if (address && address->sa_family == AF_INET)
        bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!bytes || !::inet_ntop(address->sa_family, bytes, text.data(), text.size()))
        return {};
    return text.data();
}

std::vector<std::string> interface_addresses() {
    std::vector<std::string> addresses;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0)
        return addresses;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
    for (const ifaddrs* one = first; one; one = one->ifa_next)
        if (auto text = address_text(one->ifa_addr); !text.empty())
            addresses.push_back(std::move(text));
    return addresses;
}

}  // namespace

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string machine_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
        return "this machine";
    return name.data();
}

std::vector<std::string> reachable_names(const std::string& address) {
    const auto listening = boost::asio::ip::make_address(address);
    if (listening.is_loopback())
        return {};
    std::vector<std::string> names;
    if (listening.is_unspecified())
        names = interface_addresses();
    auto name = machine_name();
    names.push_back(name.substr(0, name.find('.')) + ".local");
    names.push_back(std::move(name));
    return names;
}

}  // namespace distributo::coordinator
