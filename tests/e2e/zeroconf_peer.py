#!/usr/bin/python3
"""An independent DNS-SD implementation (python-zeroconf) that prints what discovery_tool prints.

    zeroconf_peer.py browse TYPE | advertise TYPE INSTANCE PORT ADDRESS
"""
import signal
import socket
import sys

from zeroconf import ServiceBrowser, ServiceInfo, Zeroconf


class Printer:
    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name)
        if info:
            txt = " ".join(f"{k.decode()}={v.decode()}" for k, v in sorted(info.properties.items()))
            print("found", name[: -len(kind) - 1], info.parsed_addresses()[0], info.port, txt,
                  flush=True)

    def update_service(self, zeroconf, kind, name):
        """Nothing that the tests look at."""

    def remove_service(self, _, kind, name):
        print("lost", name[: -len(kind) - 1], flush=True)


def main():
    kind = sys.argv[2] + ".local."
    zeroconf = Zeroconf()
    if sys.argv[1] == "browse":
        ServiceBrowser(zeroconf, kind, Printer())
    else:
        instance, port, address = sys.argv[3:6]
        zeroconf.register_service(
            ServiceInfo(kind, f"{instance}.{kind}", port=int(port), properties={"k": "v"},
                        addresses=[socket.inet_aton(address)], server="zeroconf-peer.local."))
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM})
    zeroconf.unregister_all_services()
    zeroconf.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
