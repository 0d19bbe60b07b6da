"""Starts the real programs on loopback, talks to them, and checks every answer against the
specification. Used by the end-to-end tests; run as `script.py BUILD_FOLDER [unittest arguments]`."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from openapi_check import Specification

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
BIN = BUILD / "bin"
TEST_PLUGINS = BUILD / "test-plugins"
SPECIFICATION = Specification(ROOT / "docs" / "openapi.yaml")

# Long enough for a machine that compiles at the same time; a test that needs it has failed.
PATIENCE = 30


def eventually(what, question):
    """Asks until the answer is true and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


class Process:
    """One of our daemons, with a data folder of its own and its log in a file."""

    def __init__(self, program, *arguments, folder=None, programs=BIN, user=None,
                 prefix=()):
        # The children of a daemon that was killed may be writing yet while the folder is removed.
        self.own = None if folder else tempfile.TemporaryDirectory(prefix="dto-",
                                                                   ignore_cleanup_errors=True)
        self.folder = pathlib.Path(folder or self.own.name)
        self.log = self.folder / "log"
        self.errors = open(self.folder / "stderr", "w+", encoding="utf-8")
        as_user = {}
        if user is not None:
            os.chown(self.folder, user, user)
            as_user = {"user": user, "group": user, "extra_groups": []}
        self.process = subprocess.Popen(
            [*prefix, programs / program, "--data-dir", self.folder / "data", "--log-file", self.log,
             *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
            **as_user)

    def stop(self, how=signal.SIGTERM):
        """Ends it and returns its exit code (negative: the signal)."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"does not end: {self.process.args[0]}") from None
        return code

    def output(self):
        self.errors.flush()
        return (self.folder / "stderr").read_text() + (self.log.read_text() if self.log.exists() else "")

    def clean(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        if self.own:
            self.own.cleanup()


class Coordinator(Process):
    def __init__(self, *arguments, port=0, http_port=0, folder=None, memory=True, prefix=()):
        if memory:
            arguments = ("--memory", *arguments)
        if folder:  # one that was killed has left its file
            pathlib.Path(folder, "data", "ports.json").unlink(missing_ok=True)
        super().__init__("distributo-coordinator", "--no-discovery", "--port", port,
                         "--http-port", http_port, *arguments, folder=folder, prefix=prefix)
        ports = self.folder / "data" / "ports.json"
        text = eventually("the coordinator listens", lambda: self.alive() and ports.exists()
                          and ports.read_text())
        self.port = json.loads(text)["port"]
        self.http_port = json.loads(text)["httpPort"]
        eventually("the API answers", self.answers)

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the coordinator ended: {self.output()}")
        return True

    def answers(self):
        try:
            return self.request("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def request(self, method, path, body=None, content_type="application/json", accept=None, key=None):
        """(status, decoded body); the answer is checked against the specification."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = {"Content-Type": content_type} if body is not None else {}
        if accept:
            headers["Accept"] = accept
        if key:
            headers["Idempotency-Key"] = key
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        raw = response.read()
        kind = response.headers.get("Content-Type", "")
        connection.close()
        SPECIFICATION.check(method, path, response.status, kind, raw)
        return response.status, json.loads(raw) if "json" in kind and "ndjson" not in kind else raw

    def submit(self, kind, payload=None, **members):
        status, task = self.request("POST", "/v1/tasks", {"type": kind, "payload": payload or {}, **members})
        assert status in (200, 201), task
        return task["id"]

    def task(self, identity):
        return self.request("GET", f"/v1/tasks/{identity}")[1]

    def ended(self, identity):
        """The task once it has ended."""
        return eventually(f"{identity} ends: {self.task(identity)}", lambda: self.over(identity))

    def over(self, identity):
        task = self.request("GET", f"/v1/tasks/{identity}?wait=1s")[1]
        return task if task["state"] in ("completed", "failed", "cancelled", "expired") else None

    def hosts(self):
        return self.request("GET", "/v1/hosts")[1]["items"]

    def offered(self):
        return {entry["type"] for host in self.hosts() if host["state"] == "ready"
                for entry in host["types"]}


class Host(Process):
    def __init__(self, coordinator, *arguments, plugins=TEST_PLUGINS / "good", **options):
        super().__init__("distributo-host", "--coordinator", f"http://127.0.0.1:{coordinator.port}",
                         "--plugin-dir", plugins, *arguments, **options)


class EndToEnd(unittest.TestCase):
    """A test case that cleans up after its daemons, and shows their logs when it fails."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.daemons = []

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for daemon in self.daemons:
                print("----", daemon.process.args, daemon.last, sep="\n", file=sys.stderr)

    def kept_folder(self):
        """A folder that outlives daemons, but not the test."""
        folder = tempfile.TemporaryDirectory(prefix="dto-kept-")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def started(self, daemon):
        """Ends it after the test, also when the rest of setUp fails."""
        self.daemons.append(daemon)
        self.addCleanup(self.finish, daemon)
        return daemon

    @staticmethod
    def finish(daemon):
        daemon.last = daemon.output()[-4000:]
        daemon.clean()

    def coordinator(self, *arguments, **options):
        return self.started(Coordinator(*arguments, **options))

    def host(self, coordinator, *arguments, wait_for="test.echo", **options):
        self.started(Host(coordinator, *arguments, **options))
        if wait_for:
            eventually(f"{wait_for} is offered", lambda: wait_for in coordinator.offered())
        return self.daemons[-1]

    def cli(self, coordinator, *arguments, expect=0, text=None):
        """Runs `distributo`; returns its standard output, and standard error in self.errors."""
        done = subprocess.run([BIN / "distributo", "--coordinator",
                               f"http://127.0.0.1:{coordinator.http_port}", *map(str, arguments)],
                              text=True, capture_output=True, input=text, timeout=PATIENCE)
        self.errors = done.stderr
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout
