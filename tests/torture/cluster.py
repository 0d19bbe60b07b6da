"""A coordinator and its hosts as real processes, and what can be done to them."""
import os
import pathlib
import signal
import socket
import time

from harness import Process, TEST_PLUGINS
from namespaces import HUB, Cable


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Member:
    """A daemon that is started again and again on one folder."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.folder = cluster.folder / name
        self.folder.mkdir()
        self.process = None
        self.leaving = False  # by itself, since it was asked to

    def launch(self, *arguments, prefix=()):
        self.process = Process(*arguments, folder=self.folder, prefix=prefix)
        self.process.errors.close()
        self.leaving = False
        return self.pid

    def leave(self):
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        self.leaving = True

    def wait_if_leaving(self):
        if self.leaving:
            self.process.process.wait()

    @property
    def pid(self):
        return self.process.process.pid

    def revive(self):
        """Two faults may both want it started again."""
        if not self.running():
            self.start()

    def running(self):
        return self.process is not None and self.process.process.poll() is None

    def send(self, number):
        if self.running():
            self.process.process.send_signal(number)

    def kill(self):
        """Also when it is stopped. Notes whom it took along."""
        if not self.running():
            return
        self.process.process.kill()
        self.process.process.wait()
        self.cluster.faults.killed[self.pid].append(time.monotonic_ns())

    def tail(self):
        text = (self.folder / "log").read_text() if (self.folder / "log").exists() else ""
        return (self.folder / "stderr").read_text() + text[-3000:]


class Coordinator(Member):
    def start(self):
        self.cluster.faults.starts.append(time.monotonic_ns())
        address, port, http_port = self.cluster.where
        self.launch("distributo-coordinator", "--no-discovery", "--listen", address, "--port", port,
                    "--http-port", http_port)


class Host(Member):
    def __init__(self, cluster, number, cable):
        super().__init__(cluster, f"host{number}")
        self.cable = cable

    def start(self):
        address, port, _ = self.cluster.where
        pid = self.launch("distributo-host", "--coordinator", f"http://{address}:{port}", "--name", self.name,
                          "--plugin-dir", TEST_PLUGINS / "torture", "--slots", 8, "--quarantine", "1s",
                          "--writable", self.cluster.ledger.parent,
                          prefix=self.cable.prefix() if self.cable else ())
        self.cluster.host_names[pid] = self.name
        self.cluster.faults.end_absence(self.name, "stopped")

    def runners(self):
        try:
            children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in children.split()]

    def kill_runner(self, choice):
        runners = self.runners()
        if runners:
            pid = choice(runners)
            os.kill(pid, signal.SIGKILL)
            self.cluster.faults.killed[pid].append(time.monotonic_ns())

    def signal_runners(self, number):
        for pid in self.runners():
            os.kill(pid, number)

    def cut(self):
        self.cluster.faults.begin_absence(self.name, "cut")
        self.cable.cut()

    def heal(self):
        self.cable.heal()
        self.cluster.faults.end_absence(self.name, "cut")

    def doze(self):
        self.cluster.faults.begin_absence(self.name, "stopped")
        self.send(signal.SIGSTOP)

    def wake(self):
        self.send(signal.SIGCONT)
        self.cluster.faults.end_absence(self.name, "stopped")


class Cluster:
    """One coordinator, `hosts` hosts; the first of them beside the coordinator, the others at the ends of
    cables if there is a network to put them in."""

    def __init__(self, folder, hosts, own_network, faults):
        self.folder, self.faults = pathlib.Path(folder), faults
        self.ledger = self.folder / "ledger" / "executions"
        self.ledger.parent.mkdir()
        self.ledger.touch()
        self.host_names = {}  # by process id
        self.where = (HUB, 4000, 5000) if own_network else ("127.0.0.1", free_port(), free_port())
        self.cables = [Cable(number) for number in range(1, hosts if own_network else 1)]
        self.coordinator = Coordinator(self, "coordinator")
        self.hosts = [Host(self, number, self.cables[number - 1] if number and own_network else None)
                      for number in range(hosts)]
        for member in self.members():
            member.start()

    def members(self):
        return [self.coordinator, *self.hosts]

    @property
    def api(self):
        return self.where[0], self.where[2]

    def remove(self):
        for member in reversed(self.members()):
            member.kill()
        for cable in self.cables:
            cable.remove()
