#!/usr/bin/python3
"""Runner processes as a user sees them: how many there are, what becomes of them, who is to blame."""
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from harness import EndToEnd, TEST_PLUGINS, eventually

GOOD = TEST_PLUGINS / "good"
CRASH = {"how": "segv"}


class FleetTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.own = tempfile.TemporaryDirectory(prefix="fleet-")
        self.folder = pathlib.Path(self.own.name)
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()

    def tearDown(self):
        super().tearDown()
        self.own.cleanup()

    def drop_in(self, source, name):
        """Puts a plugin where the host sees it, all of it at once."""
        fresh = self.folder / name
        shutil.copy(GOOD / source, fresh)
        os.rename(fresh, self.plugins / name)

    def start(self, *arguments, plugin="test_leak.so", wait_for="test.leak", config=None):
        coordinator = self.coordinator()
        self.drop_in(plugin, plugin)
        if config:
            file = self.folder / "host.toml"
            file.write_text(config)
            arguments += ("--config", file)
        self.host(coordinator, "--name", "attic", *arguments, plugins=self.plugins, wait_for=wait_for)
        return coordinator

    def results(self, coordinator, identities):
        tasks = [coordinator.ended(identity) for identity in identities]
        for task in tasks:
            self.assertEqual(task["state"], "completed", task)
        return [task["result"] for task in tasks]

    def plugin(self, coordinator, name):
        status, body = coordinator.request("GET", "/v1/plugins")
        self.assertEqual(status, 200)
        return next((entry for entry in body["items"] if entry["plugin"] == name), None)


class ProcessesTest(FleetTest):
    def test_a_type_that_is_not_reentrant_runs_in_as_many_processes_as_slots(self):
        coordinator = self.start("--slots", 4)
        tasks = [coordinator.submit("test.turn", {"ms": 300}) for _ in range(12)]
        results = self.results(coordinator, tasks)
        self.assertEqual(len({result["pid"] for result in results}), 4)
        self.assertEqual({result["together"] for result in results}, {1})

    def test_the_operator_limits_the_processes(self):
        coordinator = self.start("--slots", 4, config="[plugin.test_leak]\nprocesses = 2\n")
        tasks = [coordinator.submit("test.turn", {"ms": 50}) for _ in range(12)]
        results = self.results(coordinator, tasks)
        self.assertEqual(len({result["pid"] for result in results}), 2)

    def test_with_isolation_task_every_task_has_a_new_process(self):
        coordinator = self.start("--slots", 2, "--isolation", "task")
        tasks = [coordinator.submit("test.leak", {}) for _ in range(20)]
        results = self.results(coordinator, tasks)
        self.assertEqual(len({result["pid"] for result in results}), 20)
        self.assertEqual(coordinator.hosts()[0]["types"][0]["isolation"], "task")

    def test_one_plugin_can_have_isolation_task(self):
        self.drop_in("test_basics.so", "test_basics.so")
        coordinator = self.start("--slots", 2, config='[plugin.test_leak]\nisolation = "task"\n')
        offered = lambda: {entry["type"]: entry["isolation"] for entry in coordinator.hosts()[0]["types"]}
        eventually("both are offered", lambda: {"test.leak", "test.echo"} <= set(offered()))
        self.assertEqual((offered()["test.leak"], offered()["test.echo"]), ("task", "process"))

    def test_a_crash_with_isolation_task_loses_exactly_one(self):
        coordinator = self.start("--slots", 4, "--isolation", "task")
        before = [coordinator.submit("test.turn", {"ms": 200}) for _ in range(6)]
        guilty = coordinator.submit("test.turn", {"crash": True})
        after = [coordinator.submit("test.turn", {"ms": 10}) for _ in range(6)]
        task = coordinator.ended(guilty)
        self.assertEqual((task["state"], task["reason"]), ("failed", "poison"))
        self.assertEqual(task["attempts"], 3)
        self.results(coordinator, before + after)
        for identity in before + after:
            self.assertEqual(coordinator.task(identity)["attempts"], 1)


class RecyclingTest(FleetTest):
    def test_a_leaking_plugin_is_recycled_under_load_and_no_task_fails(self):
        coordinator = self.start("--slots", 2, config="[plugin]\nrecycle_descriptors = 100\n")
        tasks = []

        def recycled():
            tasks.extend(coordinator.submit("test.leak", {"descriptors": 2}) for _ in range(100))
            self.results(coordinator, tasks[-100:])
            plugin = self.plugin(coordinator, "test.leak")
            return plugin and plugin["recycles"]["descriptors"] >= 2 and plugin

        plugin = eventually("it is recycled twice", recycled)
        self.assertEqual(plugin["failures"], 0)
        self.assertEqual(plugin["crashes"], 0)
        self.assertAlmostEqual(plugin["growth_per_task"]["descriptors"], 2, delta=0.3)
        for identity in tasks:
            self.assertEqual(coordinator.task(identity)["attempts"], 1)
        log = self.daemons[-1].output()
        self.assertIn("plugin.recycled", log)
        self.assertIn("its open descriptors grew by", log)
        self.assertGreaterEqual(log.count("plugin.recycled"), plugin["recycles"]["descriptors"])

    def test_after_n_tasks(self):
        coordinator = self.start("--slots", 1, config="[plugin]\nrecycle_after = 10\n")
        pids = []

        def second():
            pids.extend(result["pid"] for result in self.results(
                coordinator, [coordinator.submit("test.leak", {}) for _ in range(10)]))
            return len(set(pids)) > 1

        eventually("a second process runs them", second)
        self.assertGreaterEqual(pids.index(next(pid for pid in pids if pid != pids[0])), 10)


