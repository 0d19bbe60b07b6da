#!/usr/bin/python3
"""Plugins that are replaced under load, go back to the version before, and stand side by side."""
import collections
import hashlib
import os
import pathlib
import tempfile
import unittest

from harness import EndToEnd, TEST_PLUGINS, eventually

BUILDS = TEST_PLUGINS / "builds"
VERSIONS = {"a": "1.0.0", "a_again": "1.0.0", "b": "1.0.1", "c": "1.2.0", "next": "2.0.0"}


def by_rename(content, file):
    fresh = file.with_name(".fresh")
    fresh.write_bytes(content)
    fresh.rename(file)


def in_place(content, file):
    with open(file, "r+b") as target:
        target.write(content)
        target.truncate()


def delete_and_copy(content, file):
    file.unlink()
    file.write_bytes(content)


class SwapTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix="dto-swap-")
        self.addCleanup(self.folder.cleanup)
        self.plugins = pathlib.Path(self.folder.name, "plugins")
        self.plugins.mkdir()

    def put(self, build, name="build.so"):
        by_rename((BUILDS / f"build_{build}.so").read_bytes(), self.plugins / name)

    def start(self, *arguments, **options):
        coordinator = self.coordinator()
        host = self.host(coordinator, *arguments, plugins=self.plugins, wait_for="test.build", **options)
        return coordinator, host

    @staticmethod
    def digests(coordinator):
        return {offer["digest"] for host in coordinator.hosts() for offer in host["types"]}

    @staticmethod
    def refused(coordinator):
        return {entry["file"]: entry["reason"] for host in coordinator.hosts() for entry in host["refused"]}

    def run_one(self, coordinator, kind="test.build", payload=None, **members):
        task = coordinator.ended(coordinator.submit(kind, payload, **members))
        self.assertEqual(task["state"], "completed", task)
        return task


