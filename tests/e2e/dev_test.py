"""`distributo dev`: two daemons in one terminal, which end with it."""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BIN, BUILD, PATIENCE, eventually


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def lives(pid):
    """A process that waits to be reaped has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class DevTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dto-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "plugins").mkdir()

    def dev(self, *arguments):
        process = subprocess.Popen(
            [BIN / "distributo", "dev", "--port", "0", "--http-port", "0", "--plugin-dir",
             self.folder / "plugins", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_takes_its_daemons_along_when_it_is_asked_to_end(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(how.name):
                process = self.dev()
                daemons = eventually("both run", lambda: len(children(process.pid)) == 2
                                     and children(process.pid))
                eventually("the host has joined",
                           lambda: "coordinator.joined" in process.stderr.readline())
                process.send_signal(how)
                process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, 0)
                self.assertEqual([pid for pid in daemons if lives(pid)], [])

    def test_gives_both_a_configuration(self):
        config = self.folder / "host.toml"
        config.write_text("[plugin.render]\nmemroy = \"1GiB\"\n")
        _, errors = self.dev("--config", config).communicate(timeout=PATIENCE)
        self.assertIn("host.toml:2", errors)
        self.assertIn("memroy", errors)

    def test_gives_its_coordinator_plugins_and_the_configuration(self):
        shutil.copy(BUILD / "plugins" / "jsonl.so", self.folder / "plugins")
        config = self.folder / "dev.toml"
        config.write_text('[[sink]]\nname = "out"\nplugin = "jsonl"\nconfig = { path = "o.jsonl" }\n')
        process = self.dev("--config", config)
        eventually("the sink is open", lambda: "extension.open" in process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
