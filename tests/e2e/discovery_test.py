#!/usr/bin/python3
"""Discovery across two machines, against ourselves and against python-zeroconf, both directions."""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.namespaces import ADDRESSES, Network  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
TOOL = BUILD / "tests" / "discovery_tool"
TYPE = "_dtotest._tcp"
PEER = pathlib.Path(__file__).with_name("zeroconf_peer.py")


class Lines:
    """A process whose lines are waited for."""

    def __init__(self, network, side, command, stderr=False):
        self.process = network.popen(side, command, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT if stderr else None)

    def expect(self, wanted):
        """Reads up to the line that starts with `wanted`; an end of output is a failure."""
        for line in self.process.stdout:
            if line.startswith(wanted):
                return line.strip()
        raise AssertionError(f"the process ended without a line '{wanted}…'")

    def expect_part(self, wanted):
        """Reads up to a line that contains `wanted`."""
        for line in self.process.stdout:
            if wanted in line:
                return line.strip()
        raise AssertionError(f"the process ended without a line with '{wanted}'")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        self.process.stdout.close()


class TwoMachines(unittest.TestCase):
    def setUp(self):
        self.network = Network()
        self.network.__enter__()
        self.running = []

    def tearDown(self):
        for lines in self.running:
            if lines.process.poll() is None:
                lines.stop(signal.SIGKILL)
        self.network.__exit__()

    def start(self, side, *command):
        lines = Lines(self.network, side, command)
        self.running.append(lines)
        return lines


class DiscoveryTest(TwoMachines):
    def test_a_browser_elsewhere_sees_start_and_goodbye(self):
        browser = self.start("b", TOOL, "browse", TYPE)
        service = self.start("a", TOOL, "advertise", TYPE, "Lab", 4000)
        found = browser.expect("found Lab")
        self.assertEqual(found, f"found Lab {ADDRESSES['a']} 4000 http=5000 v=1")
        service.stop()
        browser.expect("lost Lab")

    def test_a_killed_service_expires(self):
        browser = self.start("b", TOOL, "browse", TYPE)
        service = self.start("a", TOOL, "advertise", TYPE, "Lab", 4000, "", 3)
        browser.expect("found Lab")
        begin = time.monotonic()
        service.stop(signal.SIGKILL)
        browser.expect("lost Lab")
        self.assertGreater(time.monotonic() - begin, 1, "nobody said goodbye, so it has to expire")

    def test_two_with_one_name_are_both_found(self):
        browser = self.start("b", TOOL, "browse", TYPE)
        self.start("a", TOOL, "advertise", TYPE, "Lab", 4001)
        browser.expect("found Lab ")
        self.start("a", TOOL, "advertise", TYPE, "Lab", 4002)
        self.assertIn(" 4002 ", browser.expect("found Lab (2)"))

    def test_other_types_are_ignored(self):
        browser = self.start("b", TOOL, "browse", TYPE)
        self.start("a", TOOL, "advertise", "_other._tcp", "Wrong", 4000)
        self.start("a", TOOL, "advertise", TYPE, "Right", 4001)
        first = browser.process.stdout.readline()
        self.assertTrue(first.startswith("found Right"), first)

    def test_a_loopback_service_stays_on_its_machine(self):
        near = self.start("a", TOOL, "browse", TYPE)
        far = self.start("b", TOOL, "browse", TYPE)
        self.start("a", TOOL, "advertise", TYPE, "Near", 4000, "127.0.0.1")
        self.assertIn("127.0.0.1 4000", near.expect("found Near"))
        self.start("a", TOOL, "advertise", TYPE, "Far", 4001, ADDRESSES["a"])
        first = far.process.stdout.readline()
        self.assertTrue(first.startswith("found Far"), first)

    def test_zeroconf_sees_us_come_and_go(self):
        peer = self.start("b", "/usr/bin/python3", PEER, "browse", TYPE)
        peer.expect("ready")
        service = self.start("a", TOOL, "advertise", TYPE, "Lab", 4000)
        self.assertEqual(peer.expect("found Lab"),
                         f"found Lab {ADDRESSES['a']} 4000 http=5000 v=1")
        service.stop()
        peer.expect("lost Lab")

    def test_we_see_zeroconf_come_and_go(self):
        browser = self.start("a", TOOL, "browse", TYPE)
        peer = self.start("b", "/usr/bin/python3", PEER, "advertise", TYPE, "Zero", "7000",
                          ADDRESSES["b"])
        self.assertEqual(browser.expect("found Zero"), f"found Zero {ADDRESSES['b']} 7000 k=v")
        peer.stop()
        browser.expect("lost Zero")


class ProgramsTest(TwoMachines):
    """The coordinator and the host themselves, told nothing but a service type."""

    def daemon(self, side, program, *arguments):
        folder = tempfile.TemporaryDirectory(prefix="dto-")
        self.addCleanup(folder.cleanup)
        lines = Lines(self.network, side, [BUILD / "bin" / program, "--service-type", "dtotest",
                                           "--data-dir", folder.name, *arguments], stderr=True)
        self.running.append(lines)
        return lines

    def coordinator(self, side):
        lines = self.daemon(side, "distributo-coordinator", "--memory", "--listen", ADDRESSES[side],
                            "--port", "0", "--http-port", "0")
        lines.expect_part("discovery.announced")
        return lines

    def test_a_host_finds_its_coordinator_and_the_next_one(self):
        first = self.coordinator("a")
        host = self.daemon("b", "distributo-host", "--plugin-dir", BUILD / "plugins")
        host.expect_part("coordinator.joined")
        first.stop()
        self.coordinator("a")
        host.expect_part("coordinator.joined")

    def test_two_coordinators_at_once_have_two_names(self):
        browser = self.start("b", TOOL, "browse", "_dtotest._tcp")
        self.coordinator("a")
        one = browser.expect("found")
        self.coordinator("a")
        other = browser.expect("found")
        self.assertNotEqual(one.split(ADDRESSES["a"])[0], other.split(ADDRESSES["a"])[0])


if __name__ == "__main__":
    unittest.main()