class UnderLoadTest(SwapTest):
    SWAPS = 50
    TASKS = 10_000

    def test_fifty_swaps_under_ten_thousand_tasks_fail_none(self):
        self.put("a")
        coordinator, host = self.start("--slots", 4)
        ways = (by_rename, in_place, delete_and_copy)
        names = ("b", "c", "a_again", "a")
        wave = [{"type": "test.build", "payload": {"ms": 4}}] * (self.TASKS // self.SWAPS)
        for swap in range(self.SWAPS):
            status, _ = coordinator.request("POST", "/v1/tasks:batch", wave)
            self.assertEqual(status, 200)
            build = names[swap % len(names)]
            # Something behind the end of the library makes each one new.
            content = (BUILDS / f"build_{build}.so").read_bytes() + str(swap).encode()
            ways[swap % len(ways)](content, self.plugins / "build.so")
            digest = hashlib.sha256(content).hexdigest()
            eventually(f"swap {swap} is offered", lambda: digest in self.digests(coordinator))
            probe = self.run_one(coordinator, priority=10)
            self.assertEqual((probe["result"]["build"], probe["version"]), (build, VERSIONS[build]),
                             f"swap {swap} {ways[swap % len(ways)].__name__}")

        def counts():
            return coordinator.request("GET", "/v1/status")[1]["tasks"]
        total = self.TASKS + self.SWAPS
        eventually(f"all end: {counts()}", lambda: counts()["completed"] == total)
        self.assertEqual([counts()[bad] for bad in ("failed", "held", "cancelled", "expired")], [0] * 4)
        builds, cursor = collections.Counter(), ""
        while sum(builds.values()) < total:
            page = coordinator.request("GET", f"/v1/results?limit=1000{cursor}")[1]
            builds.update(entry["result"]["build"] for entry in page["items"])
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(set(builds), set(names))
        self.assertEqual(self.refused(coordinator), {})
        copies = host.folder / "data" / "plugins"
        eventually("old copies are removed",
                   lambda: sum(entry.is_dir() for entry in copies.iterdir()) <= 2)

    def test_a_gap_between_delete_and_copy_costs_no_attempt(self):
        self.put("a")
        coordinator, _ = self.start("--slots", 1)
        tasks = [coordinator.submit("test.build", {"ms": 300}) for _ in range(4)]
        eventually("one runs", lambda: coordinator.task(tasks[0])["state"] == "running")
        (self.plugins / "build.so").unlink()
        eventually("the offer is withdrawn", lambda: not self.digests(coordinator))
        self.put("b")

        ended = [coordinator.ended(task) for task in tasks]
        self.assertEqual([task["state"] for task in ended], ["completed"] * 4)
        self.assertEqual([task["attempts"] for task in ended], [1] * 4)
        self.assertEqual(ended[0]["result"]["build"], "a")
        self.assertEqual(ended[3]["result"]["build"], "b")

    def test_what_does_not_end_after_a_swap_is_given_back(self):
        self.put("a")
        coordinator, _ = self.start("--slots", 1, "--plugin-drain-limit", "1s")
        task = coordinator.submit("test.build", {"ms": 600_000})
        eventually("it runs", lambda: coordinator.task(task).get("phase") == "execute")
        self.put("b")

        eventually("it runs again", lambda: coordinator.task(task).get("version") == "1.0.1")
        attempts = coordinator.request("GET", f"/v1/tasks/{task}/attempts")[1]["items"]
        self.assertEqual([(one["status"], one["version"]) for one in attempts],
                         [("interrupted", "1.0.0"), ("running", "1.0.1")])
        self.cli(coordinator, "task", "cancel", task)
        self.assertEqual(coordinator.ended(task)["state"], "cancelled")


class GoingBackTest(SwapTest):
    def test_a_version_that_does_not_set_up_never_serves(self):
        self.put("a")
        coordinator, host = self.start()
        self.put("no_setup")
        reason = eventually("it is refused", lambda: self.refused(coordinator).get("build.so"))
        self.assertIn("version 1.0.0 runs instead", reason)
        self.assertEqual(self.run_one(coordinator)["result"]["build"], "a")

        # A host that starts with the bad file knows what it offered before.
        self.assertEqual(host.stop(), 0)
        self.host(coordinator, plugins=self.plugins, folder=host.folder, wait_for="test.build")
        self.assertIn("version 1.0.0 runs instead", self.refused(coordinator)["build.so"])
        self.assertEqual(self.run_one(coordinator)["result"]["build"], "a")

        self.put("b")
        eventually("nothing is refused", lambda: not self.refused(coordinator))
        self.assertEqual(self.run_one(coordinator)["result"]["build"], "b")

    def test_a_version_that_keeps_crashing_is_replaced_by_the_one_before_it(self):
        self.put("a")
        coordinator, _ = self.start("--slots", 2)
        self.put("crashes")
        eventually("it is offered", lambda: {offer["version"] for host in coordinator.hosts()
                                             for offer in host["types"]} == {"1.4.0"})
        tasks = [coordinator.submit("test.build") for _ in range(6)]
        reason = eventually("it is given up", lambda: "1.4.0" in (
            text := self.refused(coordinator).get("build.so", "")) and "instead" in text and text)
        self.assertIn("crashed", reason)
        self.assertIn("version 1.0.0 runs instead", reason)
        self.assertIn(reason, self.cli(coordinator, "host", "list"))
        for task in tasks:  # none has crashed often enough to be its own fault
            self.assertEqual(coordinator.ended(task)["result"]["build"], "a")
        self.assertEqual(self.run_one(coordinator)["result"]["build"], "a")

        self.put("c")
        eventually("the next one is offered", lambda: not self.refused(coordinator))
        self.assertEqual(self.run_one(coordinator)["version"], "1.2.0")


class SideBySideTest(SwapTest):
    def test_tasks_choose_among_versions_and_strangers_stay_out(self):
        self.put("a", "build-1.so")
        self.put("next", "build-2.so")
        coordinator, _ = self.start()
        eventually("both are offered", lambda: len(self.digests(coordinator)) == 2)
        self.put("stranger", "stranger.so")
        self.put("a_again", "same.so")
        eventually("two are refused", lambda: len(self.refused(coordinator)) == 2)
        self.assertIn("offers the type test.build, which build-", self.refused(coordinator)["stranger.so"])
        self.assertIn("in version 1.0.0, which build-1.so offers", self.refused(coordinator)["same.so"])

        self.assertEqual(self.run_one(coordinator)["result"]["build"], "next")
        pinned = self.run_one(coordinator, "test.build@^1")
        self.assertEqual((pinned["result"]["build"], pinned["type"], pinned["version_range"], pinned["version"]),
                         ("a", "test.build", "^1", "1.0.0"))
        shown = self.cli(coordinator, "submit", "test.build@>=1 <2", "--wait")
        self.assertIn('"build":"a"', shown)
        self.assertIn("test.build@2.0.0", self.cli(coordinator, "host", "list"))
        versions = coordinator.request("GET", "/v1/types/test.build")[1]["versions"]
        self.assertEqual([entry["version"] for entry in versions], ["2.0.0", "1.0.0"])

        waiting = coordinator.submit("test.build@^1.2")
        why = coordinator.request("GET", f"/v1/tasks/{waiting}/explain")[1]
        self.assertEqual(why["hosts"][0]["detail"], "has test.build 2.0.0, 1.0.0, the task wants ^1.2")
        self.put("c", "build-1.2.so")
        self.assertEqual(coordinator.ended(waiting)["result"]["build"], "c")
        os.unlink(self.plugins / "build-2.so")
        eventually("1.2.0 is the highest", lambda: self.run_one(coordinator)["version"] == "1.2.0")
        listed = self.cli(coordinator, "task", "list", "--type", "test.build")
        self.assertIn(waiting, listed)

    def test_a_range_that_cannot_be_read_is_refused_with_its_place(self):
        coordinator = self.coordinator()
        self.cli(coordinator, "submit", "test.build@newest", expect=5)
        self.assertIn('expected a number, x or *, got "n" at column 1', self.errors)
        self.assertIn("hint:", self.errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
