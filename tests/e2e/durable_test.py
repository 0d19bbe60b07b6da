#!/usr/bin/python3
"""A coordinator that is killed and started again shows everything as it was; copies of its store."""
import json
import signal
import sqlite3
import subprocess
import unittest

from harness import BIN, PATIENCE, EndToEnd, eventually

IN_USE = 73
STORAGE = 74


class DurableTest(EndToEnd):
    def setUp(self):
        self.folder = self.kept_folder()

    def start(self, *arguments, **options):
        return self.coordinator(*arguments, folder=self.folder, memory=False, **options)

    def again(self, coordinator, how=signal.SIGKILL):
        coordinator.stop(how)
        return self.start()

    def shown(self, coordinator):
        """Everything that the API tells of all tasks, by id; what counts seconds left out."""
        listed = coordinator.request("GET", "/v1/tasks?fields=full&limit=1000")[1]["items"]
        tasks = {}
        for entry in listed:
            task = coordinator.task(entry["id"])
            task.pop("next_try_seconds", None)
            attempts = coordinator.request("GET", f"/v1/tasks/{entry['id']}/attempts")[1]
            tasks[entry["id"]] = (task, attempts)
        return tasks

    def test_a_killed_coordinator_shows_everything_as_it_was(self):
        first = self.start()
        host = self.host(first)
        done = first.submit("test.echo", {"n": [1, 2.50]}, id="done", group="g", labels={"a": "b"})
        first.ended(done)
        first.ended(first.submit("test.fail", {"how": "permanent"}, id="failed", group="g"))
        first.ended(first.submit("test.fail", {"how": "permanent"}, id="again"))
        self.assertEqual(host.stop(), 0)
        first.request("POST", "/v1/tasks/again/retry", {})
        for members in ({"delay": "1h"}, {"deadline": "1h"}, {"priority": 7}, {"unique_key": "k/1"},
                        {"group": "g", "labels": {"team": "red"}}, {"install": {"pip": ["x"]}},
                        {"max_attempts": 9, "timeout": "90s"}, {"args": ["-x"], "env": {"A": "1"}},
                        {"requires": {"labels": {"gpu": "yes"}}}):
            first.submit("nobody.knows", {"m": list(members)}, **members)
        first.submit("nobody.knows", id="held")
        self.cli(first, "task", "hold", "held", "--reason", "not today")
        first.submit("nobody.knows", id="gone", group="h")
        self.cli(first, "task", "cancel", "gone")
        before = self.shown(first)
        self.assertEqual(len(before), 14)
        self.assertEqual(before["held"][0]["hold_reason"], "not today")
        self.assertEqual(before["again"][0]["generation"], 2)
        groups = first.request("GET", "/v1/groups")[1]
        results = first.request("GET", "/v1/results?fields=full")[1]

        second = self.again(first)
        self.assertEqual(self.shown(second), before)
        self.assertEqual(second.request("GET", "/v1/groups")[1], groups)
        self.assertEqual(second.request("GET", "/v1/results?fields=full")[1], results)
        self.assertTrue(second.request("GET", "/readyz")[1]["store"]["durable"])

    def test_what_people_ask_for_is_kept(self):
        first = self.start()
        for name in ("cancelled", "held", "released"):
            first.submit("nobody.knows", id=name, delay="1h")
        self.cli(first, "task", "cancel", "cancelled")
        self.cli(first, "task", "hold", "held", "released")
        self.cli(first, "task", "release", "released")
        second = self.again(first)
        states = {name: second.task(name)["state"] for name in ("cancelled", "held", "released")}
        self.assertEqual(states, {"cancelled": "cancelled", "held": "held", "released": "pending"})
        self.cli(second, "task", "retry", "cancelled")
        self.assertIn(self.again(second).task("cancelled")["state"], ("pending", "scheduled"))

    def test_a_submit_is_repeatable_over_a_restart(self):
        body = {"type": "nobody.knows", "unique_key": "one"}
        first = self.start()
        identity = first.request("POST", "/v1/tasks", body)[1]["id"]
        other = {"type": "nobody.knows"}
        status, keyed = first.request("POST", "/v1/tasks", other, key="k")
        self.assertEqual(status, 201)
        second = self.again(first)
        status, task = second.request("POST", "/v1/tasks", body)
        self.assertEqual((status, task["id"], task["repeated"]), (200, identity, True))
        status, task = second.request("POST", "/v1/tasks", other, key="k")
        self.assertEqual((status, task["id"]), (200, keyed["id"]))
        self.assertEqual(second.request("POST", "/v1/tasks", body, key="k")[0], 422)

    def test_a_running_task_goes_on_over_a_restart(self):
        first = self.start()
        port = first.port
        self.host(first)
        identity = first.submit("test.sleep", {"ms": 1500})
        eventually("it runs", lambda: first.task(identity)["state"] == "running")
        first.stop(signal.SIGKILL)
        second = self.start(port=port)
        task = second.ended(identity)
        self.assertEqual((task["state"], task["attempts"]), ("completed", 1))

    def test_a_backup_is_a_whole_coordinator(self):
        first = self.start()
        self.host(first)
        first.ended(first.submit("test.echo", {"n": 1}, id="done"))
        first.submit("nobody.knows", id="waiting", unique_key="u")
        file = self.folder / "copy.db"
        self.cli(first, "admin", "backup", file)
        self.cli(first, "admin", "backup", file, expect=5)
        self.assertIn("--force", self.errors)
        self.cli(first, "admin", "backup", file, "--force")
        self.assertEqual(list((self.folder / "data" / "backups").iterdir()), [])
        first.submit("nobody.knows", id="later")
        before = self.shown(first)
        first.stop(signal.SIGKILL)

        restored = self.folder / "restored"
        (restored / "data").mkdir(parents=True)
        (restored / "data" / "store.db").write_bytes(file.read_bytes())
        second = self.coordinator(folder=restored, memory=False)
        after = self.shown(second)
        self.assertEqual(after, {name: before[name] for name in ("done", "waiting")})

    def test_a_coordinator_in_memory_has_nothing_to_copy(self):
        coordinator = self.coordinator()
        self.cli(coordinator, "admin", "backup", self.folder / "copy.db", expect=5)
        self.assertIn("in memory only", self.errors)
        self.assertFalse(coordinator.request("GET", "/readyz")[1]["store"]["durable"])

    def refused(self):
        done = subprocess.run([BIN / "distributo-coordinator", "--no-discovery", "--port", "0",
                               "--http-port", "0", "--data-dir", self.folder / "data"],
                              text=True, capture_output=True, timeout=PATIENCE)
        return done.returncode, done.stderr

    def test_a_second_coordinator_and_a_newer_store_are_refused(self):
        first = self.start()
        self.assertEqual(self.refused()[0], IN_USE)
        first.stop()
        with sqlite3.connect(self.folder / "data" / "store.db") as database:
            database.execute("pragma user_version = 1000")
        code, text = self.refused()
        self.assertEqual(code, STORAGE, text)
        self.assertIn("newer", text)

    def test_ended_tasks_are_forgotten_in_time(self):
        coordinator = self.start("--keep-completed", "1s", "--keep-failed", "1h")
        self.host(coordinator)
        coordinator.ended(coordinator.submit("test.fail", {"how": "permanent"}, id="failed"))
        coordinator.ended(coordinator.submit("test.echo", id="done"))
        eventually("it is forgotten", lambda: "done" not in self.shown(coordinator))
        self.assertIn("failed", self.shown(coordinator))


