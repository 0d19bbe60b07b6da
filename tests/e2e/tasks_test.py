#!/usr/bin/python3
"""Tasks from submit to result with the real programs: the main job, failures, crashes, control."""
import collections
import http.client
import json
import pathlib
import signal
import tempfile
import unittest

from harness import BUILD, EndToEnd, TEST_PLUGINS, eventually

WORDS = pathlib.Path("/usr/share/dict/words")


class MainJobTest(EndToEnd):
    def test_two_hosts_split_a_word_list_and_each_word_comes_once(self):
        coordinator = self.coordinator()
        with tempfile.TemporaryDirectory() as folder:
            plugins = pathlib.Path(folder, "plugins")
            plugins.mkdir()
            (plugins / "syllables.so").write_bytes((BUILD / "plugins" / "syllables.so").read_bytes())
            for name in ("one", "two"):
                self.host(coordinator, "--name", name, "--slots", 1, plugins=plugins,
                          wait_for="text.syllables")
            eventually("both offer", lambda: sum(bool(h["types"]) for h in coordinator.hosts()) == 2)
            words = WORDS.read_text(encoding="utf-8").splitlines()[::5]
            listed = pathlib.Path(folder, "words")
            listed.write_text("\n".join(words) + "\n", encoding="utf-8")
            output = pathlib.Path(folder, "results.jsonl")
            self.cli(coordinator, "submit", "text.syllables", "--each-line", listed, "--set",
                     "word={line}", "--output", output)
            results = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]

        seen = collections.Counter(entry["result"]["word"] for entry in results)
        self.assertEqual(seen, collections.Counter(words))
        for entry in results:
            self.assertEqual("".join(entry["result"]["syllables"]), entry["result"]["word"])
            self.assertEqual(len(entry["result"]["syllables"]), entry["result"]["count"])
        self.assertEqual({entry["host"] for entry in results}, {"one", "two"})


