"""What a coordinator with a store on disk keeps, and when it refuses to start."""
import signal
import subprocess
import unittest

import harness
from harness import BIN, EndToEnd, eventually

IN_USE = 73
STORAGE = 74


class StoreTest(EndToEnd):
    def setUp(self):
        self.folder = self.kept_folder()

    def start(self, arguments=(), **options):
        return self.coordinator(*arguments, folder=self.folder, memory=False, **options)

    def refused(self, code):
        done = subprocess.run([BIN / "distributo-coordinator", "--no-discovery", "--port", "0",
                               "--http-port", "0", "--data-dir", f"{self.folder}/data"],
                              text=True, capture_output=True, timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("hint: ", done.stderr)
        return done.stderr

    def test_a_killed_coordinator_knows_its_tasks_when_it_is_back(self):
        first = self.start()
        self.host(first)
        done = first.submit("test.echo", {"n": 1})
        self.assertEqual(first.ended(done)["state"], "completed")
        waiting = [first.submit("nobody.offers", {"n": n}, id=f"w{n}") for n in range(20)]
        identity = first.request("GET", "/v1/status")[1]["coordinator_id"]
        first.stop(signal.SIGKILL)

        second = self.start(port=first.port)
        self.assertEqual(second.request("GET", "/v1/status")[1]["coordinator_id"], identity)
        self.assertEqual(second.task(done)["result"], {"n": 1})
        for n, task in enumerate(waiting):
            self.assertEqual(second.task(task)["state"], "pending")
            self.assertEqual(second.task(task)["payload"], {"n": n})
        eventually("the host is back", lambda: "test.echo" in second.offered())
        self.assertEqual(second.ended(second.submit("test.echo", {"n": 2}))["result"], {"n": 2})

    def test_what_ended_is_forgotten_in_time(self):
        coordinator = self.start()
        self.host(coordinator)
        done = coordinator.submit("test.echo", {"n": 1})
        coordinator.ended(done)
        waiting = coordinator.submit("nobody.offers")
        coordinator.stop()

        coordinator = self.start(arguments=("--keep-completed", "0"))
        eventually("it is forgotten", lambda: coordinator.request("GET", f"/v1/tasks/{done}")[0] == 404)
        self.assertEqual(coordinator.task(waiting)["state"], "pending")

    def test_two_coordinators_do_not_share_a_folder(self):
        first = self.start()
        self.assertIn(str(first.process.pid), self.refused(IN_USE))
        self.assertEqual(first.stop(), 0)

        self.assertTrue(self.start().answers(), "the lock went with the process")

    def test_a_damaged_store_is_named(self):
        self.start().stop()
        with open(f"{self.folder}/data/store.db", "r+b") as file:
            file.write(b"damage" * 100)
        self.assertIn(f"{self.folder}/data/store.db", self.refused(STORAGE))


if __name__ == "__main__":
    unittest.main()
