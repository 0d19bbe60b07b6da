"""Benchmarks of generators and sinks; the rows of bench.py about them."""
import json
import pathlib
import shutil
import time
import urllib.error
import urllib.request

SECONDS = 10  # that something idle is looked at
SINKS = (("bench_null", "{}"), ("jsonl", '{ path = "results.jsonl" }'),
         ("sqlite", '{ database = "results.db" }'))


class Streams:
    """Mixed into bench.Bench, which starts daemons and prints rows."""

    def streaming(self, tables, memory=False, prepare=None):
        """A coordinator with the shipped plugins, those of this benchmark, and these tables of a
        configuration file, in a data folder that is also the one that they name."""
        folder = self.plugins / "streams"
        folder.mkdir(exist_ok=True)
        shutil.copy(self.bin.parent / "test-plugins" / "bench" / "bench_stream.so", folder)
        config = self.plugins / "streams.toml"
        config.write_text(tables)
        return self.coordinator("--config", config, "--plugin-dir", folder, "--plugin-dir",
                                self.bin.parent / "plugins", "--max-tasks", 10_000_000,
                                memory=memory, prepare=prepare)

    @staticmethod
    def extension(coordinator, path):
        """What the API says of it; nothing while the coordinator is writing its name down."""
        url = f"http://127.0.0.1:{coordinator.ports['httpPort']}/v1/{path}"
        try:
            with urllib.request.urlopen(url) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def until(self, coordinator, path, reached):
        """Seconds since the coordinator was ready."""
        while not ((now := self.extension(coordinator, path)) and reached(now)):
            time.sleep(0.005)
        return time.monotonic() - coordinator.ready

    def generator(self):
        """Tasks from a generator into the queue, durable before the next ones are asked for."""
        count = 1_000_000 // self.scale
        rates, cpus = [], []
        for _ in range(3):
            with self.streaming(f"""
[[generator]]
name = "source"
plugin = "bench_source"
config = {{ tasks = {count} }}
low_water = {count}
high_water = {2 * count}
""") as coordinator:
                seconds = self.until(coordinator, "generators/source",
                                     lambda now: now["emitted"] >= count)
                rates.append(count / seconds)
                cpus.append(coordinator.cpu() / count * 1e6)
        self.best("tasks from a generator into the durable queue", "tasks/s", rates)
        self.row("  CPU per task, coordinator and generator", min(cpus), "µs")

    def sink(self):
        """Outcomes that are kept already, to a sink that begins with the oldest."""
        count = 1_000_000 // self.scale
        for plugin, config in SINKS:
            rates, cpus = [], []
            for _ in range(3):
                out = pathlib.Path(self.folder.name)
                for old in out.glob("results.*"):
                    old.unlink()
                with self.streaming(f"""
[[sink]]
name = "sink"
plugin = "{plugin}"
config = {config}
""", prepare=lambda folder: self.fill(folder, count)) as coordinator:
                    seconds = self.until(coordinator, "sinks/sink",
                                         lambda now: now["outcomes"] >= count)
                    rates.append(count / seconds)
                    cpus.append(coordinator.cpu() / count * 1e6)
            self.best(f"outcomes to a sink, {plugin.removeprefix('bench_')}", "outcomes/s", rates)
            self.row("  CPU per outcome, coordinator and sink", min(cpus), "µs")

    def extensions_idle(self):
        """What a generator that has nothing, and a sink that has everything, cost."""
        both = """
[[generator]]
name = "source"
plugin = "bench_source"
config = { tasks = 0 }
[[sink]]
name = "sink"
plugin = "bench_null"
"""
        for label, tables in (("without extensions", ""), ("with an idle generator and sink", both)):
            with self.streaming(tables) as coordinator:
                time.sleep(SECONDS / self.scale)  # until back-offs are at their longest
                before, began = coordinator.cpu(), time.monotonic()
                time.sleep(SECONDS / self.scale)
                cpu = (coordinator.cpu() - before) / (time.monotonic() - began)
                self.row(f"idle coordinator {label}, CPU", cpu * 1e3, "ms/s")
                self.row("  memory of its processes",
                         sum(coordinator.resident_of(pid) for pid in coordinator.pids()) / 1e6, "MB")
