#!/usr/bin/python3
"""Real programs on a real disk, killed, stopped and cut off at random while they work; afterwards every
acknowledged task must have exactly one outcome. `torture.py BUILD_FOLDER --help`."""
import argparse
import heapq
import itertools
import os
import pathlib
import random
import secrets
import signal
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "support")]

import namespaces  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="folder of the build, for instance build/release")
    parser.add_argument("--seconds", type=float, default=25, help="how long faults go on (default 25)")
    parser.add_argument("--kills", type=int, help="instead: until the coordinator was killed this often")
    parser.add_argument("--seed", type=int, help="of the faults and the tasks (default: a random one)")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--rate", type=float, default=120, help="tasks per second (default 120)")
    parser.add_argument("--pace", type=float, default=1, help="how many times as often faults come")
    parser.add_argument("--only", choices=FAULTS, action="append", help="this kind of fault (repeatable)")
    parser.add_argument("--patience", type=float, default=120, help="seconds to finish afterwards")
    parser.add_argument("--keep", action="store_true", help="leave the folder with all logs and ledgers")
    return parser.parse_args()


# Mean seconds between two faults of a kind, all hosts together.
FAULTS = {"coordinator": 1.2, "host": 3, "leave": 15, "runner": 20, "stop": 4, "cut": 6, "doze": 90}


class Storm:
    """Draws faults until they are over. What a fault ends (a stop, a cut) or wants started again is due
    later, in the same queue."""

    def __init__(self, cluster, seed, kinds, pace):
        self.pace = pace
        self.cluster, self.faults = cluster, cluster.faults
        self.random = random.Random(seed)
        self.numbers = itertools.count()
        self.due = []
        for kind in kinds:
            self.draw(kind)

    def at(self, delay, action):
        heapq.heappush(self.due, (time.monotonic() + delay, next(self.numbers), action))

    def draw(self, kind):
        """The next fault of this kind."""
        def strike():
            getattr(self, kind)()
            self.draw(kind)
        self.at(self.random.expovariate(self.pace / FAULTS[kind]), strike)

    def run_one(self):
        when, _, action = heapq.heappop(self.due)
        time.sleep(max(0, when - time.monotonic()))
        action()

    def coordinator(self):
        victim = self.cluster.coordinator
        if victim.running():
            victim.kill()
            self.faults.counts["kills of the coordinator"] += 1
            self.at(self.random.uniform(0, 0.3), victim.revive)

    def host(self):
        victim = self.random.choice(self.cluster.hosts)
        if victim.running():
            victim.kill()
            self.faults.counts["kills of hosts"] += 1
            self.at(self.random.uniform(0, 1), victim.revive)

    def leave(self):
        victim = self.random.choice(self.cluster.hosts)
        if not victim.running() or victim.leaving:  # asked twice, it would end what it runs
            return
        victim.leave()
        self.faults.counts["clean stops of hosts"] += 1

        def come_back():
            if victim.running() and victim.leaving:
                self.at(0.2, come_back)
            else:
                victim.revive()
        self.at(0.2, come_back)

    def runner(self):
        victim = self.random.choice(self.cluster.hosts)
        if victim.running():
            victim.kill_runner(self.random.choice)
            self.faults.counts["kills of runners"] += 1

    def stop(self):
        victim = self.random.choice(self.cluster.members())
        process = victim.process
        for number, delay in ((signal.SIGSTOP, 0), (signal.SIGCONT, self.random.uniform(0.1, 3))):
            def send(number=number):
                if process.process.poll() is None:
                    process.process.send_signal(number)
            self.at(delay, send)
        self.faults.counts["stops and continues"] += 1

    def doze(self):
        """Longer than the lease: its tasks are given to others, and it finds out when it wakes up."""
        victim = self.random.choice(self.cluster.hosts)
        if victim.running():
            process = victim.process.process
            victim.doze()
            self.at(self.random.uniform(32, 40), lambda: process.poll() is None and victim.wake())
            self.faults.counts["hosts stopped for longer than a lease"] += 1

    def cut(self):
        victim = self.random.choice([host for host in self.cluster.hosts if host.cable])
        victim.heal()
        victim.cut()
        self.faults.counts["cuts of the network"] += 1
        self.at(self.random.uniform(0.2, 3), victim.heal)

    def calm(self):
        """Everything runs, and nothing is in its way."""
        for host in self.cluster.hosts:
            if host.cable:
                host.heal()
            host.wake()
        for member in self.cluster.members():
            member.send(signal.SIGCONT)
            member.wait_if_leaving()
            member.revive()


