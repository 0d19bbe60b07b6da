#!/usr/bin/python3
"""Runs docs/tutorial.md word for word: every command, every line of output.

A block ```console is one shell; ```console terminal is a terminal of its own, kept running until the
end. "…" in an expected line stands for any text, a line "…" for any number of lines. The default
ports are used, because the page names them, so this runs in a network namespace of its own."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
MARK = "==end-of-command=="


def blocks(text):
    """(own terminal?, [(command, [expected lines])]) for each console block."""
    for kind, body in re.findall(r"^```console( terminal)?\n(.*?)^```", text, re.M | re.S):
        commands = []
        for line in body.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        yield bool(kind), commands


def matches(expected, actual):
    """Do these lines fit the page's?"""
    pattern = "".join(
        "(?:[^\n]*\n)*?" if line == "…" else
        ".*?".join(re.escape(part) for part in line.split("…")) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None


class Shell:
    """A shell that is told one command at a time."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder,
                                        start_new_session=True)

    def start(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def run(self, command):
        self.start(command + f"\necho {MARK}")
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n").endswith(MARK):
                rest = line.rstrip("\n")[: -len(MARK)]
                return lines + ([rest] if rest else [])
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended in: {command}")

    def stop(self):
        self.process.stdin.close()
        try:
            os.killpg(self.process.pid, signal.SIGINT)
        except ProcessLookupError:
            pass
        self.process.wait(30)
        self.process.stdout.close()


class TutorialTest(unittest.TestCase):
    def test_the_page_runs_word_for_word(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            # A copy of what the page touches, so that a test never writes into the checkout.
            (folder / "build").mkdir()
            shutil.copytree(BUILD, folder / "build" / "release", symlinks=True,
                            ignore=shutil.ignore_patterns("*.o", "*.a", "tests", "test-plugins"))
            for part in ("templates", "sdk", "docs"):
                shutil.copytree(ROOT / part, folder / part)
            shell = Shell(folder)
            terminals = []
            try:
                for own, commands in blocks((ROOT / "docs" / "tutorial.md").read_text()):
                    for command, expected in commands:
                        if own:
                            terminals.append(Shell(folder))
                            terminals[-1].start("export PATH=$PWD/build/release/bin:$PATH")
                            terminals[-1].start("exec " + command)
                            shell.run("until distributo -q host list 2>/dev/null | grep -q dev-1 && "
                                      "distributo host list | grep -q 'echo.*text.syllables'; do sleep 0.1; done")
                            continue
                        actual = shell.run(command)
                        self.assertTrue(matches(expected, actual),
                                        "\n".join([f"$ {command}", "--- expected", *expected,
                                                   "--- actual", *actual]))
            finally:
                for one in [*terminals, shell]:
                    one.stop()


class MatchTest(unittest.TestCase):
    """The comparison itself can fail."""

    def test_placeholders(self):
        self.assertTrue(matches(["a … c", "…", "z"], ["a b c", "1", "2", "z"]))
        self.assertTrue(matches(["…"], []))
        self.assertFalse(matches(["a"], ["b"]))
        self.assertFalse(matches(["a"], ["a", "b"]))
        self.assertFalse(matches(["a … c"], ["a c d"]))


if __name__ == "__main__":
    if "DISTRIBUTO_OWN_NETWORK" not in os.environ:
        os.environ["DISTRIBUTO_OWN_NETWORK"] = "1"
        user = [] if os.getuid() == 0 else ["--map-root-user"]
        os.execvp("unshare", ["unshare", "--net", *user, "sh", "-c",
                              'ip link set lo up && exec "$@"', "sh", sys.executable, __file__,
                              str(BUILD), *sys.argv[1:]])
    unittest.main()
