#!/usr/bin/python3
"""The shipped plugins do their work through a real coordinator and a real host."""
import unittest

from harness import BUILD, EndToEnd, eventually


class ShippedTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.main = self.coordinator()
        self.host(self.main, plugins=BUILD / "plugins", wait_for="echo")

    def run_task(self, kind, payload, **members):
        """The task once it has ended."""
        eventually(f"{kind} is offered", lambda: kind in self.main.offered())
        return self.main.ended(self.main.submit(kind, payload, **members))

    def result(self, kind, payload):
        task = self.run_task(kind, payload)
        self.assertEqual(task["state"], "completed", task)
        return self.main.request("GET", f"/v1/tasks/{task['id']}/result")[1]

    def failure(self, kind, payload):
        task = self.run_task(kind, payload, max_attempts=1)
        self.assertEqual(task["state"], "failed", task)
        return task["reason"], task["error"]

    def test_basics(self):
        payload = {"any": ["thing", 1, None]}
        self.assertEqual(self.result("echo", payload), payload)
        self.assertEqual(self.result("sleep", {"ms": 1}), {"ms": 1, "attempt": 1})
        self.assertEqual(self.failure("sleep", {"ms": 0, "fail": "permanent"}),
                         ("permanent", "failed as payload.fail asked: permanent"))
        retried = self.run_task("sleep", {"ms": 0, "fail": "retry", "fail_attempts": 1,
                                          "retry_after_ms": 1})
        self.assertEqual((retried["state"], retried["attempts"]), ("completed", 2))


if __name__ == "__main__":
    unittest.main()
