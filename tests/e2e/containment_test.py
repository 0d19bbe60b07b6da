#!/usr/bin/python3
"""A plugin that does everything a plugin must not do, in a real host without privileges. Each row:
the host lives, the guilty task alone is charged, with a message that says what happened and ends
with what the plugin printed last; a task that ran beside it finishes; nothing that it started stays.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BIN, EndToEnd, TEST_PLUGINS, eventually

TYPE = "test.misbehave"
AS_ROOT = os.geteuid() == 0
FIRST_USER = 61_000  # nobody's: each host gets a user of its own, so that limits per user are its own


class Row:
    """What a plugin does under which settings; `payload` and `members` are those of its task."""

    def __init__(self, deed, settings="", path="", **members):
        self.deed, self.settings, self.path, self.members = deed, settings, path, members


def crash(deed, how, settings=""):
    """Ends the process: charged as a crash until it is given up as poison."""
    row = Row(deed, settings)

    def check(test, task):
        test.assertEqual((task["state"], task["reason"]), ("failed", "poison"), task)
        test.assertIn("plugin crashed: ", task["error"])
        for text in how:
            test.assertIn(text, task["error"])
        test.assertIn("last words", task["error"])
    row.check = check
    return row


def overdue(deed):
    """Does not end: stopped by its limit."""
    row = Row(deed, timeout="300ms", max_attempts=1)

    def check(test, task):
        test.assertEqual((task["state"], task["reason"]), ("failed", "timeout"), task)
        test.assertIn("ran longer than its limit of 300 ms", task["error"])
    row.check = check
    return row


def failing(deed, texts, settings):
    """Sees an error, and reports it: a failure of its own, but the host says which limit it was."""
    row = Row(deed, settings, max_attempts=1)

    def check(test, task):
        test.assertEqual(task["state"], "failed", task)
        for text in texts:
            test.assertIn(text, task["error"])
    row.check = check
    return row


def refused(deed, errors, settings="", path="", at_most=None, at_least=1):
    """Sees an error and goes on."""
    row = Row(deed, settings, path)

    def check(test, task):
        test.assertEqual(task["state"], "completed", task)
        report = test.result_of(task)
        test.assertIn(report["error"], errors, report)
        if at_most:
            test.assertLessEqual(report["number"], at_most)
            test.assertGreaterEqual(report["number"], at_least)
    row.check = check
    return row


def harmless(deed):
    row = Row(deed)
    row.check = lambda test, task: test.assertEqual(task["state"], "completed", task)
    return row


def processes_of(user):
    """Processes of that user, ended ones that nobody has waited for excepted."""
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == user and \
                    entry.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(int(entry.name))
        except OSError:
            pass  # it ended meanwhile
    return found


def children_of(process):
    return {int(pid) for thread in pathlib.Path(f"/proc/{process}/task").iterdir()
            for pid in thread.joinpath("children").read_text().split()}


class ContainmentTest(EndToEnd):
    def setUp(self):
        super().setUp()
        own = tempfile.TemporaryDirectory(prefix="dto-")
        self.addCleanup(own.cleanup)
        self.folder = pathlib.Path(own.name)
        self.folder.chmod(0o755)
        # Copies: the build folder may lie where only its owner gets to.
        for source in (BIN / "distributo-host", BIN / "distributo-runner"):
            shutil.copy(source, self.folder)
        (self.folder / "plugins").mkdir()
        shutil.copy(TEST_PLUGINS / "misbehave" / "test_misbehave.so", self.folder / "plugins")
        self.main = self.coordinator()
        self.users = {}

    def start(self, settings="", name="host"):
        config = self.folder / f"{name}.toml"
        config.write_text(f"[plugin.test_misbehave]\n{settings}\n", encoding="utf-8")
        config.chmod(0o644)
        user = FIRST_USER + len(self.users) if AS_ROOT else None
        host = self.host(self.main, "--config", config, "--name", name, "--label", f"row={name}",
                         "--slots", 2, plugins=self.folder / "plugins", wait_for=None,
                         programs=self.folder, user=user)
        self.users[host] = user
        return host

    def offer_of(self, name):
        """What the host says about the type; waits for it."""
        return eventually(f"{name} offers it", lambda: next(
            (entry for host in self.main.hosts() if host["name"] == name
             for entry in host["types"] if entry["type"] == TYPE), None))

    def task_for(self, name, deed, path="", **members):
        return self.main.submit(TYPE, {"deed": deed, "path": path},
                                requires={"labels": {"row": name}}, **members)

    def result_of(self, task):
        return self.main.request("GET", f"/v1/tasks/{task['id']}/result")[1]

    def run_on(self, name, deed, **more):
        task = self.main.ended(self.task_for(name, deed, **more))
        self.assertEqual(task["state"], "completed", task)
        return self.result_of(task)

    def rows(self):
        limit = "memory in [plugin.test_misbehave]"
        outside = self.folder / "outside"
        outside.mkdir()
        outside.chmod(0o777)
        home = tempfile.TemporaryDirectory(prefix="dto-", dir="/home" if AS_ROOT else pathlib.Path.home())
        self.addCleanup(home.cleanup)
        secret = pathlib.Path(home.name, "secret")
        secret.write_text("private", encoding="utf-8")
        for path in (secret.parent, secret):
            path.chmod(0o755)
        # What is closed is where homes usually are.
        home_error = "EACCES" if home.name.startswith(("/home/", "/root/")) else ""
        return [
            crash("null_dereference", ["SIGSEGV"]),
            crash("stack_overflow", ["SIGSEGV"]),
            crash("abort", ["SIGABRT"]),
            crash("throw_through_noexcept", ["SIGABRT", "through noexcept"]),
            crash("exit_0", ["exited with code 0 without answering"]),
            crash("underscore_exit_3", ["exited with code 3 without answering"]),
            overdue("loop"),
            overdue("ignore_term"),
            failing("take_memory", ["out of memory", "memory is limited to 64 MiB", limit],
                    'memory = "64MiB"'),
            failing("take_memory", ["out of memory", "memory is limited to 96 MiB", limit],
                    'memory = "96MiB"\nmemory_by = "as"'),
            crash("take_memory", ["killed because it used", "memory is limited to 80 MiB", limit],
                  'memory = "80MiB"\nmemory_by = "rss"'),
            # The limit counts everything of the user, who without root is shared with others.
            refused("fork_bomb", ["EAGAIN"], "max_processes = 40", at_most=40,
                    at_least=1 if AS_ROOT else 0),
            refused("leak_descriptors", ["EMFILE"], "open_files = 64", at_most=64),
            crash("fill_disk", ["SIGXFSZ", "a file may have at most 8 MiB",
                                "file_size in [plugin.test_misbehave]"], 'file_size = "8MiB"'),
            refused("write_outside", ["EACCES"], path=str(outside / "file")),
            refused("read_home", [home_error], path=str(secret)),
            refused("read_home", [""], f'readable = ["{secret.parent}"]', path=str(secret)),
            refused("unshare", ["EPERM"]),
            refused("ptrace", ["EPERM"]),
            refused("forge_mark", ["EPERM"]),
            refused("connect", ["ENETUNREACH", "EACCES"], "network = false"),
            harmless("leave_thread"),
        ]

    def test_each_row(self):
        rows = self.rows()
        hosts = [self.start(row.settings, f"row{i}") for i, row in enumerate(rows)]
        for i, row in enumerate(rows):
            self.offer_of(f"row{i}")
            row.sibling = self.task_for(f"row{i}", "doze")
            row.task = self.task_for(f"row{i}", row.deed, row.path, **row.members)
        for i, (row, host) in enumerate(zip(rows, hosts)):
            with self.subTest(row.deed, settings=row.settings):
                row.check(self, self.main.ended(row.task))
                sibling = self.main.ended(row.sibling)
                self.assertEqual((sibling["state"], sibling["attempts"]), ("completed", 1), sibling)
                self.assertIsNone(host.process.poll(), "the host is dead")
                if self.users[host]:
                    eventually("nothing is left but the host and its runner", lambda: processes_of(
                        self.users[host]) <= {host.process.pid} | children_of(host.process.pid))

    def test_a_signal_does_not_reach_the_host(self):
        host = self.start()
        layers = self.offer_of("host")["sandbox"]
        if "signal-scope" in layers:
            self.assertEqual(self.run_on("host", "kill_host")["error"], "EPERM")
            self.assertIsNone(host.process.poll())
        else:
            self.assertIn("layer=signal-scope", host.output())

    def test_a_daemon_ends_with_its_runner(self):
        host = self.start()
        self.offer_of("host")
        daemon = self.run_on("host", "daemon")["number"]
        self.assertTrue(alive(daemon))
        self.run_on("host", "nothing")  # a sweep for somebody else would not touch it
        self.assertTrue(alive(daemon))
        self.task_for("host", "null_dereference")
        eventually("the daemon is killed", lambda: not alive(daemon))
        self.assertIsNone(host.process.poll())

    def test_a_daemon_of_one_runner_survives_the_end_of_another(self):
        host = self.start()
        self.offer_of("host")
        shutil.copy(TEST_PLUGINS / "good" / "test_crash.so", self.folder / "plugins")
        eventually("the other plugin is there", lambda: "test.crash" in self.main.offered())
        daemon = self.run_on("host", "daemon")["number"]
        guilty = self.main.submit("test.crash", {"how": "segv", "times": 1})
        self.assertEqual(self.main.ended(guilty)["state"], "completed")  # after one crash
        self.run_on("host", "nothing")
        self.assertTrue(alive(daemon))
        self.assertEqual(host.stop(), 0)
        eventually("the daemon ends with the host", lambda: not alive(daemon))

    def test_nothing_survives_a_host_that_is_killed(self):
        host = self.start()
        self.offer_of("host")
        daemon = self.run_on("host", "daemon")["number"]
        runners = children_of(host.process.pid)
        host.stop(signal.SIGKILL)
        eventually("the runner ends", lambda: not any(map(alive, runners)))
        eventually("the daemon ends", lambda: not alive(daemon))

    def test_a_control_group_is_used_where_there_is_one(self):
        group = pathlib.Path("/sys/fs/cgroup/unified/dto-test")
        if not group.parent.exists():
            group = pathlib.Path("/sys/fs/cgroup/dto-test")
        try:
            group.mkdir(exist_ok=True)
            self.addCleanup(remove_groups, group)
            here = next(line for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()
                        if line.startswith("0::"))[3:]
            (group / "cgroup.procs").write_text(str(os.getpid()))
            self.addCleanup(pathlib.Path(str(group.parent) + here, "cgroup.procs").write_text,
                            str(os.getpid()))
            mine = True
        except (OSError, StopIteration):
            mine = False
        config = self.folder / "plain.toml"
        config.write_text("", encoding="utf-8")
        host = self.host(self.main, "--config", config, "--name", "host", "--label", "row=host",
                         plugins=self.folder / "plugins", wait_for=None)
        layers = self.offer_of("host")["sandbox"]
        if not mine:
            self.assertNotIn("cgroup", layers)
            self.assertRegex(host.output(), r"sandbox\.degraded +layer=cgroup why=")
            return
        self.assertIn("cgroup", layers)
        self.assertEqual(len(list(group.glob("runner-*"))), 1)
        daemon = self.run_on("host", "daemon")["number"]
        self.assertEqual(host.stop(), 0)
        self.assertFalse(alive(daemon))
        self.assertEqual(list(group.glob("runner-*")), [])

    def test_a_runner_inherits_nothing(self):
        os.environ["SECRET_OF_THE_OPERATOR"] = "1"
        self.addCleanup(os.environ.pop, "SECRET_OF_THE_OPERATOR")
        host = self.start()
        self.offer_of("host")
        found = self.run_on("host", "inherited")
        self.assertEqual(found["number"], 3, "descriptors that its children would get")
        self.assertNotIn("SECRET_OF_THE_OPERATOR", found["text"])
        variables = dict(line.split("=", 1) for line in found["text"].splitlines())
        data = str(host.folder / "data")
        self.assertTrue(variables["HOME"].startswith(data + "/data/"), variables["HOME"])
        self.assertTrue(variables["TMPDIR"].startswith(data + "/work/"), variables["TMPDIR"])


class ConfigurationTest(EndToEnd):
    """What the operator says about a plugin, and what a task may require."""

    def config(self, text):
        own = tempfile.NamedTemporaryFile("w", suffix=".toml", prefix="dto-")
        self.addCleanup(own.close)
        own.write(text)
        own.flush()
        return own.name

    def offer(self, main, name, kind="test.echo"):
        return eventually(f"{name} offers {kind}", lambda: next(
            (entry for host in main.hosts() if host["name"] == name
             for entry in host["types"] if entry["type"] == kind), None))

    def test_a_task_runs_where_it_is_confined_as_it_requires(self):
        main = self.coordinator()
        self.host(main, "--name", "open", "--isolation", "inproc")
        self.host(main, "--name", "closed", "--config", self.config(
            '[plugin.test_basics]\nnetwork = false\nmemory = "1GiB"\n'))
        self.assertEqual(self.offer(main, "open")["sandbox"], [])
        layers = self.offer(main, "closed")["sandbox"]
        for layer in ("no-new-privs", "memory", "no-network"):
            self.assertIn(layer, layers)

        for _ in range(3):
            task = main.ended(main.submit("test.echo", requires={
                "isolation": "process", "sandbox": ["memory", "no-network"]}))
            self.assertEqual((task["state"], task["host"]), ("completed", "closed"))

        waiting = main.submit("test.echo", requires={"isolation": "task", "sandbox": ["memory"]})
        explained = main.request("GET", f"/v1/tasks/{waiting}/explain")[1]
        details = {host["name"]: (host["code"], host["detail"]) for host in explained["hosts"]}
        self.assertEqual(details["open"], ("confinement", "runs test.echo with isolation inproc, the "
                         "task requires task, and without memory, which the task requires"))
        self.assertEqual(details["closed"], ("confinement", "runs test.echo with isolation process, "
                                             "the task requires task"))

    def test_an_unknown_layer_is_refused_at_submit(self):
        main = self.coordinator()
        status, problem = main.request("POST", "/v1/tasks", {
            "type": "test.echo", "requires": {"sandbox": ["secomp"]}})
        self.assertEqual(status, 400)
        self.assertIn("did you mean 'seccomp'?", problem["hint"])

    def test_the_floor_of_the_operator_holds_for_every_plugin(self):
        main = self.coordinator()
        host = self.host(main, "--name", "h", "--isolation", "inproc", "--min-isolation", "process",
                         "--config", self.config('[plugin.test_basics]\nisolation = "inproc"\n'))
        self.assertEqual(self.offer(main, "h")["isolation"], "process")
        self.assertIn("why=\"--min-isolation asks for it\"", host.output())

    def test_one_plugin_may_run_inside_the_host_beside_others_that_do_not(self):
        main = self.coordinator()
        self.host(main, "--name", "h", "--config", self.config(
            '[plugin.test_basics]\nisolation = "inproc"\n'))
        self.assertEqual(self.offer(main, "h")["isolation"], "inproc")
        self.assertEqual(self.offer(main, "h", "test.noop")["isolation"], "process")

    def test_an_error_in_the_file_names_the_place(self):
        path = self.config('[plugin.test_basics]\nmemroy = "1GiB"\n')
        done = subprocess.run([BIN / "distributo-host", "--config", path], text=True,
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"error: {path}:2:1: unknown key 'memroy' in [plugin.test_basics]", done.stderr)
        self.assertIn("did you mean 'memory'?", done.stderr)


def remove_groups(group):
    for one in [*group.iterdir(), group]:
        if one.is_dir():
            one.rmdir()


def alive(process):
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
