#!/usr/bin/python3
"""The checker of answers finds wrong ones, and the specification is sound."""
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from openapi_check import Specification, Violation  # noqa: E402

FILE = ROOT / "docs" / "openapi.yaml"
TASK = {"id": "a1", "type": "echo", "state": "completed", "created": "2026-05-04T09:12:33.123Z",
        "attempts": 1, "result": None, "finished": "2026-05-04T09:12:34.000Z", "seq": 1}
PROBLEM = {"type": "urn:distributo:problem:id_taken", "title": "Id taken", "status": 409,
           "detail": "taken", "code": "id_taken"}
RESULT = {"seq": 1, "id": "a1", "type": "echo", "state": "completed", "attempt": 1,
          "finished": "2026-05-04T09:12:34.000Z"}


class AnswerTest(unittest.TestCase):
    def setUp(self):
        self.specification = Specification(FILE)

    def good(self, method, target, status, body, kind="application/json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.specification.check(method, target, status, kind, raw)

    def wrong(self, wanted, *arguments, **options):
        with self.assertRaises(Violation) as caught:
            self.good(*arguments, **options)
        self.assertIn(wanted, str(caught.exception))

    def test_right_answers_pass(self):
        self.good("GET", "/v1/tasks/a1?wait=1s", 200, TASK)
        self.good("POST", "/v1/tasks", 409, PROBLEM, "application/problem+json")
        self.good("GET", "/v1/tasks/a1/result", 200, [1, 2])
        self.good("GET", "/v1/tasks/a1/logs", 200, "1 stdout | é".encode(), "text/plain; charset=utf-8")
        self.good("HEAD", "/v1/status", 200, b"")
        self.good("POST", "/addTask", 200, {"message": "Task added successfully.", "taskId": "x"})
        line = json.dumps(RESULT).encode() + b"\n"
        self.good("GET", "/v1/results", 200, line + line, "application/x-ndjson")
        self.good("GET", "/nothing/here", 404, {**PROBLEM, "status": 404}, "application/problem+json")
        self.good("PUT", "/v1/tasks", 405, {**PROBLEM, "status": 405}, "application/problem+json")

    def test_a_member_that_is_not_specified(self):
        self.wrong("'surprise'", "GET", "/v1/tasks/a1", 200, {**TASK, "surprise": 1})

    def test_a_member_that_is_missing(self):
        self.wrong("'type' is a required", "GET", "/v1/tasks/a1", 200,
                   {key: value for key, value in TASK.items() if key != "type"})

    def test_a_value_of_the_wrong_kind_deep_inside(self):
        self.wrong("/items/1/seq", "GET", "/v1/results", 200,
                   {"items": [RESULT, {**RESULT, "seq": "2"}], "next_cursor": "2", "newest": 2})

    def test_a_time_in_another_form(self):
        self.wrong("/created", "GET", "/v1/tasks/a1", 200, {**TASK, "created": "2026-05-04 09:12"})

    def test_a_state_that_does_not_exist(self):
        self.wrong("/state", "GET", "/v1/tasks/a1", 200, {**TASK, "state": "done"})

    def test_a_status_that_is_not_specified(self):
        self.wrong("not specified", "GET", "/v1/tasks/a1", 204, b"")

    def test_the_wrong_content_type(self):
        self.wrong("expected one of", "GET", "/v1/tasks/a1", 200, TASK, kind="text/html")
        self.wrong("expected one of", "GET", "/v1/tasks/a1", 404, PROBLEM)

    def test_a_problem_that_says_another_status(self):
        self.wrong("says 409", "GET", "/v1/tasks/a1", 404, PROBLEM, kind="application/problem+json")

    def test_a_route_that_is_not_specified(self):
        self.wrong("nothing is specified", "GET", "/v1/secrets", 200, {})

    def test_what_is_no_json(self):
        self.wrong("not JSON", "GET", "/v1/tasks/a1", 200, b"{")

    def test_a_line_that_is_no_result(self):
        self.wrong("required", "GET", "/v1/results", 200, b"{}\n", kind="application/x-ndjson")
        self.wrong("no end", "GET", "/v1/results", 200, b"{}", kind="application/x-ndjson")

    def test_a_body_for_head(self):
        self.wrong("no body", "HEAD", "/v1/status", 200, b"{}")

    def test_requests(self):
        body = b'{"type":"echo","delay":"10s"}'
        self.specification.check_request("POST", "/v1/tasks", "application/json", body)
        with self.assertRaises(Violation):
            self.specification.check_request("POST", "/v1/tasks", "application/json", b'{"tpye":1}')


class SpecificationTest(unittest.TestCase):
    def test_it_is_sound(self):
        Specification(FILE).check_itself()

    def test_planted_faults_are_found(self):
        text = FILE.read_text(encoding="utf-8")
        faults = [("#/components/schemas/Task\"", "#/components/schemas/Tusk\""),
                  ("operationId: getTask", "operationId: createTask"),
                  ("/v1/tasks/{id}/explain:", "/v1/tasks/{task}/explain:"),
                  ("type: integer\n          minimum: -1000", "type: intger\n          minimum: -1000")]
        for good, bad in faults:
            self.assertIn(good, text)
            with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
                file.write(text.replace(good, bad))
                file.flush()
                with self.assertRaises(Violation, msg=bad):
                    Specification(file.name).check_itself()


if __name__ == "__main__":
    unittest.main()