class PressureTest(EndToEnd):
    def test_a_full_queue_makes_the_command_line_wait(self):
        coordinator = self.coordinator("--max-tasks", 2)
        for _ in range(2):
            coordinator.submit("test.echo", {"n": 1})
        status, problem = coordinator.request("POST", "/v1/tasks", {"type": "test.echo"})
        self.assertEqual((status, problem["code"]), (429, "queue_full"))
        self.cli(coordinator, "submit", "test.echo", "--timeout", "300ms", expect=5)
        self.assertIn("no room for more tasks: next try in", self.errors)

    def test_groups_are_waited_for(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        coordinator.submit("nobody.knows", group="waits")
        for how in ("permanent", None):
            coordinator.submit("test.fail" if how else "test.echo", {"how": how} if how else {},
                               group="ends")
        self.cli(coordinator, "group", "show", "ends", "--wait", expect=1)
        self.cli(coordinator, "group", "show", "waits", "--wait", "--timeout", "100ms", expect=6)
        self.assertIn("waits: hold 1 tasks", self.cli(coordinator, "group", "hold", "waits"))
        self.assertIn("waits: cancel 1 tasks", self.cli(coordinator, "group", "cancel", "waits"))
        self.assertEqual(self.cli(coordinator, "group", "list", "-q").split(), ["ends", "waits"])
        shown = json.loads(self.cli(coordinator, "group", "show", "ends", "--json"))
        self.assertEqual((shown["state"], shown["total"], shown["tasks"]["completed"]), ("failed", 2, 1))


if __name__ == "__main__":
    unittest.main()