class BlameTest(FleetTest):
    def test_a_task_that_crashes_three_times_is_poison_and_its_type_stays(self):
        coordinator = self.start("--slots", 4, plugin="test_crash.so", wait_for="test.crash")
        identity = coordinator.submit("test.crash", CRASH)
        task = coordinator.ended(identity)
        self.assertEqual((task["state"], task["reason"]), ("failed", "poison"))
        self.assertEqual(task["attempts"], 3)
        self.assertIn("test.crash", coordinator.offered())
        innocent = coordinator.submit("test.crash", {"how": "segv", "times": 0})
        self.assertEqual(coordinator.ended(innocent)["state"], "completed")
        plugin = eventually("the crashes are counted", lambda: (
            p := self.plugin(coordinator, "test.crash")) and p["crashes"] == 3 and p)
        self.assertEqual(plugin["state"], "active")

    def quarantine(self, *arguments):
        coordinator = self.start(*arguments, plugin="test_crash.so", wait_for="test.crash")
        guilty = [coordinator.submit("test.crash", CRASH) for _ in range(3)]
        eventually("it is withdrawn", lambda: "test.crash" not in coordinator.offered())
        return coordinator, guilty

    def test_a_quarantine_shows_everywhere_and_ends_with_a_good_file(self):
        coordinator, guilty = self.quarantine("--slots", 1)
        waiting = coordinator.submit("test.crash", {"how": "segv", "times": 0})
        reason = "crashed 3 times in 60 s"

        refused = coordinator.hosts()[0]["refused"]
        self.assertEqual([entry["state"] for entry in refused], ["quarantined"])
        self.assertIn(reason, refused[0]["reason"])
        self.assertTrue(0 < refused[0]["retry_s"] <= 60, refused)
        self.assertIn("test.crash", refused[0]["types"])

        listed = self.cli(coordinator, "host", "list")
        self.assertIn("quarantined on attic: test_crash.so: " + reason, listed)
        self.assertRegex(listed, r"next attempt in \d+ s")

        plugin = eventually("the health arrives", lambda: (
            p := self.plugin(coordinator, "test.crash")) and p["state"] == "quarantined" and p)
        self.assertGreaterEqual(plugin["crashes"], 3)
        self.assertEqual(plugin["types"], ["test.crash", "test.hang"])
        self.assertIn(reason, plugin["hosts"][0]["reason"])
        self.assertTrue(0 < plugin["hosts"][0]["retry_s"] <= 60)
        listed = self.cli(coordinator, "plugin", "list")
        self.assertRegex(listed, r"test\.crash +1\.0\.0 +[0-9a-f]{12} +quarantined")
        self.assertIn("quarantined on attic: test.crash: " + reason, listed)

        why = coordinator.request("GET", f"/v1/tasks/{waiting}/explain")[1]
        self.assertEqual(why["hosts"][0]["code"], "quarantined")
        self.assertIn(reason, why["hosts"][0]["detail"])
        self.assertIn("next attempt in", why["hosts"][0]["detail"])
        self.assertIn("is in quarantine there", self.cli(coordinator, "task", "explain", waiting))

        for identity in guilty:
            coordinator.request("POST", f"/v1/tasks/{identity}/cancel")
        with open(self.folder / "test_crash.so", "wb") as fresh:
            fresh.write((GOOD / "test_crash.so").read_bytes() + b"another digest")
        os.rename(self.folder / "test_crash.so", self.plugins / "test_crash.so")

        self.assertEqual(coordinator.ended(waiting)["state"], "completed")
        self.assertEqual(coordinator.hosts()[0]["refused"], [])
        # The old file's version may still drain.
        eventually("the new one is active", lambda: "active" in [
            entry["state"] for entry in coordinator.request("GET", "/v1/plugins")[1]["items"]])

    def test_a_quarantined_plugin_is_tried_again_by_itself(self):
        coordinator, guilty = self.quarantine("--slots", 1, "--quarantine", "500ms")
        for identity in guilty:
            coordinator.request("POST", f"/v1/tasks/{identity}/cancel")
        waiting = coordinator.submit("test.crash", {"how": "segv", "times": 0})
        self.assertEqual(coordinator.ended(waiting)["state"], "completed")
        self.assertIn("plugin.quarantined", self.daemons[-1].output())


class ListTest(FleetTest):
    def test_plugin_list_for_people_programs_and_scripts(self):
        (self.plugins / "broken.so").write_text("this is text")
        coordinator = self.start("--slots", 2)
        self.results(coordinator, [coordinator.submit("test.leak", {"ms": 5}) for _ in range(4)])
        eventually("the figures arrive", lambda: (
            p := self.plugin(coordinator, "test.leak")) and p["tasks"] == 4)

        listed = self.cli(coordinator, "plugin", "list")
        self.assertRegex(listed.splitlines()[0], r"^plugin +version +digest +state +hosts +types")
        self.assertRegex(listed, r"test\.leak +1\.0\.0 +[0-9a-f]{12} +active +1 +test\.leak, test\.turn +4 ")
        self.assertRegex(listed, r"broken\.so +refused +1 ")
        self.assertIn("refused on attic: broken.so: ", listed)
        document = json.loads(self.cli(coordinator, "plugin", "list", "--json"))
        self.assertEqual({entry["plugin"] for entry in document["items"]}, {"test.leak", "broken.so"})
        self.assertEqual(self.cli(coordinator, "plugin", "list", "--quiet").split(),
                         ["broken.so", "test.leak"])


if __name__ == "__main__":
    unittest.main()
