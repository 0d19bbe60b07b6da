#!/usr/bin/python3
"""End-to-end benchmarks with the real binaries: a table on the terminal, JSON in a file.

    tests/bench/bench.py [--build build/release] [--json build/bench.json] [--quick] [NAME…]

Names: throughput, latency, addtask, queued, idle, core, runtime, swap, durable, rows_kept, recovery, generator, sink,
extensions_idle. Each figure is the best of three runs, the others stand in the JSON. Load, coordinator and hosts share
the machine's cores. Those from durable on write to the folder of --data (some gigabytes), which should be on a real disk.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from durable import Durable
from streams import Streams

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


class Daemon:
    """A coordinator or host with a folder of its own; stopped at the end of a `with` block."""

    def __init__(self, program, *arguments, data=None, prepare=None):
        self.folder = tempfile.TemporaryDirectory(dir=data)
        if prepare:
            prepare(self.folder.name)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [program, *map(str, arguments), "--data-dir", self.folder.name,
             "--log-file", f"{self.folder.name}/log"], stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def pids(self):
        """Its process and its children (the runners of a host)."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu(self):
        """CPU seconds so far, children that are gone not counted."""
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def resident(self):
        """Resident bytes of the process itself."""
        return self.resident_of(self.process.pid)

    @staticmethod
    def resident_of(pid):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


