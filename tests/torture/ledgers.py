"""What the torture test writes down and what it makes of it. Times are of the monotonic clock, in
nanoseconds; all processes run on one machine, so they can be compared."""
import bisect
import collections
import os
import threading
import time
import typing

FOREVER = 1 << 63


class Acknowledged:
    """Ids of tasks that the coordinator has accepted: written and synced before anybody counts on it."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.lock = threading.Lock()
        self.ids = set()

    def add(self, ids):
        with self.lock:
            os.write(self.file, "".join(f"{one}\n" for one in ids).encode())
            os.fdatasync(self.file)
            self.ids.update(ids)


class Faults:
    """What was done to whom, and when."""

    def __init__(self):
        self.killed = collections.defaultdict(list)  # times, by process id: those are used again
        self.absences = collections.defaultdict(list)  # [begin, end, why], by name of the host
        self.starts = []  # of the coordinator
        self.counts = collections.Counter()

    def begin_absence(self, host, why):
        self.absences[host].append([time.monotonic_ns(), FOREVER, why])

    def end_absence(self, host, why):
        for absence in self.absences[host]:
            if absence[2] == why:
                absence[1] = min(absence[1], time.monotonic_ns())


class Run(typing.NamedTuple):
    """One execution of a task."""
    task: str
    attempt: int
    host: int  # process ids
    runner: int
    begin: int
    end: int  # 0: it never ended


def read_executions(path):
    """By task, in the order of their beginning."""
    begun, ended = [], {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            event, task, attempt, host, runner, time = line.split()
            key = (task, int(attempt), int(host), int(runner))
            if event == "B":
                begun.append((*key, int(time)))
            else:
                ended[key] = int(time)
    runs = collections.defaultdict(list)
    for *key, begin in begun:
        runs[key[0]].append(Run(*key, begin, ended.get(tuple(key), 0)))
    return runs


class Verdict:
    """Compares the ledgers with the results that the coordinator shows."""

    def __init__(self, acknowledged, runs, results, seen, faults, host_names):
        self.runs, self.faults, self.host_names = runs, faults, host_names
        outcomes = collections.Counter(result["id"] for result in results)
        self.wrong = {
            "acknowledged tasks without an outcome": sorted(acknowledged - outcomes.keys()),
            "outcomes of tasks that nobody submitted, or of a repeat": sorted(outcomes.keys() - acknowledged),
            "tasks with more than one outcome":
                [task for task, count in outcomes.items() if count > 1],
            "gaps in the sequence of results":
                [result["seq"] for place, result in enumerate(results, 1) if result["seq"] != place],
            "results that changed after they were shown":
                [before["seq"] for before, after in zip(seen, results) if before != after],
            "results that were shown and are gone": [one["seq"] for one in seen[len(results):]],
            "completed without an execution": [
                result["id"] for result in results if result["state"] == "completed" and not any(
                    run.attempt == result["attempt"] and run.end for run in runs[result["id"]])],
            # Only a process that was killed thrice under it may fail a task.
            "failed for another reason": [
                (result["id"], result.get("error")) for result in results
                if result["state"] != "completed" and result.get("reason") != "poison"],
            "attempt numbers given twice": [],
            "running attempts that were restarted": [],
        }
        # Allowed: the later one was given out by a boot that is gone, to a host that is not back.
        self.overtaken = sum(any(run.attempt > result["attempt"] for run in runs[result["id"]])
                             for result in results)
        for task, executions in runs.items():
            for before, after in zip(executions, executions[1:]):
                self.judge(task, before, after)

    def judge(self, task, before, after):
        """Why was it executed again?"""
        same_assignment = before.host == after.host and self.died(before.runner, before, after)
        if before.attempt == after.attempt:
            # A host runs again what was in a process that died, under the same assignment.
            if not same_assignment:
                self.wrong["attempt numbers given twice"].append(task)
        elif not (same_assignment or self.died(before.host, before, after)
                  or self.died(before.runner, before, after) or self.was_absent(before, after)):
            self.wrong["running attempts that were restarted"].append(task)

    def died(self, pid, before, after):
        return any(before.begin <= time <= after.begin for time in self.faults.killed[pid])

    def was_absent(self, before, after):
        return any(begin <= after.begin and end >= before.begin
                   for begin, end, _ in self.faults.absences[self.host_names[before.host]])

    def first_executions(self):
        """Seconds from each start of the coordinator to the first execution of a task, unless it was
        killed before."""
        begins = sorted(run.begin for executions in self.runs.values() for run in executions)
        waits = []
        for start, following in zip(self.faults.starts, [*self.faults.starts[1:], FOREVER]):
            place = bisect.bisect_left(begins, start)
            if place < len(begins) and begins[place] < following:
                waits.append((begins[place] - start) / 1e9)
        return sorted(waits)
