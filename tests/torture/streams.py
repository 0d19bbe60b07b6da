#!/usr/bin/python3
"""Generators and sinks while their coordinator and their own processes are killed at random: afterwards
each task must have been made once, and each outcome must be in every sink. `streams.py BUILD --help`."""
import argparse
import collections
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="folder of the build, for instance build/release")
    parser.add_argument("--kills", type=int, default=200, help="of the coordinator (default 200)")
    parser.add_argument("--pace", type=float, default=0.2, help="mean seconds between two (default 0.2)")
    parser.add_argument("--seed", type=int, help="of the faults (default: a random one)")
    return parser.parse_args()


WANTED = arguments()
sys.argv[1:] = [WANTED.build]  # which is what the harness reads
from harness import Coordinator, Host, TEST_PLUGINS, eventually  # noqa: E402

CONFIGURATION = """
[[generator]]
name = "numbers"
plugin = "torture_numbers"
config = {{ stop = "{folder}/stop" }}
low_water = 200
high_water = 400

[[sink]]
name = "remembers"
plugin = "torture_append"
config = {{ ledger = "{folder}/remembers", remembers = true }}

[[sink]]
name = "forgets"
plugin = "torture_append"
config = {{ ledger = "{folder}/forgets", remembers = false }}
"""


class Scene:
    """A coordinator that is killed and started again on one folder and one port, and a host."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        configuration = folder / "streams.toml"
        configuration.write_text(CONFIGURATION.format(folder=folder))
        self.arguments = ("--config", configuration, "--plugin-dir", TEST_PLUGINS / "streams")
        self.coordinator = Coordinator(*self.arguments, folder=folder, memory=False)
        self.host = Host(self.coordinator)

    def start(self):
        self.coordinator = Coordinator(*self.arguments, folder=self.folder, memory=False,
                                       port=self.coordinator.port)

    def kill(self):
        self.coordinator.process.kill()
        self.coordinator.process.wait()
        self.coordinator.errors.close()
        self.counts["kills of the coordinator"] += 1

    def kill_process(self):
        """One of those that the generator and the sinks run in."""
        pid = self.coordinator.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            os.kill(int(self.random.choice(children)), signal.SIGKILL)
            self.counts["kills of generators and sinks"] += 1

    def torment(self, kills, pace):
        while self.counts["kills of the coordinator"] < kills:
            time.sleep(self.random.expovariate(1 / pace))
            if self.random.random() < 0.2:
                self.kill_process()
            else:
                self.kill()
                self.start()

    def extension(self, path):
        return self.coordinator.request("GET", f"/v1/{path}")[1]

    def finish(self):
        """What the generator says at the end, when everything has reached the sinks."""
        (self.folder / "stop").touch()
        for path in ("generators/numbers", "sinks/remembers", "sinks/forgets"):
            if self.extension(path)["state"] == "failed":  # its process was killed too often
                self.coordinator.request("POST", f"/v1/{path}/resume", {})
        numbers = eventually("the generator has ended", lambda: self.ended())
        for name in ("remembers", "forgets"):
            eventually(f"{name} has everything", lambda: self.extension(f"sinks/{name}")["lag"] == 0)
        return numbers

    def ended(self):
        numbers = self.extension("generators/numbers")
        idle = numbers["waiting"] == 0 and numbers["running"] == 0
        return numbers if numbers["state"] == "ended" and idle else None

    def ledger(self, name):
        """(sequence, number) in the order in which they were written."""
        lines = (self.folder / name).read_text().splitlines()
        return [(int(s), int(n.split(":")[1].rstrip("}"))) for s, n in (line.split() for line in lines)]


def check(scene, numbers):
    """Everything that is wrong."""
    exact, repeated = scene.ledger("remembers"), scene.ledger("forgets")
    emitted = numbers["emitted"]
    scene.counts.update({"tasks": emitted, "outcomes in the sink that remembers": len(exact),
                         "outcomes in the sink that forgets": len(repeated)})
    if sorted(number for _, number in exact) != list(range(emitted)):
        missing = sorted(set(range(emitted)) - {number for _, number in exact})
        yield f"the sink that remembers has {len(exact)} outcomes of {emitted}; missing: {missing[:5]}"
    if [sequence for sequence, _ in exact] != sorted({sequence for sequence, _ in exact}):
        yield "the sink that remembers has them twice, or out of order"
    if set(repeated) != set(exact):
        yield f"the sinks differ: {sorted(set(exact) ^ set(repeated))[:5]}"
    newest = 0
    for before, (sequence, _) in zip([0] + [s for s, _ in repeated], repeated):
        if sequence > newest and before != newest:
            yield f"the sink that forgets jumped from {before} to {sequence}, it had {newest}"
        newest = max(newest, sequence)
    if not emitted:
        yield "nothing was done at all"


def main():
    seed = WANTED.seed if WANTED.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="dto-streams-") as folder:
        scene = Scene(pathlib.Path(folder), seed)
        try:
            scene.torment(WANTED.kills, WANTED.pace)
            wrong = list(check(scene, scene.finish()))
        finally:
            scene.host.clean()
            scene.coordinator.clean()
        for name, count in sorted(scene.counts.items()):
            print(f"{count:>8}  {name}")
        for one in wrong:
            print(f"WRONG: {one}")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
