"""Machines on cables: network namespaces joined by veth pairs, made and removed here."""
import os
import pathlib
import subprocess
import sys
import time

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


# What the machines at the ends of several cables call the one in the middle.
HUB = "10.77.0.1"


def enter_own_network():
    """Starts this script again in a network of its own, as root or in a namespace of users; returns in
    the new process. False: that is not possible here."""
    if os.environ.get("DTO_OWN_NETWORK"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "addr", "add", f"{HUB}/32", "dev", "lo"], check=True)
        return True
    # Its processes are its own, too: none of them outlives it, however it ends.
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    possible = subprocess.run([*unshare, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    if possible.returncode != 0:
        return False
    os.environ["DTO_OWN_NETWORK"] = "yes"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


class Cable:
    """A machine that reaches HUB over a cable of its own. After enter_own_network()."""

    def __init__(self, number):
        self.link = f"cable{number}"
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == ours or \
                pathlib.Path(f"/proc/{self.holder.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.005)
        near, far = f"10.77.{number}.1", f"10.77.{number}.2"
        self.ip("link", "add", self.link, "type", "veth", "peer", "name", "eth",
                "netns", str(self.holder.pid))
        self.ip("addr", "add", f"{near}/24", "dev", self.link)
        self.ip("link", "set", self.link, "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{far}/24", "dev", "eth"),
                      ("link", "set", "eth", "up"), ("route", "add", HUB, "via", near)):
            subprocess.run([*self.prefix(), "ip", *words], check=True)

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def prefix(self):
        """Stands before a command that runs on that machine."""
        return ["nsenter", "--net", "--target", str(self.holder.pid)]

    def cut(self):
        self.ip("link", "set", self.link, "down")

    def heal(self):
        self.ip("link", "set", self.link, "up")

    def remove(self):
        self.holder.kill()
        self.holder.wait()
