"""Generators and sinks over HTTP and on the command line, with the real programs and plugins."""
import json
import pathlib
import shutil
import signal
import subprocess
import unittest

from harness import BIN, BUILD, PATIENCE, EndToEnd, eventually

PLUGINS = ("syllables", "lines", "range", "jsonl")
WORDS = ("--set", 'files=["words.txt"]', "--set", "type=text.syllables",
         "--set", 'payload={"word":"{line}"}')


class ExtensionsTest(EndToEnd):
    def setUp(self):
        self.folder = self.kept_folder()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        for name in PLUGINS:
            shutil.copy(BUILD / "plugins" / f"{name}.so", self.plugins)
        self.work = self.folder / "work"
        self.work.mkdir()

    def start(self, *arguments, **options):
        return self.coordinator("--plugin-dir", self.plugins, *arguments, **options)

    def words(self, *words):
        (self.work / "words.txt").write_text("".join(f"{word}\n" for word in words))

    def here(self, coordinator, *arguments, expect=0):
        """The command line in the folder of the words."""
        done = subprocess.run([BIN / "distributo", "--coordinator",
                               f"http://127.0.0.1:{coordinator.http_port}", *map(str, arguments)],
                              text=True, capture_output=True, timeout=PATIENCE, cwd=self.work)
        self.errors = done.stderr
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def state(self, coordinator, path):
        return coordinator.request("GET", path)[1]["state"]

    def reaches(self, coordinator, path, state):
        eventually(f"{path} is {state}", lambda: self.state(coordinator, path) == state)

    def known(self, coordinator):
        """Waits until the plugin folder has been read."""
        def offers():
            files = coordinator.request("GET", "/v1/extensions")[1]["items"]
            return {file.get("generator", file.get("sink")) for file in files} >= \
                {"lines", "range", "jsonl"}
        eventually("the plugins are known", offers)


class Run(ExtensionsTest):
    def test_a_generator_is_watched_to_its_end(self):
        coordinator = self.start()
        self.known(coordinator)
        self.host(coordinator, plugins=self.plugins, wait_for="text.syllables")
        self.words("one", "three", "seven")
        self.here(coordinator, "sink", "run", "jsonl", "--set", "path=out.jsonl")
        self.here(coordinator, "generator", "run", "lines", *WORDS)
        self.assertRegex(self.errors, r"lines: 3 tasks emitted in .* completed 3 · failed 0")
        eventually("the sink has all", lambda: "lag" in coordinator.request(
            "GET", "/v1/sinks/jsonl")[1] and (self.work / "out.jsonl").read_text().count("\n") == 3)
        self.assertRegex(self.here(coordinator, "generator", "list"), r"(?m)^lines +lines +ended +3 ")
        self.assertRegex(self.here(coordinator, "status"), r"(?m)^generators +ended 1 ")
        task = coordinator.request("GET", "/v1/tasks?generator=lines&limit=1")[1]["items"][0]
        self.assertEqual(task["generator"], "lines")

        second = json.loads(self.here(coordinator, "--json", "generator", "run", "lines", *WORDS))
        self.assertEqual((second["name"], second["state"], second["emitted"]), ("lines-2", "ended", 3))

    def test_failed_tasks_make_exit_code_1(self):
        coordinator = self.start()
        self.known(coordinator)
        self.host(coordinator, plugins=self.plugins, wait_for="text.syllables")
        self.words("one")
        self.here(coordinator, "generator", "run", "lines", *WORDS, "--set", "payload={}", expect=1)
        self.assertIn("completed 0 · failed 1", self.errors)

    def test_a_generator_that_cannot_go_on_says_why(self):
        coordinator = self.start()
        self.known(coordinator)
        self.here(coordinator, "generator", "run", "lines", *WORDS, "--timeout", "1s",
                  expect=(1 if self.fails_for_good(coordinator) else 6))
        self.assertIn("words.txt", self.errors)

    def fails_for_good(self, coordinator):
        """A file that is not there: does the plugin give up, or try again?"""
        coordinator.request("POST", "/v1/generators",
                            {"name": "probe", "plugin": "lines", "directory": str(self.work),
                             "config": {"files": ["words.txt"], "type": "t"}})
        return eventually("it is known", lambda: {"failed": "yes", "retrying": "no"}.get(
            self.state(coordinator, "/v1/generators/probe"))) == "yes"

    def test_an_interrupt_leaves_it_running(self):
        coordinator = self.start()
        self.known(coordinator)
        command = subprocess.Popen(
            [BIN / "distributo", "--coordinator", f"http://127.0.0.1:{coordinator.http_port}",
             "generator", "run", "lines", *WORDS], cwd=self.work, text=True, stderr=subprocess.PIPE)
        self.words("one")  # nobody runs it: no host is there
        eventually("it runs", lambda: coordinator.request("GET", "/v1/generators")[1]["items"])
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=PATIENCE)
        self.assertEqual(command.returncode, 130)
        self.assertIn("interrupted: lines goes on", errors)
        self.assertIn("distributo generator show lines", errors)
        self.assertNotEqual(self.state(coordinator, "/v1/generators/lines"), "paused")


