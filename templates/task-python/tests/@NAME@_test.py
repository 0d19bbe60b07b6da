"""Runs the tasks as a host does: python3 -m unittest discover -s tests -p '*_test.py'

The command distributo has to be in your PATH, or in the environment variable DISTRIBUTO.
"""
import json
import os
import pathlib
import subprocess
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "@NAME@.py"


def run(kind, payload):
    """The result of a task; a task that fails raises RuntimeError with what it printed."""
    done = subprocess.run(
        [os.environ.get("DISTRIBUTO", "distributo"), "plugin", "run", SCRIPT,
         "--type", f"@NAME@:{kind}", "--payload", json.dumps(payload)],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


class CountTest(unittest.TestCase):
    def test_counts_words(self):
        self.assertEqual(run("count", {"text": "to be or not To be"}), {"to": 2, "be": 2, "or": 1, "not": 1})
        self.assertEqual(run("count", {"text": "to be or not To be", "least": 2}), {"to": 2, "be": 2})

    def test_names_what_is_wrong_with_the_payload(self):
        with self.assertRaisesRegex(RuntimeError, "payload.least: expected at least 1"):
            run("count", {"text": "", "least": 0})
        with self.assertRaisesRegex(RuntimeError, "payload.text: expected string, got integer"):
            run("count", {"text": 7})


class CountLinesTest(unittest.TestCase):
    def test_counts_the_lines_of_a_file(self):
        self.assertEqual(run("count_lines", {"path": __file__}), len(pathlib.Path(__file__).read_text().splitlines()))

    def test_asks_for_another_host_when_there_is_no_such_file(self):
        with self.assertRaisesRegex(RuntimeError, "is not on this host"):
            run("count_lines", {"path": "/nowhere/at/all"})


if __name__ == "__main__":
    unittest.main()
