"""Two machines on one cable: network namespaces joined by a veth pair, made and removed here."""
import os
import subprocess

ADDRESSES = {"a": "10.77.0.1", "b": "10.77.0.2"}


class Network:
    """`with Network() as network: network.popen("a", [...])`. Needs root."""

    def __init__(self):
        self.prefix = f"dto{os.getpid()}"

    def name(self, side):
        return f"{self.prefix}{side}"

    def __enter__(self):
        def ip(*words):
            subprocess.run(["ip", *words], check=True)
        for side in "ab":
            ip("netns", "add", self.name(side))
        ip("link", "add", f"{self.prefix}v", "netns", self.name("a"), "type", "veth",
           "peer", "name", f"{self.prefix}v", "netns", self.name("b"))
        for side, address in ADDRESSES.items():
            ip("-n", self.name(side), "link", "set", "lo", "up")
            ip("-n", self.name(side), "addr", "add", f"{address}/24", "dev", f"{self.prefix}v")
            ip("-n", self.name(side), "link", "set", f"{self.prefix}v", "up")
        return self

    def __exit__(self, *_):
        for side in "ab":
            subprocess.run(["ip", "netns", "del", self.name(side)], check=False)

    def popen(self, side, command, **options):
        """Starts a process on one of the machines."""
        return subprocess.Popen(["ip", "netns", "exec", self.name(side), *map(str, command)],
                                text=True, **options)