class Controls(ExtensionsTest):
    def test_pause_resume_reset_remove(self):
        coordinator = self.start()
        self.known(coordinator)
        self.words("one", "two")
        self.here(coordinator, "generator", "run", "lines", *WORDS, "--detach")
        self.reaches(coordinator, "/v1/generators/lines", "ended")
        self.assertEqual(self.here(coordinator, "generator", "pause", "lines"), "lines  paused\n")
        self.here(coordinator, "generator", "now", "lines", expect=5)
        self.assertIn("paused", self.errors)
        self.here(coordinator, "generator", "reset", "lines")
        self.here(coordinator, "generator", "resume", "lines")
        eventually("it made them again", lambda: coordinator.request(
            "GET", "/v1/generators/lines")[1]["waiting"] == 4)
        self.reaches(coordinator, "/v1/generators/lines", "ended")
        checkpoint = coordinator.request("GET", "/v1/generators/lines")[1]["checkpoint"]
        self.here(coordinator, "generator", "reset", "lines", "--checkpoint", checkpoint)
        self.assertIn("removed", self.here(coordinator, "generator", "remove", "lines"))
        self.here(coordinator, "generator", "show", "lines", expect=4)

    def test_a_running_sink_is_not_set_back(self):
        coordinator = self.start()
        self.known(coordinator)
        self.here(coordinator, "sink", "run", "jsonl", "--set", "path=out.jsonl")
        self.reaches(coordinator, "/v1/sinks/jsonl", "idle")
        self.here(coordinator, "sink", "reset", "jsonl", expect=5)
        self.assertIn("hint: distributo sink pause jsonl", self.errors)

    def test_the_lag_of_a_sink_shows(self):
        coordinator = self.start()
        self.known(coordinator)
        self.host(coordinator, plugins=self.plugins, wait_for="text.syllables")
        self.here(coordinator, "sink", "run", "jsonl", "--set", "path=out.jsonl")
        self.reaches(coordinator, "/v1/sinks/jsonl", "idle")
        self.here(coordinator, "sink", "pause", "jsonl")
        self.words("one", "two", "three")
        self.here(coordinator, "generator", "run", "lines", *WORDS)
        eventually("its lag is seen", lambda: coordinator.request(
            "GET", "/v1/sinks/jsonl")[1]["lag"] == 3)
        self.assertRegex(self.here(coordinator, "sink", "list"), r"(?m)^jsonl +jsonl +paused +0 +3 ")
        self.assertEqual(coordinator.request("GET", "/v1/status")[1]["sinks"],
                         {"states": {"paused": 1}, "largest_lag": 3})
        self.here(coordinator, "sink", "resume", "jsonl")
        eventually("it has caught up", lambda: coordinator.request(
            "GET", "/v1/sinks/jsonl")[1]["lag"] == 0)
        self.assertEqual((self.work / "out.jsonl").read_text().count("\n"), 3)

    def test_large_outcomes_reach_a_sink_in_several_calls(self):
        coordinator = self.start("--plugin-dir", BUILD / "plugins")
        self.known(coordinator)
        host = self.host(coordinator, wait_for="test.echo")
        payload = {"text": "x" * 400_000}
        last = [coordinator.submit("test.echo", payload) for _ in range(200)][-1]
        coordinator.ended(last)
        self.here(coordinator, "sink", "run", "jsonl", "--set", "path=out.jsonl")
        eventually("all are there", lambda: (self.work / "out.jsonl").exists() and
                   (self.work / "out.jsonl").read_bytes().count(b"\n") == 200)
        self.assertEqual(coordinator.request("GET", "/v1/sinks/jsonl")[1]["crashes"], 0)
        host.stop()

    def test_what_the_api_made_outlives_a_restart(self):
        first = self.start(memory=False, folder=self.folder)
        self.known(first)
        self.words("one")
        self.here(first, "generator", "run", "lines", *WORDS, "--detach")
        self.reaches(first, "/v1/generators/lines", "ended")
        self.here(first, "generator", "pause", "lines")
        before = first.request("GET", "/v1/generators/lines")[1]
        self.assertEqual(first.stop(), 0)
        second = self.start(memory=False, folder=self.folder)
        after = second.request("GET", "/v1/generators/lines")[1]
        for member in ("config", "directory", "state", "emitted", "checkpoint", "ended"):
            self.assertEqual(after[member], before[member], member)

    def test_what_a_file_declares_is_not_removed(self):
        config = self.folder / "c.toml"
        config.write_text('[[sink]]\nname = "out"\nplugin = "jsonl"\nconfig = { path = "o.jsonl" }\n')
        coordinator = self.start("--config", config)
        self.assertTrue(coordinator.request("GET", "/v1/sinks/out")[1]["from_file"])
        status, problem = coordinator.request("DELETE", "/v1/sinks/out")
        self.assertEqual((status, problem["code"]), (409, "wrong_state"))


