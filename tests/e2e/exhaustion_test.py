"""A disk that is full, a disk that fails, no descriptors left: what the real coordinator does then."""
import http.client
import unittest

from harness import BUILD, EndToEnd, eventually

STORAGE = 74
DESCRIPTORS = 64


class ExhaustionTest(EndToEnd):
    def setUp(self):
        self.folder = self.kept_folder()
        self.disk = self.folder / "disk"

    def start(self, prefix=()):
        environment = ("env", f"LD_PRELOAD={BUILD}/tests/failing_disk.so", f"DTO_DISK={self.disk}",
                       f"DTO_RESERVE={self.folder}/data/reserve")
        return self.coordinator(folder=str(self.folder), memory=False, prefix=(*prefix, *environment))

    def test_a_full_disk_refuses_submits_and_records_results(self):
        coordinator = self.start()
        self.host(coordinator)
        running = coordinator.submit("test.sleep", {"ms": 1500})
        eventually("it runs", lambda: coordinator.task(running)["state"] == "running")
        self.disk.write_text("full")

        status, problem = coordinator.request("POST", "/v1/tasks", {"type": "test.echo", "payload": 1})
        self.assertEqual((status, problem["code"]), (507, "disk_full"))
        self.assertEqual(coordinator.ended(running)["state"], "completed")
        status, problem = coordinator.request("GET", "/readyz")
        self.assertEqual((status, problem["code"]), (503, "disk_full"))

        self.disk.write_text("well")
        eventually("it is ready again", lambda: coordinator.request("GET", "/readyz")[0] == 200)
        self.assertEqual(coordinator.ended(coordinator.submit("test.echo", 2))["result"], 2)
        coordinator.stop()
        again = self.start()
        self.assertEqual(again.task(running)["state"], "completed")

    def test_a_disk_that_cannot_sync_ends_the_coordinator(self):
        coordinator = self.start()
        kept = coordinator.submit("nobody.offers")
        self.disk.write_text("broken")

        status, _ = coordinator.request("POST", "/v1/tasks", {"type": "nobody.offers", "payload": 1})
        self.assertEqual(status, 503)
        self.assertEqual(coordinator.process.wait(30), STORAGE, coordinator.output())

        self.disk.write_text("well")
        again = self.start()
        self.assertEqual(again.task(kept)["state"], "pending")

    def test_without_descriptors_only_new_connections_suffer(self):
        coordinator = self.start(prefix=("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"))
        self.host(coordinator)
        kept = http.client.HTTPConnection("127.0.0.1", coordinator.http_port, timeout=30)
        self.ask(kept, "GET", "/healthz")
        held = []
        for _ in range(DESCRIPTORS):
            connection = http.client.HTTPConnection("127.0.0.1", coordinator.http_port, timeout=30)
            self.addCleanup(connection.close)
            connection.connect()
            held.append(connection)

        large = '"' + "x" * 200_000 + '"'
        body = f'{{"type":"test.echo","payload":{large},"id":"large"}}'
        self.assertEqual(self.ask(kept, "POST", "/v1/tasks", body), 201)
        self.assertEqual(self.ask(kept, "GET", "/v1/tasks/large/result?wait=20s"), 200)
        for connection in held:
            connection.close()
        kept.close()
        self.assertEqual(coordinator.task("large")["state"], "completed")

    def ask(self, connection, method, path, body=None):
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status


if __name__ == "__main__":
    unittest.main()
