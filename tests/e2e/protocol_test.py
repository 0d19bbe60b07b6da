#!/usr/bin/python3
"""A host in another language, written from docs/protocol.md alone, joins and runs tasks."""
import pathlib
import subprocess
import unittest

from harness import EndToEnd, PATIENCE, eventually

MINIMAL_HOST = pathlib.Path(__file__).with_name("minimal_host.py")


class MinimalHostTest(EndToEnd):
    def test_it_joins_runs_tasks_and_leaves(self):
        coordinator = self.coordinator()
        texts = ["abc", "Grüße", ""]
        host = subprocess.Popen(["/usr/bin/python3", MINIMAL_HOST, "127.0.0.1", str(coordinator.port),
                                 "--exit-after", str(len(texts))])
        try:
            eventually("it offers its type", lambda: "py.reverse" in coordinator.offered())
            tasks = [coordinator.submit("py.reverse", {"text": text}) for text in texts]
            for identity, text in zip(tasks, texts):
                task = coordinator.ended(identity)
                self.assertEqual(task["state"], "completed")
                self.assertIn(text[::-1], str(task["result"]))
            self.assertEqual(host.wait(PATIENCE), 0)
            eventually("it has said goodbye", lambda: not coordinator.hosts())
        finally:
            if host.poll() is None:
                host.kill()
                host.wait()

    def test_it_has_at_most_150_lines(self):
        self.assertLessEqual(len(MINIMAL_HOST.read_text().splitlines()), 150)


if __name__ == "__main__":
    unittest.main()