class Refusals(ExtensionsTest):
    def test_every_refusal_says_what_to_do(self):
        coordinator = self.start()
        self.known(coordinator)
        status, problem = coordinator.request("POST", "/v1/generators", {"plugin": "line"})
        self.assertEqual((status, problem["code"]), (422, "unknown_plugin"))
        self.assertEqual(problem["hint"], "did you mean 'lines'?")
        status, problem = coordinator.request("POST", "/v1/generators", {"plugin": "nothing.alike"})
        self.assertIn("lines", json.dumps(problem), "those that there are")
        status, problem = coordinator.request(
            "POST", "/v1/generators", {"plugin": "lines", "config": {"files": 3, "type": "t"}})
        self.assertEqual((status, problem["code"]), (422, "schema_mismatch"))
        self.assertEqual(problem["errors"][0]["pointer"], "/config/files")
        self.here(coordinator, "generator", "run", "lines", "--set", "files=3", expect=5)
        self.assertIn("/config/files: expected array, got integer", self.errors)
        status, problem = coordinator.request(
            "POST", "/v1/sinks", {"plugin": "jsonl", "config": {"path": "x"}, "state": ["failed"]})
        self.assertEqual((status, problem["hint"]), (400, "did you mean 'states'?"))

    def test_a_taken_name_is_a_conflict(self):
        coordinator = self.start()
        self.known(coordinator)
        sink = {"name": "out", "plugin": "jsonl", "directory": str(self.work), "config": {"path": "x"}}
        self.assertEqual(coordinator.request("POST", "/v1/sinks", sink)[0], 201)
        status, problem = coordinator.request("POST", "/v1/sinks", sink)
        self.assertEqual((status, problem["code"]), (409, "name_taken"))

    def test_a_refused_file_has_its_reason(self):
        (self.plugins / "broken.so").write_text("this is no library")
        coordinator = self.start()
        self.known(coordinator)
        reason = eventually("it is refused", lambda: [
            file.get("refused") for file in coordinator.request("GET", "/v1/extensions")[1]["items"]
            if pathlib.Path(file["file"]).name == "broken.so"])
        self.assertTrue(reason[0])
        self.assertIn("broken.so: " + reason[0], self.here(coordinator, "generator", "plugins"))


if __name__ == "__main__":
    unittest.main()
