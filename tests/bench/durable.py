"""Benchmarks of the durable coordinator; the rows of bench.py that need a disk."""
import contextlib
import json
import pathlib
import subprocess
import time
import urllib.request

GRACE = 60  # seconds that anything may take to come up


def size_of(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*") if f.is_file())


class Durable:
    """Mixed into bench.Bench, which starts daemons and prints rows."""

    def floor(self, folder, size, count):
        """What the disk itself takes for appends of that size, in the same run."""
        done = subprocess.run([self.tests / "load", "append", str(folder), str(size), str(count)],
                              text=True, capture_output=True, check=True)
        return json.loads(done.stdout)

    def fill(self, folder, ended, pending=0):
        subprocess.run([self.tests / "fill", str(folder), str(ended), str(pending)], check=True,
                       stdout=subprocess.DEVNULL)

    def durable(self):
        """Complete life cycles: submit acknowledged, executed, result durable."""
        for hosts in (1, 2):
            for batch, count in ((1, 100_000), (100, 500_000), (1000, 1_000_000)):
                rates = []
                for _ in range(3):
                    with self.coordinator(memory=False) as coordinator, contextlib.ExitStack() as stack:
                        for i in range(hosts):
                            stack.enter_context(self.host(coordinator, "process", f"host-{i}"))
                        self.load(coordinator, "tasks", 20_000, 1000, "test.noop")
                        rates.append(self.load(coordinator, "tasks", count // self.scale, batch,
                                               "test.noop")["tasks_per_second"])
                        disk = size_of(coordinator.folder.name)
                self.best(f"durable no-op tasks, {hosts} host{'s' * (hosts - 1)}, batch {batch}",
                          "tasks/s", rates)
            self.row("  bytes on disk per ended task", disk / (20_000 + count // self.scale), "B")
        with self.coordinator(memory=False) as coordinator, self.host(coordinator, "process"):
            self.single(coordinator)
            for rate in (20_000, 50_000, 100_000, 150_000):
                self.paced(coordinator, rate)

    def paced(self, coordinator, rate, rows=0):
        self.load(coordinator, "paced", rate, 1, 100, "test.noop")
        before = coordinator.cpu()
        result = self.load(coordinator, "paced", rate, 10 / self.scale, 100, "test.noop")
        cpu = (coordinator.cpu() - before) / result["tasks"] * 1e6
        floor = self.floor(coordinator.folder.name, 100 * 232, 2000)
        where = f", {rows:,} rows" if rows else ""
        self.row(f"durable at {rate // 1000} k/s, batch 100{where}, reached",
                 result["tasks_per_second"], "tasks/s")
        self.row("  submit acknowledged p50", result["ack_p50_ms"], "ms")
        self.row("  submit acknowledged p99", result["ack_p99_ms"], "ms")
        self.row("  CPU per task, coordinator", cpu, "µs")
        self.row("  append and sync of the same bytes p50", floor["sync_p50_ms"], "ms")

    def single(self, coordinator, rows=0):
        """Submits alone: nobody offers the type, so no results share the disk with them."""
        runs = [self.load(coordinator, "submits", 5000 // self.scale, "test.nobody",
                          coordinator.folder.name) for _ in range(3)]
        best = min(runs, key=lambda run: run["submit_p50_ms"])
        where = f", {rows:,} rows" if rows else ""
        self.row(f"durable single submit p50{where}", best["submit_p50_ms"], "ms")
        self.row(f"durable single submit p99{where}", best["submit_p99_ms"], "ms")
        self.row("  the disk's own fdatasync p50", best["sync_p50_ms"], "ms")
        self.row("  single submit p50, times that", best["submit_p50_ms"] / best["sync_p50_ms"], "×")

    @contextlib.contextmanager
    def filled(self, ended, pending=0):
        """A coordinator whose store holds so many tasks."""
        # So many that none of them is forgotten meanwhile, which would be measured, too.
        with self.coordinator("--keep-at-most", 2 * (ended + 1_000_000) * self.scale, memory=False,
                              prepare=lambda folder: self.fill(folder, ended, pending)) as daemon:
            yield daemon

    def rows_kept(self):
        """The same with many ended tasks, and the list queries of a dashboard on them."""
        for rows in (10_000, 1_000_000, 10_000_000):
            rows //= self.scale
            with self.filled(rows) as coordinator:
                self.row(f"bytes on disk per ended task, {rows:,} rows",
                         size_of(coordinator.folder.name) / rows, "B")
                for target in ("?limit=50", "?state=failed&limit=50", "?state=completed&limit=50",
                               "?state=completed&type=test.noop&limit=50",
                               "?state=failed&type=test.noop&limit=50", "?type=test.rare&limit=50",
                               "?group=group-7&limit=50", "?host=host-3&limit=50",
                               "?label=colour:red&limit=50", "?state=failed&count=true&limit=1",
                               "?created_from=2026-01-01T00:00:00Z&limit=50"):
                    got = self.load(coordinator, "get", 200, f"/v1/tasks{target}")
                    self.row(f"GET /v1/tasks{target}, {rows:,} rows, p99", got["get_p99_ms"], "ms",
                             p50=got["get_p50_ms"], first=got["first_ms"])
                with self.host(coordinator, "process"):
                    self.single(coordinator, rows)
                    self.throughput_of(coordinator, rows)
                    self.paced(coordinator, 100_000, rows)

    def throughput_of(self, coordinator, rows):
        rates = [self.load(coordinator, "tasks", 500_000 // self.scale, 1000, "test.noop")
                 ["tasks_per_second"] for _ in range(3)]
        self.best(f"durable no-op tasks, batch 1000, {rows:,} rows", "tasks/s", rates)

    def recovery(self):
        """From the start of the process until a host gets its first task, by waiting tasks."""
        for pending in (0, 10_000, 100_000, 1_000_000):
            pending //= self.scale
            runs = []
            for _ in range(3):
                with self.filled(10_000, pending + 1) as coordinator:
                    start = coordinator.started
                    with self.host(coordinator, "process"):
                        self.await_completed(coordinator, 1)
                        runs.append((time.monotonic() - start) * 1e3)
                    ready = (coordinator.ready - start) * 1e3
            self.best(f"start to first result, {pending:,} waiting", "ms", runs, higher=False)
            self.row("  of it until the ports are open", ready, "ms")

    def await_completed(self, coordinator, count):
        url = f"http://127.0.0.1:{coordinator.ports['httpPort']}/v1/status"
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            with urllib.request.urlopen(url) as answer:
                if json.load(answer)["tasks"]["completed"] >= count:
                    return
            time.sleep(0.002)
        raise SystemExit("nothing was completed")
