"""What the C++ layer has beside plain functions, in a plugin that a real host runs."""
import hashlib
import sys
import unittest

from harness import EndToEnd, TEST_PLUGINS, eventually

LAYER = TEST_PLUGINS / "layer"


class Layer(EndToEnd):
    def setUp(self):
        super().setUp()
        self.server = self.coordinator()
        self.worker = self.host(self.server, "--slots", 1, wait_for="layer.square", plugins=LAYER)

    def submit_all(self, kind, payloads, **members):
        status, answer = self.server.request(
            "POST", "/v1/tasks:batch",
            [{"type": kind, "payload": payload, **members} for payload in payloads])
        self.assertEqual(status, 200, answer)
        return [item["id"] for item in answer["results"]]

    def ended_all(self, identities):
        return [self.server.ended(identity) for identity in identities]


class Batches(Layer):
    def test_items_of_a_batch_end_on_their_own(self):
        ids = self.submit_all("layer.square", [
            {"n": 1}, {"n": 2, "way": "bad"}, {"n": 3}, {"n": 4, "way": "leave"}, {"n": 5}],
            max_attempts=1)
        tasks = self.ended_all(ids)
        for index, n in ((0, 1), (2, 3), (4, 5)):
            self.assertEqual(tasks[index]["result"], {"n": n * n, "together": 5})
        self.assertEqual([tasks[1]["state"], tasks[1]["reason"]], ["failed", "permanent"])
        self.assertIn("a bad one", tasks[1]["error"])
        self.assertEqual([tasks[3]["state"], tasks[3]["reason"]], ["failed", "attempts_exhausted"])
        self.assertIn("undecided", tasks[3]["error"])


class Later(Layer):
    def test_many_wait_on_one_thread(self):
        gate = self.worker.folder / "gate"
        ids = self.submit_all("layer.wait", [{"file": str(gate)}] * 300)
        eventually("all of them run", lambda: self.server.task(ids[-1])["state"] == "running")
        gate.touch()
        for identity, task in zip(ids, self.ended_all(ids)):
            self.assertEqual(task["result"], identity)

    def test_one_of_them_is_cancelled(self):
        first, second = self.submit_all(
            "layer.wait", [{"file": str(self.worker.folder / "gate")}] * 2)
        eventually("they run", lambda: self.server.task(second)["state"] == "running")
        self.server.request("POST", f"/v1/tasks/{first}/cancel")
        self.assertEqual(self.server.ended(first)["state"], "cancelled")
        (self.worker.folder / "gate").touch()
        self.assertEqual(self.server.ended(second)["state"], "completed")

    def test_a_dropped_one_says_so_and_a_thrown_reason_is_kept(self):
        dropped, thrown = self.ended_all(
            self.submit_all("layer.wait", [{"way": "drop"}, {"way": "throw"}], max_attempts=1))
        self.assertIn("its AsyncTask was destroyed without a result", dropped["error"])
        self.assertEqual([thrown["reason"], thrown["error"]], ["permanent", "as asked"])


class Services(Layer):
    def test_follow_up_tasks(self):
        for _ in range(2):  # the keys make the second time harmless
            self.server.ended(self.server.submit("layer.follow", {"numbers": [2, 3]}))
        eventually("both have run", lambda: self.squares() == [4, 9])
        page = self.server.request("GET", "/v1/tasks?type=layer.square")[1]
        self.assertEqual(len(page["items"]), 2)

    def squares(self):
        page = self.server.request("GET", "/v1/results?type=layer.square")[1]
        return sorted(item["result"]["n"] for item in page["items"])

    def test_typed_values_in_the_cache(self):
        first = self.server.ended(
            self.server.submit("layer.cache", {"key": "k", "value": {"n": 7}}))
        self.assertEqual([first["state"], first["result"]], ["completed", None])
        second = self.server.ended(
            self.server.submit("layer.cache", {"key": "k", "value": {"n": 8}}))
        self.assertEqual(second["result"], {"n": 7})

    def test_artifacts_by_streams_and_files(self):
        task = self.server.ended(self.server.submit("layer.copy"))
        self.assertEqual(task["state"], "completed", task)
        self.assertEqual(task["result"]["text"], "one two three")
        self.assertEqual(task["result"]["digest"], hashlib.sha256(b"one two three").hexdigest())

    def test_the_probe_withdraws_and_its_attributes_are_shown(self):
        [entry] = [entry for entry in self.server.hosts()[0]["types"]
                   if entry["type"] == "layer.copy"]
        self.assertEqual(entry["attributes"], {"lens": "wide"})
        self.server.ended(self.server.submit("layer.health", {"able": False}))
        eventually("its types are withdrawn", lambda: "layer.copy" not in self.server.offered())
        [refused] = [entry["reason"] for host in self.server.hosts() for entry in host["refused"]]
        self.assertIn("no lens", refused)

    def test_an_artifact_that_is_not_there_is_named(self):
        task = self.server.ended(self.server.submit("layer.copy", {"of": "nothing"}))
        self.assertEqual([task["reason"], task["error"]],
                         ["permanent", "cannot open artifact in/nothing"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
