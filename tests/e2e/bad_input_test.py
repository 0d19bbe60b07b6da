#!/usr/bin/python3
"""Bad input gets a clear answer and loses nothing: over HTTP, on the command line, at start."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

from harness import BIN, BUILD, EndToEnd


class HttpTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.api = self.coordinator()

    def refused(self, wanted_status, body, wanted="", path="/v1/tasks", **options):
        status, problem = self.api.request("POST", path, body, **options)
        self.assertEqual(status, wanted_status, problem)
        self.assertIn(wanted, json.dumps(problem))
        return problem

    def test_malformed_and_deep_json(self):
        self.refused(400, '{"type":"t","payload":{')
        self.refused(400, '{"type":"t","payload":' + "[" * 100 + "]" * 100 + "}", "deep")
        self.refused(400, "[1]")

    def test_too_large(self):
        self.refused(413, '{"type":"t","payload":"' + "x" * 1_100_000 + '"}')

    def test_unknown_members_get_a_suggestion(self):
        self.refused(400, {"type": "t", "priorty": 1}, "priority")

    def test_a_given_id_is_taken_once(self):
        first = {"type": "t", "id": "mine", "payload": {"n": 1}}
        self.assertEqual(self.api.request("POST", "/v1/tasks", first)[0], 201)
        self.assertEqual(self.api.request("POST", "/v1/tasks", first)[0], 200)
        self.refused(409, {**first, "payload": {"n": 2}}, "mine")
        self.assertEqual(self.api.task("mine")["payload"], {"n": 1})

    def test_a_payload_against_its_schema(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "s.so").write_bytes((BUILD / "plugins" / "syllables.so").read_bytes())
            self.host(self.api, plugins=folder, wait_for="text.syllables")
            problem = self.refused(422, {"type": "text.syllables", "payload": {"word": 5}})
            self.assertEqual(problem["errors"][0]["pointer"], "/payload/word")

    def test_the_wrong_port_is_explained(self):
        with socket.create_connection(("127.0.0.1", self.api.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % self.api.port)
            answer = plain.recv(65536).decode()
        self.assertIn(str(self.api.http_port), answer)
        host = subprocess.Popen(
            [BIN / "distributo-host", "--coordinator", f"http://127.0.0.1:{self.api.http_port}",
             "--data-dir", self.api.folder / "host", "--plugin-dir", self.api.folder],
            stderr=subprocess.PIPE, text=True)
        for line in host.stderr:
            if str(self.api.port) in line:
                break
        else:
            self.fail("the host never named the right port")
        host.kill()
        host.wait()
        host.stderr.close()


class StartTest(EndToEnd):
    def fails(self, program, *arguments, code=2, wanted=""):
        done = subprocess.run([BIN / program, *map(str, arguments)], text=True, capture_output=True,
                              timeout=30)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("error: ", done.stderr)
        self.assertIn(wanted, done.stderr)
        return done.stderr

    def test_a_busy_port(self):
        with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            text = self.fails("distributo-coordinator", "--memory", "--no-discovery", "--http-port",
                              port, "--port", 0, "--data-dir", folder, code=7, wanted=str(port))
            self.assertIn("hint: ", text)

    def test_an_unwritable_data_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "file")
            file.write_text("")
            text = self.fails("distributo-coordinator", "--memory", "--no-discovery", "--port", 0,
                              "--http-port", 0, "--data-dir", file / "data", code=7, wanted=str(file))
            self.assertIn("hint: ", text)

    def test_typing_errors_in_the_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "host.toml")
            file.write_text("[host]\nsolts = 4\n")
            text = self.fails("distributo-host", "--config", file, wanted=f"{file}:2:1")
            self.assertIn("slots", text)
            self.assertIn("--slots", self.fails("distributo-host", "--solts", 4))

    def test_nothing_found_names_the_timeout(self):
        with tempfile.TemporaryDirectory() as folder:
            text = self.fails("distributo-host", "--service-type", f"none-{os.getpid() % 10000}",
                              "--discovery-timeout", "300ms", "--data-dir", folder, "--plugin-dir",
                              folder, code=3, wanted="300")
            self.assertIn("--coordinator", text)

    def test_two_hosts_do_not_share_a_folder(self):
        coordinator = self.coordinator()
        host = self.host(coordinator)
        text = self.fails("distributo-host", "--coordinator", "http://127.0.0.1:1", "--data-dir",
                          host.folder / "data", code=5)
        self.assertIn("--data-dir", text)


class CommandLineTest(EndToEnd):
    def test_exit_codes_and_hints(self):
        coordinator = self.coordinator()
        self.cli(coordinator, "task", "show", "nothing", expect=4)
        self.assertIn("error: ", self.errors)
        self.cli(coordinator, "task", "submt", expect=2)
        self.cli(coordinator, "submt", expect=2)
        self.assertIn("did you mean 'submit'?", self.errors)
        self.cli(coordinator, "submit", "t", "{not json", expect=2)
        coordinator.stop()
        self.cli(coordinator, "status", expect=3)
        self.assertIn("hint: ", self.errors)

    def test_json_and_quiet_outputs(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--name", "box")
        identity = self.cli(coordinator, "--quiet", "submit", "test.echo", '{"a":1}').strip()
        self.assertEqual(json.loads(self.cli(coordinator, "submit", "test.echo", '{"a":1}', "--wait")),
                         {"a": 1})
        coordinator.ended(identity)
        self.assertEqual(json.loads(self.cli(coordinator, "task", "show", identity, "--json"))["id"],
                         identity)
        self.assertEqual(self.cli(coordinator, "task", "show", identity, "-q").strip(), "completed")
        self.assertEqual(self.cli(coordinator, "host", "list", "-q").strip(), "box")
        for command in (["status"], ["task", "list"], ["host", "list"], ["version"],
                        ["task", "explain", identity]):
            json.loads(self.cli(coordinator, *command, "--json"))
            self.assertTrue(self.cli(coordinator, *command).strip(), command)

    def test_a_waited_failure_is_exit_code_1(self):
        coordinator = self.coordinator()
        self.host(coordinator)
        self.cli(coordinator, "submit", "test.fail", '{"how":"permanent"}', "--wait", expect=1)


if __name__ == "__main__":
    unittest.main()
