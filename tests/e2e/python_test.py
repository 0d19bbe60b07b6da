#!/usr/bin/python3
"""Scripts as plugins: dropped into a folder, replaced under load, wrong in every way."""
import math
import os
import pathlib
import tempfile
import textwrap
import unittest

from harness import BIN, BUILD, ROOT, EndToEnd, eventually

EXAMPLE = ROOT / "plugins" / "python" / "examples" / "measurements.py"
LIBRARY = BUILD / "plugins" / "python.so"


class PythonTest(EndToEnd):
    def setUp(self):
        super().setUp()
        own = tempfile.TemporaryDirectory(prefix="dto-python-")
        self.addCleanup(own.cleanup)
        self.plugins = pathlib.Path(own.name, "plugins")
        self.plugins.mkdir()

    def put(self, text, name="words.py"):
        fresh = self.plugins / ".fresh"
        fresh.write_text("import distributo\n" + textwrap.dedent(text))
        fresh.rename(self.plugins / name)

    def start(self, *arguments, **options):
        coordinator = self.coordinator()
        host = self.host(coordinator, *arguments, plugins=self.plugins, **{"wait_for": None, **options})
        return coordinator, host

    def run_task(self, coordinator, kind, payload=None, **members):
        eventually(f"{kind} is offered", lambda: kind in coordinator.offered())
        return coordinator.ended(coordinator.submit(kind, payload, **members))

    def result(self, coordinator, kind, payload=None):
        task = self.run_task(coordinator, kind, payload)
        self.assertEqual(task["state"], "completed", task)
        return coordinator.request("GET", f"/v1/tasks/{task['id']}/result")[1]

    def failure(self, coordinator, kind, payload=None, **members):
        task = self.run_task(coordinator, kind, payload, **members)
        self.assertEqual(task["state"], "failed", task)
        return task

    @staticmethod
    def refused(coordinator):
        return {entry["file"]: entry["reason"] for host in coordinator.hosts() for entry in host["refused"]}


class ExampleTest(PythonTest):
    def test_the_example_with_numpy_runs_as_it_is(self):
        coordinator, _ = self.start()
        (self.plugins / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
        self.assertEqual(self.result(coordinator, "measurements:describe", {"values": [1, 2, 3, 4]}),
                         {"count": 4, "mean": 2.5, "deviation": math.sqrt(1.25),
                          "quantiles": {"5 %": 1.15, "50 %": 2.5, "95 %": 3.8499999999999996}})
        wave = [math.sin(2 * math.pi * 50 * i / 1000) + 0.5 * math.sin(2 * math.pi * 120 * i / 1000)
                for i in range(1000)]
        self.assertEqual(self.result(coordinator, "measurements:spectrum",
                                     {"samples": wave, "rate": 1000, "peaks": 2}), [50.0, 120.0])
        data = self.plugins / "data.csv"
        data.write_text("1,10\n2,20\n3,30\n")
        task = self.run_task(coordinator, "measurements:describe_file", {"path": str(data), "column": 1})
        self.assertEqual((task["state"], task["result"]["mean"]), ("completed", 20.0), task)
        self.assertIn("read 3 values", self.cli(coordinator, "task", "logs", task["id"]))

    def test_a_payload_that_does_not_fit_is_refused_at_once(self):
        (self.plugins / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
        coordinator, _ = self.start(wait_for="measurements:spectrum")
        status, problem = coordinator.request("POST", "/v1/tasks", {
            "type": "measurements:spectrum", "payload": {"samples": [1, "2"], "rate": 1}})
        self.assertEqual(status, 422)
        self.assertEqual(problem["errors"][0]["pointer"], "/payload/samples/1")
        task = self.failure(coordinator, "measurements:spectrum", {"samples": [1], "rate": 1})
        self.assertEqual((task["attempts"], task["error"]),
                         (1, "payload: expected at least two samples and a rate above 0"))


class ApiTest(PythonTest):
    def test_what_a_script_can_do(self):
        self.put("""
            import os, sqlite3, sys
            def setup(config):
                global table, word
                table = sqlite3.connect(":memory:")  # usable on the thread that opened it only
                table.execute("CREATE TABLE calls (n)")
                word = config["word"]
            @distributo.task
            def everything(n: int, task: distributo.Task):
                print("printed", n)
                print("to stderr", file=sys.stderr)
                task.log("logged", level="warn", n=n)
                task.progress(0.25, "a quarter")
                (task.work_dir / "file").write_text("content")
                table.execute("INSERT INTO calls VALUES (?)", (n,))
                task.emit("words:echo", {"n": n}, dedupe_key="once")
                task.sleep(0.01)
                task.check()
                return {"word": word, "calls": table.execute("SELECT count(*) FROM calls").fetchone()[0],
                        "attempt": task.attempt, "limit": 0 < task.remaining <= 10, "folders": os.listdir(task.work_dir)}
            @distributo.task
            async def echo(payload):
                return payload
            """)
        (self.plugins / "host.toml").write_text('[plugin.words]\nconfig = { word = "hello" }\n')
        coordinator, _ = self.start("--config", self.plugins / "host.toml", "--slots", 1)
        for calls in (1, 2):
            task = self.run_task(coordinator, "words:everything", {"n": 7}, timeout="10s")
            self.assertEqual(task["state"], "completed", task)
            self.assertEqual(task["result"], {"word": "hello", "calls": calls, "attempt": 1, "limit": True,
                                              "folders": ["file"]})
        logs = self.cli(coordinator, "task", "logs", task["id"])
        for line in ("printed 7", "to stderr", 'logged {"n":7}'):
            self.assertIn(line, logs)
        followed = eventually("one follow-up ran", lambda: [
            one for one in coordinator.request("GET", "/v1/tasks?type=words:echo")[1]["items"]
            if one["state"] == "completed"])
        self.assertEqual(len(followed), 1)

    def test_failures(self):
        self.put("""
            import ctypes, sys
            @distributo.task
            def bug(payload):
                text = {"number": "twelve"}
                return inner(text)
            def inner(text):
                return int(text["number"])
            @distributo.task
            def leaves(payload): sys.exit(3)
            @distributo.task
            def crash(payload): ctypes.string_at(0)
            @distributo.task
            def large(payload): return "x" * (2 << 20)
            @distributo.task
            def nan(payload): return {"mean": [0.5, float("nan")]}
            @distributo.task
            def permanent(payload): raise distributo.Permanent("no such word", detail={"word": "x"})
            @distributo.task
            def retry(payload, task):
                if task.attempt == 1:
                    raise distributo.Retry("not yet", after="10ms")
                return task.attempt
            """)
        coordinator, _ = self.start()
        task = self.failure(coordinator, "words:bug", max_attempts=1)
        line = "ValueError: invalid literal for int() with base 10: 'twelve' (words.py:9)"
        self.assertEqual((task["reason"], task["error"]), ("attempts_exhausted", line))
        self.assertIn("words.py:9", self.cli(coordinator, "task", "show", task["id"]))
        logs = self.cli(coordinator, "task", "logs", task["id"])
        for shown in ("Traceback (most recent call last):", 'File "words.py", line 7, in bug', "return inner(text)",
                      'File "words.py", line 9, in inner', "ValueError: invalid literal"):
            self.assertIn(shown, logs)
        self.assertNotIn("distributo.py", logs)

        self.assertEqual(self.failure(coordinator, "words:leaves", max_attempts=1)["error"],
                         "SystemExit: 3 (words.py:11)")
        error = self.failure(coordinator, "words:crash", max_attempts=1)["error"]
        self.assertRegex(error, r'(?s)plugin crashed: killed by SIGSEGV.*File "words.py", line 13 in crash')
        self.assertEqual(self.failure(coordinator, "words:large", max_attempts=1)["error"],
                         f"the host does not take a result of {(2 << 20) + 2} bytes")
        task = self.failure(coordinator, "words:nan")
        self.assertEqual((task["attempts"], task["error"]),
                         (1, "result.mean[1] is nan, which JSON cannot express; return None instead"))
        task = self.failure(coordinator, "words:permanent")
        self.assertEqual((task["attempts"], task["error"]), (1, "no such word"))
        self.assertEqual(self.result(coordinator, "words:retry"), 2)

    def test_a_loop_without_end_ends_when_it_is_cancelled_or_late(self):
        self.put("""
            import os
            @distributo.task
            def endless(payload):
                try:
                    while True:
                        pass
                except Exception:
                    pass  # being cancelled is none
            @distributo.task
            def process(payload): return os.getpid()
            """)
        coordinator, _ = self.start("--slots", 1)
        process = self.result(coordinator, "words:process")
        task = coordinator.submit("words:endless")
        eventually("it runs", lambda: coordinator.task(task).get("phase") == "execute")
        self.cli(coordinator, "task", "cancel", task)
        self.assertEqual(coordinator.ended(task)["state"], "cancelled")
        late = self.failure(coordinator, "words:endless", timeout="200ms", max_attempts=1)
        self.assertIn("ran longer than its limit", late["error"])
        # Nothing had to be killed for that.
        self.assertEqual(self.result(coordinator, "words:process"), process)

    def test_tasks_run_at_once_in_processes_of_their_own(self):
        self.put("""
            import os, pathlib
            @distributo.task
            def meet(payload, task):
                folder = pathlib.Path.home() / "here"
                folder.mkdir(exist_ok=True)
                (folder / str(os.getpid())).touch()
                while len(list(folder.iterdir())) < 2:
                    task.sleep(0.01)
                return os.getpid()
            """)
        coordinator, _ = self.start("--slots", 2, wait_for="words:meet")
        tasks = [coordinator.submit("words:meet") for _ in range(2)]
        self.assertEqual(len({coordinator.ended(task)["result"] for task in tasks}), 2)

    def test_a_host_never_becomes_python_itself(self):
        self.put("""
            import os, sys
            print("loaded in", os.getpid(), file=sys.stderr)
            @distributo.task
            def parent(payload): return os.getppid()
            """)
        coordinator, host = self.start("--isolation", "inproc")
        self.assertEqual(self.result(coordinator, "words:parent"), host.process.pid)
        self.assertNotIn(f"loaded in {host.process.pid}", host.output())


class DropTest(PythonTest):
    def test_what_cannot_be_used_is_refused_with_the_place(self):
        self.put("@distributo.task\ndef one(payload)\n    pass\n", "syntax.py")
        self.put("import nowhere_at_all\n", "missing.py")
        self.put("pass\n", "empty.py")
        self.put("@distributo.task\ndef One(payload): pass\n", "capital.py")
        self.put("@distributo.task\ndef one(payload): pass\n", "Capital.py")
        self.put("helper = 1\n", "_helper.py")
        coordinator, _ = self.start()
        expected = {
            "syntax.py": "SyntaxError: expected ':' (syntax.py:3)",
            "missing.py": "ModuleNotFoundError: No module named 'nowhere_at_all' (missing.py:2)",
            "empty.py": "empty.py has no task: mark a function with @distributo.task",
            "capital.py": 'the task type "capital:One" is not usable',
            "Capital.py": 'the plugin name "Capital" is not usable'}
        eventually(f"all are refused: {self.refused(coordinator)}",
                   lambda: set(self.refused(coordinator)) == set(expected))
        listing = self.cli(coordinator, "host", "list")
        for file, reason in expected.items():
            self.assertIn(reason, self.refused(coordinator)[file])
            self.assertIn(reason, listing)

    def test_a_version_that_is_wrong_leaves_the_one_before_in_place(self):
        self.put("__version__ = '2.1.0'\n@distributo.task\ndef one(payload): return 1\n")
        coordinator, _ = self.start()
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        self.put("@distributo.task\ndef one(payload): return (2\n")
        reason = eventually("it is refused", lambda: self.refused(coordinator).get("words.py"))
        self.assertIn("'(' was never closed (words.py:3); version 2.1.0 runs instead", reason)
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        self.put("@distributo.task\ndef one(payload): return 3\n")
        eventually("it is not refused any more", lambda: not self.refused(coordinator))
        self.assertEqual(self.result(coordinator, "words:one"), 3)

    def test_the_last_good_version_comes_back_after_a_restart(self):
        self.put("@distributo.task\ndef one(payload): return 1\n")
        kept = self.kept_folder()
        coordinator, host = self.start(folder=kept)
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        host.stop()
        self.put("this is no Python\n")
        self.host(coordinator, plugins=self.plugins, folder=kept, wait_for=None)
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        self.assertIn("SyntaxError", self.refused(coordinator)["words.py"])

    def test_without_the_library_a_script_waits_for_it(self):
        programs = self.kept_folder() / "bin"  # nothing is beside them
        programs.mkdir()
        for program in ("distributo-host", "distributo-runner"):
            os.link(BIN / program, programs / program)
        self.put("@distributo.task\ndef one(payload): return 1\n")
        coordinator, _ = self.start(programs=programs)
        reason = eventually("it is refused", lambda: self.refused(coordinator).get("words.py"))
        self.assertIn("words.py needs python.so, which is not here", reason)
        (self.plugins / "python.so").write_bytes(LIBRARY.read_bytes())
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        self.assertEqual(self.refused(coordinator), {})

    def test_the_library_alone_is_nothing_to_complain_about(self):
        coordinator = self.coordinator()
        self.host(coordinator, plugins=BUILD / "plugins", wait_for="hash.digest")
        eventually("all plugins are there", lambda: "text.syllables" in coordinator.offered())
        self.assertEqual(self.refused(coordinator), {})


    def test_a_version_that_crashes_gives_way_to_the_one_before(self):
        self.put("@distributo.task\ndef one(payload): return 1\n")
        coordinator, _ = self.start()
        self.assertEqual(self.result(coordinator, "words:one"), 1)
        self.put("import os\n@distributo.task\ndef one(payload): os.abort()\n")
        # Whichever task meets the bad version runs again on the good one.
        eventually("it is given up", lambda: self.result(coordinator, "words:one") == 1
                   and "given up" in self.refused(coordinator).get("words.py", ""))
        self.assertEqual(self.result(coordinator, "words:one"), 1)


class SwapTest(PythonTest):
    SWAPS = 20
    TASKS = 2000

    def test_changes_under_load_fail_no_task(self):
        def script(version):
            self.put(f"""
                import time
                @distributo.task
                def one(payload):
                    time.sleep(0.002)
                    return {version}
                """)

        script(0)
        coordinator, _ = self.start("--slots", 2, wait_for="words:one")
        wave = [{"type": "words:one", "payload": {}}] * (self.TASKS // self.SWAPS)
        for swap in range(1, self.SWAPS + 1):
            self.assertEqual(coordinator.request("POST", "/v1/tasks:batch", wave)[0], 200)
            script(swap)
            eventually(f"version {swap} answers", lambda s=swap: coordinator.ended(
                coordinator.submit("words:one", priority=10))["result"] == s)

        def counts():
            return coordinator.request("GET", "/v1/status")[1]["tasks"]
        eventually("all end", lambda: counts()["pending"] + counts()["running"] == 0)
        self.assertGreaterEqual(counts()["completed"], self.TASKS + self.SWAPS)
        self.assertEqual([counts()[bad] for bad in ("failed", "held", "cancelled", "expired", "retrying")], [0] * 5)
        self.assertEqual(self.refused(coordinator), {})


if __name__ == "__main__":
    unittest.main()