class OutcomeTest(EndToEnd):
    def test_a_result_comes_back_byte_for_byte(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        payload = '{"b":1.10,"a":[1E0,0E1101,123456789.123456789,18446744073709551616],"u":"\\u00e9é"}'
        body = '{"type":"test.echo","payload":' + payload + "}"
        identity = coordinator.request("POST", "/v1/tasks", body)[1]["id"]
        coordinator.ended(identity)
        connection = http.client.HTTPConnection("127.0.0.1", coordinator.http_port)
        connection.request("GET", f"/v1/tasks/{identity}/result")
        self.assertEqual(connection.getresponse().read().decode(), payload)

    def test_a_handler_error_is_tried_three_times(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        identity = coordinator.submit("test.fail", {"how": "retry"}, max_attempts=2)
        task = eventually("the backoff begins", lambda: (t := coordinator.task(identity))["state"] ==
                          "retrying" and t)
        self.assertEqual(task["attempts"], 1)
        self.cli(coordinator, "task", "retry", identity)  # does not wait for the backoff
        task = coordinator.ended(identity)
        self.assertEqual((task["state"], task["reason"], task["attempts"]),
                         ("failed", "attempts_exhausted", 2))

    def test_a_permanent_error_is_tried_once(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        task = coordinator.ended(coordinator.submit("test.fail", {"how": "permanent"}))
        self.assertEqual((task["state"], task["reason"], task["attempts"]), ("failed", "permanent", 1))

    def test_logs_of_plugin_stdout_and_stderr_are_the_task_s(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        identity = coordinator.submit("test.log", {"lines": 2})
        coordinator.ended(identity)
        streams = eventually("all streams arrive", lambda: (s := {
            entry["stream"] for entry in
            coordinator.request("GET", f"/v1/tasks/{identity}/logs?format=json")[1]["items"]})
            >= {"plugin", "stdout", "stderr"} and s)
        self.assertIn("stdout", streams)

    def test_retry_of_an_ended_task_keeps_its_attempts(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        identity = coordinator.submit("test.fail", {"how": "permanent"})
        coordinator.ended(identity)
        coordinator.request("POST", f"/v1/tasks/{identity}/retry", {})
        eventually("a second attempt ends", lambda: coordinator.ended(identity)["attempts"] == 2)
        attempts = coordinator.request("GET", f"/v1/tasks/{identity}/attempts")[1]["items"]
        self.assertEqual([attempt["number"] for attempt in attempts], [1, 2])


class ContainmentTest(EndToEnd):
    def check_crash(self, how, wanted):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 4)
        siblings = [coordinator.submit("test.sleep", {"ms": 300}) for _ in range(2)]
        guilty = coordinator.submit("test.crash", {"how": how})
        task = coordinator.ended(guilty)
        self.assertEqual((task["state"], task["reason"]), ("failed", "poison"))
        self.assertIn(wanted, task["error"])
        for sibling in siblings:
            self.assertEqual(coordinator.ended(sibling)["state"], "completed")

    def test_a_segfault_charges_its_task(self):
        self.check_crash("segv", "SIGSEGV")

    def test_an_abort_charges_its_task(self):
        self.check_crash("abort", "SIGABRT")

    def test_an_exit_charges_its_task(self):
        self.check_crash("exit", "exited")

    def test_an_uncaught_exception_charges_its_task(self):
        self.check_crash("throw_noexcept", "SIGABRT")

    def test_a_hang_ends_at_its_timeout(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 2)
        hanging = coordinator.submit("test.hang", {}, timeout="200ms", max_attempts=1)
        task = coordinator.ended(hanging)
        self.assertEqual((task["state"], task["reason"]), ("failed", "timeout"))
        self.assertEqual(coordinator.ended(coordinator.submit("test.echo"))["state"], "completed")


class ControlTest(EndToEnd):
    def test_cancel_ends_a_running_task(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        identity = coordinator.submit("test.sleep", {"ms": 600_000})
        eventually("it runs", lambda: coordinator.task(identity)["state"] == "running")
        self.cli(coordinator, "task", "cancel", identity)
        self.assertEqual(coordinator.ended(identity)["state"], "cancelled")

    def test_an_unserved_type_waits_and_explains_itself(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--name", "box")
        identity = coordinator.submit("nobody.knows")
        text = self.cli(coordinator, "task", "explain", identity)
        self.assertIn("no host", text)
        self.assertIn("box", text)
        self.assertIn("test.echo", text)

    def test_priority_goes_first_and_a_delay_waits(self):
        coordinator = self.coordinator()
        order = [coordinator.submit("test.echo", priority=p) for p in (0, 5, 1)]
        later = coordinator.submit("test.echo", delay="600s")
        self.host(coordinator, "--slots", 1, "--isolation", "inproc")
        for identity in order:
            coordinator.ended(identity)
        started = {i: coordinator.task(i)["seq"] for i in order}
        self.assertEqual(sorted(order, key=started.get), [order[1], order[2], order[0]])
        self.assertEqual(coordinator.task(later)["state"], "scheduled")

    def test_a_deadline_expires_a_waiting_task(self):
        coordinator = self.coordinator()
        identity = coordinator.submit("nobody.knows", deadline="100ms")
        self.assertEqual(coordinator.ended(identity)["state"], "expired")


class HostLifeTest(EndToEnd):
    def test_a_killed_host_s_task_runs_elsewhere(self):
        coordinator = self.coordinator()
        first = self.host(coordinator, "--name", "first")
        identity = coordinator.submit("test.sleep", {"ms": 700})
        eventually("it runs", lambda: coordinator.task(identity)["state"] == "running")
        self.host(coordinator, "--name", "second", wait_for=None)
        first.stop(signal.SIGKILL)
        task = coordinator.ended(identity)
        self.assertEqual((task["state"], task["host"]), ("completed", "second"))

    def test_sigterm_drains(self):
        coordinator = self.coordinator()
        host = self.host(coordinator)
        identity = coordinator.submit("test.sleep", {"ms": 500})
        eventually("it runs", lambda: coordinator.task(identity)["state"] == "running")
        self.assertEqual(host.stop(), 0)
        task = coordinator.ended(identity)
        self.assertEqual((task["state"], task["attempts"]), ("completed", 1))

    def test_a_host_waits_for_its_coordinator_and_survives_its_restart(self):
        coordinator = self.coordinator()
        host = self.host(coordinator)
        port, http_port = coordinator.port, coordinator.http_port
        coordinator.stop(signal.SIGKILL)
        again = self.coordinator(port=port, http_port=http_port)
        eventually("it is back", lambda: "test.echo" in again.offered())
        self.assertEqual(again.ended(again.submit("test.echo"))["state"], "completed")
        self.assertIsNone(host.process.poll())

    def test_exit_when_idle_leaves_when_nothing_is_left(self):
        coordinator = self.coordinator()
        identity = coordinator.submit("test.echo")
        host = self.host(coordinator, "--exit-when-idle", wait_for=None)
        self.assertEqual(coordinator.ended(identity)["state"], "completed")
        self.assertEqual(host.process.wait(30), 0)

    def test_a_plugin_is_offered_when_dropped_in_and_withdrawn_when_removed(self):
        coordinator = self.coordinator()
        with tempfile.TemporaryDirectory() as folder:
            self.host(coordinator, plugins=folder, wait_for=None)
            eventually("it is there", coordinator.hosts)
            self.assertEqual(coordinator.offered(), set())
            identity = coordinator.submit("text.syllables", {"word": "example"})
            pathlib.Path(folder, "s.so").write_bytes((BUILD / "plugins" / "syllables.so").read_bytes())
            self.assertEqual(coordinator.ended(identity)["result"]["syllables"], ["ex", "am", "ple"])
            pathlib.Path(folder, "s.so").unlink()
            eventually("it is withdrawn", lambda: not coordinator.offered())

    def test_broken_plugins_are_refused_with_a_reason(self):
        coordinator = self.coordinator()
        self.host(coordinator, plugins=TEST_PLUGINS / "broken", wait_for=None)
        count = len(list((TEST_PLUGINS / "broken").glob("*.so")))
        refused = eventually("all are refused", lambda: (h := coordinator.hosts()) and
                             len(h[0]["refused"]) == count and h[0]["refused"])
        self.assertGreater(count, 3)
        for entry in refused:
            self.assertGreater(len(entry["reason"]), 10, entry)
        self.assertEqual(coordinator.offered(), set())

    def test_two_plugins_with_one_type_are_told_apart(self):
        coordinator = self.coordinator()
        self.host(coordinator, plugins=TEST_PLUGINS / "twins", wait_for=None)
        refused = eventually("one is refused", lambda: (h := coordinator.hosts()) and h[0]["types"] and
                             h[0]["refused"])
        self.assertEqual(len(refused), 1)


if __name__ == "__main__":
    unittest.main()