def torment(storm, wanted, clients):
    """Until the time is over or the kills are done. What went wrong meanwhile, if anything."""
    end = time.monotonic() + wanted.seconds
    counts = storm.faults.counts
    while counts["kills of the coordinator"] < wanted.kills if wanted.kills else time.monotonic() < end:
        storm.run_one()
        if refused := next((one.refused for one in clients if one.refused), None):
            return refused
    return None


def drained(consumer, acknowledged, cluster, patience):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not acknowledged.ids.difference(result["id"] for result in list(consumer.seen)):
            return
        for member in cluster.members():
            if not member.running():
                print(f"{member.name} ended by itself:\n{member.tail()}", file=sys.stderr)
                return
        time.sleep(0.2)


def percentile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def report(seed, seconds, verdict, acknowledged, results, producers, faults):
    waits = verdict.first_executions()
    executions = sum(map(len, verdict.runs.values()))
    rows = [("seed", seed), ("seconds", f"{seconds:.0f}"), *sorted(faults.counts.items()),
            ("tasks acknowledged", len(acknowledged.ids)),
            ("requests repeated by producers", sum(one.repeats for one in producers)),
            ("executions", executions),
            ("executions per task", f"{executions / max(1, len(acknowledged.ids)):.3f}"),
            ("outcomes completed", sum(result["state"] == "completed" for result in results)),
            ("outcomes failed because their process was killed", sum(result["state"] == "failed" for result in results)),
            ("start of the coordinator to first execution, p50", f"{percentile(waits, 0.5):.2f} s"),
            ("start of the coordinator to first execution, p99", f"{percentile(waits, 0.99):.2f} s"),
            ("outcomes of an earlier attempt than the last", verdict.overtaken),
            *((what, len(which)) for what, which in verdict.wrong.items())]
    print("\n| | |\n|--|--:|")
    for what, figure in rows:
        print(f"| {what} | {figure} |")


def torture(wanted, folder, own_network):
    # These read the build folder from the command line.
    sys.argv[1:] = [wanted.build]
    from cluster import Cluster
    from ledgers import Acknowledged, Faults, Verdict, read_executions
    from load import Consumer, Producer

    faults = Faults()
    cluster = Cluster(folder, wanted.hosts, own_network, faults)
    acknowledged = Acknowledged(cluster.folder / "ledger" / "acknowledged")
    consumer = Consumer(cluster.api)
    producers = [Producer(number, cluster.api, wanted.seed, wanted.rate / 2, acknowledged, cluster.ledger,
                          consumer) for number in range(2)]
    clients = [consumer, *producers]
    begin = time.monotonic()
    try:
        for client in clients:
            client.start()
        kinds = wanted.only or [kind for kind in FAULTS if own_network or kind != "cut"]
        storm = Storm(cluster, wanted.seed, kinds, wanted.pace)
        trouble = torment(storm, wanted, clients)
        storm.calm()
        for producer in producers:
            producer.finish()
        drained(consumer, acknowledged, cluster, wanted.patience)
        consumer.finish()
        # What was shown is what a later boot shows, too.
        cluster.coordinator.kill()
        cluster.coordinator.start()
        judge = Consumer(cluster.api)
        end = time.monotonic() + wanted.patience
        while len(judge.seen) < len(consumer.seen) and time.monotonic() < end and not judge.refused:
            if not judge.read_page():
                time.sleep(0.05)
        judge.forget()
    finally:
        cluster.remove()
    verdict = Verdict(acknowledged.ids, read_executions(cluster.ledger), judge.seen, consumer.seen, faults,
                      cluster.host_names)
    report(wanted.seed, time.monotonic() - begin, verdict, acknowledged, judge.seen, producers, faults)
    trouble = trouble or next((one.refused for one in (*clients, judge) if one.refused), None)
    if trouble:
        print(f"refused: {trouble}", file=sys.stderr)
    for what, which in verdict.wrong.items():
        if which:
            print(f"{what}: {which[:10]}", file=sys.stderr)
    return not trouble and not any(verdict.wrong.values())


def main():
    wanted = arguments()
    if wanted.seed is None:
        wanted.seed = secrets.randbelow(1_000_000)
        sys.argv += ["--seed", str(wanted.seed)]  # also for the process that follows
    own_network = namespaces.enter_own_network()
    print(f"seed {wanted.seed}, {'with' if own_network else 'without'} cuts of the network", flush=True)
    folder = tempfile.mkdtemp(prefix="dto-torture-", dir=pathlib.Path(wanted.build).resolve())
    good = torture(wanted, folder, own_network)
    if wanted.keep or not good:
        print(f"everything stands in {folder}", file=sys.stderr)
    else:
        import shutil
        shutil.rmtree(folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