class Bench(Durable, Streams):
    def __init__(self, build, quick, data):
        self.bin = build / "bin"
        self.tests = build / "tests"
        self.folder = tempfile.TemporaryDirectory()
        self.plugins = pathlib.Path(self.folder.name)
        shutil.copy(build / "test-plugins" / "good" / "test_noop.so", self.plugins)
        self.scale = 10 if quick else 1
        self.data = data
        self.rows = []

    def coordinator(self, *arguments, memory=True, prepare=None):
        """In memory, or durable in a folder that `prepare` may fill before."""
        kind = {} if memory else {"data": self.data, "prepare": prepare}
        daemon = Daemon(self.bin / "distributo-coordinator", "--port", 0, "--http-port", 0,
                        "--no-discovery", *arguments, *(["--memory"] if memory else []), **kind)
        ports = pathlib.Path(daemon.folder.name, "ports.json")
        deadline = time.monotonic() + 60
        while not ports.exists() or not ports.read_text():
            if time.monotonic() > deadline or daemon.process.poll() is not None:
                sys.exit("the coordinator did not start")
            time.sleep(0.001)
        daemon.ready = time.monotonic()
        daemon.ports = json.loads(ports.read_text())
        return daemon

    def host(self, coordinator, isolation, name="host", slots=1):
        return Daemon(self.bin / "distributo-host", "--coordinator",
                      f"http://127.0.0.1:{coordinator.ports['port']}", "--plugin-dir", self.plugins,
                      "--isolation", isolation, "--slots", slots, "--name", name)

    def load(self, coordinator, mode, *arguments):
        done = subprocess.run([self.tests / "load", mode, str(coordinator.ports["httpPort"]),
                               *map(str, arguments)], text=True, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"load {mode}: {done.stderr}")
        return json.loads(done.stdout)

    def row(self, name, value, unit, runs=None, **more):
        self.rows.append({"name": name, "value": value, "unit": unit, "runs": runs or [value], **more})
        print(f"{name:58s} {value:>14,.2f} {unit}", flush=True)

    def best(self, name, unit, runs, higher=True):
        self.row(name, max(runs) if higher else min(runs), unit, runs)

    def throughput(self):
        for isolation, count in (("inproc", 1_000_000), ("process", 500_000)):
            for hosts in (1, 2):
                count_now = count // self.scale
                rates, cpus = [], []
                for _ in range(3):
                    with self.coordinator() as coordinator:
                        running = [self.host(coordinator, isolation, f"host-{i}") for i in range(hosts)]
                        self.load(coordinator, "tasks", 20_000, 1000, "test.noop")
                        before = [d.cpu() for d in [coordinator, *running]]
                        result = self.load(coordinator, "tasks", count_now, 1000, "test.noop")
                        after = [d.cpu() for d in [coordinator, *running]]
                        rates.append(result["tasks_per_second"])
                        cpus.append([(b - a) * 1e6 / count_now for a, b in zip(before, after)])
                        for daemon in running:
                            daemon.__exit__()
                label = f"no-op tasks, {hosts} host{'s' * (hosts - 1)}, {isolation}"
                self.best(label, "tasks/s", rates)
                best = cpus[rates.index(max(rates))]
                self.row(f"  CPU per task, coordinator", best[0], "µs")
                self.row(f"  CPU per task, host{'s' * (hosts - 1)} with runners", sum(best[1:]), "µs")

    def latency(self):
        for isolation in ("inproc", "process"):
            for pause, label in ((0, "back to back"), (1000, "one every ms")):
                with self.coordinator() as coordinator, self.host(coordinator, isolation):
                    runs = [self.load(coordinator, "latency", 5000 // self.scale, "test.noop", pause)
                            for _ in range(3)]
                self.best(f"idle latency p50, {isolation}, {label}", "µs",
                          [r["p50_us"] for r in runs], higher=False)
                self.best(f"idle latency p99, {isolation}, {label}", "µs",
                          [r["p99_us"] for r in runs], higher=False)

    def addtask(self):
        """Keep-alive without a host, as tasks are taken in; pipelined with one that runs them all."""
        for connections, pipeline in ((1, 1), (64, 1), (64, 16)):
            runs = []
            for _ in range(3):
                with self.coordinator() as coordinator, contextlib.ExitStack() as stack:
                    if pipeline > 1:
                        stack.enter_context(self.host(coordinator, "inproc"))
                    count = (200_000 if pipeline == 1 else 600_000) // self.scale
                    runs.append(self.load(coordinator, "addtask", connections, pipeline, count)
                                ["requests_per_second"])
            kind = f"pipelined by {pipeline}, executed" if pipeline > 1 else "keep-alive, taken in"
            self.best(f"POST /addTask, {connections} connections, {kind}", "requests/s", runs)

    def queued(self):
        count = 1_000_000 // self.scale
        with self.coordinator() as coordinator:
            before = coordinator.resident()
            self.load(coordinator, "tasks", count, 1000, "test.nobody", "nowait")
            self.row("resident bytes per queued task of 100 bytes",
                     (coordinator.resident() - before) / count, "B")

    def idle(self):
        with self.coordinator() as coordinator, self.host(coordinator, "process") as host:
            time.sleep(1)
            self.row("idle memory, coordinator", coordinator.resident() / 1e6, "MB")
            self.row("idle memory, host", host.resident() / 1e6, "MB")
        for mode, port, label, count in (("idle", "httpPort", "HTTP connection", 4_000),
                                         ("hosts", "port", "host connection", 10_000)):
            with self.coordinator() as coordinator:
                before = coordinator.resident()
                load = subprocess.Popen([self.tests / "load", mode, str(coordinator.ports[port]),
                                         str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                if not load.stdout.readline():
                    sys.exit(f"load {mode} failed")
                time.sleep(1)
                self.row(f"memory per idle {label}, {count} of them",
                         (coordinator.resident() - before) / count, "B")
                load.communicate()

    def google(self, program):
        """The results of a program that uses Google Benchmark."""
        done = subprocess.run([self.tests / program, "--benchmark_format=json",
                               f"--benchmark_min_time={1 / self.scale}"], text=True,
                              capture_output=True, check=True)
        return json.loads(done.stdout)["benchmarks"]

    def core(self):
        for result in self.google("bench_core"):
            unit = result["time_unit"] + "/iteration"
            self.row(f"core: {result['name']}", result["cpu_time"], unit,
                     counters={k: v for k, v in result.items() if isinstance(v, float)})

    def runtime(self):
        """Calls of a plugin that does nothing, and what a process around it costs."""
        results = {r["name"].removesuffix("/real_time").removesuffix("/manual_time"): r
                   for r in self.google("bench_runtime")}

        def each(isolation, window):
            return results[f"through_runner/{isolation}/{window}"]["each"] * 1e6

        direct = results["direct"]["real_time"] / 1e3
        self.row("plugin called directly", direct, "µs")
        for label, window in (("one at a time", 1), ("64 open", 64), ("1024 open", 1024)):
            inproc, process = each("inproc", window), each("process", window)
            self.row(f"runner inproc, {label}", inproc, "µs", times_direct=inproc / direct)
            self.row(f"runner process, {label}", process, "µs", times_direct=process / direct)
            self.row(f"  process above inproc, {label}", process - inproc, "µs")
        self.row("runner start, with the first result", results["start_runner"]["real_time"], "ms")
        self.row("from a crash to the next result", results["crash_to_next"]["real_time"], "ms")

    def swap(self):
        """From a new file in the plugin folder until the coordinator hears of its version."""
        def digest():
            url = f"http://127.0.0.1:{coordinator.ports['httpPort']}/v1/hosts"
            with urllib.request.urlopen(url) as answer:
                hosts = json.load(answer)["items"]
            return [t["digest"] for h in hosts for t in h["types"]]

        plugin = self.plugins / "test_noop.so"
        runs = []
        with self.coordinator() as coordinator, self.host(coordinator, "process"):
            while not digest():
                time.sleep(0.01)
            for _ in range(10):
                before = digest()
                # A byte behind the end is another file to everybody, and the same code.
                (self.plugins / "next").write_bytes(plugin.read_bytes() + b"\0")
                start = time.monotonic()
                (self.plugins / "next").rename(plugin)
                while digest() == before:
                    time.sleep(0.001)
                runs.append((time.monotonic() - start) * 1e3)
        self.row("swap of a plugin, median", sorted(runs)[len(runs) // 2], "ms", runs)


def main():
    names = ["throughput", "latency", "addtask", "queued", "idle", "core", "runtime", "swap",
             "durable", "rows_kept", "recovery", "generator", "sink", "extensions_idle"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "build",
                        help="where durable coordinators keep their tasks")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for trying it")
    parser.add_argument("names", nargs="*", choices=[*names, []], default=[])
    arguments = parser.parse_args()
    bench = Bench(arguments.build, arguments.quick, arguments.data)
    for name in arguments.names or names:
        getattr(bench, name)()
    arguments.json.write_text(json.dumps(bench.rows, indent=1))
    print(f"written to {arguments.json}")


if __name__ == "__main__":
    main()
