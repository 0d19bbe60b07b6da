"""What a running task gets from its host: batches, calls that are completed later, follow-up
tasks, health, what was installed before, values that plugins share."""
import signal
import sys
import unittest

from harness import EndToEnd, TEST_PLUGINS, eventually

SERVICES = TEST_PLUGINS / "services"


class Batches(EndToEnd):
    def submit_batch(self, coordinator, payloads):
        status, answer = coordinator.request(
            "POST", "/v1/tasks:batch",
            [{"type": "test.batch", "payload": payload} for payload in payloads])
        self.assertEqual(status, 200, answer)
        return [item["id"] for item in answer["results"]]

    def test_twelve_tasks_arrive_as_five_five_two(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.batch", plugins=SERVICES)
        tasks = [coordinator.ended(task) for task in self.submit_batch(coordinator, ["{}"] * 12)]
        sizes = sorted(task["result"] for task in tasks)
        self.assertEqual(sizes, [2] * 2 + [5] * 10)

    def test_a_bad_task_fails_alone(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.batch", plugins=SERVICES)
        ids = self.submit_batch(coordinator, ["a", "b", "bad", "c", "d"])
        states = [coordinator.ended(task)["state"] for task in ids]
        self.assertEqual(states, ["completed", "completed", "failed", "completed", "completed"])

    def test_a_crash_in_a_batch_charges_only_the_guilty_one(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.batch", plugins=SERVICES)
        ids = self.submit_batch(coordinator, ["a", "b", "crash", "c", "d"])
        tasks = [coordinator.ended(task) for task in ids]
        self.assertEqual([task["state"] for task in tasks],
                         ["completed", "completed", "failed", "completed", "completed"])
        self.assertEqual(tasks[2]["reason"], "poison")
        for task in tasks[:2] + tasks[3:]:
            self.assertEqual(task["result"], 1, "each of them ran again, alone")
            self.assertEqual(task["attempts"], 1)

    def test_a_host_that_is_killed_in_a_batch_loses_nothing(self):
        coordinator = self.coordinator()
        host = self.host(coordinator, "--slots", 1, "--name", "first", wait_for="test.batch",
                         plugins=SERVICES)
        gate = host.folder / "gate"
        ids = self.submit_batch(coordinator, [f"until:{gate}"] * 7)
        eventually("a batch runs", lambda: [
            line for task in ids for line in
            coordinator.request("GET", f"/v1/tasks/{task}/logs?format=json")[1]["items"]])
        host.stop(signal.SIGKILL)
        gate.touch()
        self.host(coordinator, "--slots", 1, "--name", "second", wait_for="test.batch",
                  plugins=SERVICES)
        for task in ids:
            self.assertEqual(coordinator.ended(task)["state"], "completed")


class Pending(EndToEnd):
    def test_pending_tasks_do_not_occupy_the_host(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.batch", plugins=SERVICES)
        status, answer = coordinator.request(
            "POST", "/v1/tasks:batch", [{"type": "test.later", "payload": {}}] * 1000)
        self.assertEqual(status, 200)
        ids = [item["id"] for item in answer["results"]]
        eventually("all of them run", lambda: coordinator.task(ids[-1])["state"] == "running")
        released = 0
        while released < 1000:
            released += coordinator.ended(coordinator.submit("test.release"))["result"]
        for task in ids:
            self.assertEqual(coordinator.ended(task)["result"], "done")

    def test_a_pending_task_can_be_cancelled(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.batch", plugins=SERVICES)
        task = coordinator.submit("test.later", "tell")
        eventually("it runs", lambda: coordinator.task(task)["state"] == "running")
        coordinator.request("POST", f"/v1/tasks/{task}/cancel")
        self.assertEqual(coordinator.ended(task)["state"], "cancelled")


class FollowUps(EndToEnd):
    def listed(self, coordinator, kind):
        return coordinator.request("GET", f"/v1/tasks?type={kind}")[1]["items"]

    def nodes(self, coordinator):
        page = coordinator.request("GET", "/v1/results?type=test.tree&limit=1000")[1]
        return [item["result"] for item in page["items"]]

    def test_a_tree_of_tasks_has_each_node_once(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 2, wait_for="test.tree", plugins=SERVICES)
        wanted = {"root"}
        for _ in range(4):
            wanted |= {f"{name}.{i}" for name in wanted for i in range(3)}
        for _ in range(2):  # the second root emits what is there already
            coordinator.submit("test.tree", {"name": "root", "depth": 4, "width": 3})
        eventually("every node has run", lambda: len(set(self.nodes(coordinator))) == len(wanted))
        eventually("nothing is left to do", lambda: coordinator.request(
            "GET", "/v1/tasks?state=pending,running")[1]["items"] == [])
        names = self.nodes(coordinator)
        self.assertEqual(set(names), wanted)
        self.assertEqual(len(names), len(wanted) + 1, "all but the root exactly once")

    def test_a_task_that_fails_emits_nothing(self):
        coordinator = self.coordinator()
        self.host(coordinator, wait_for="test.tree", plugins=SERVICES)
        task = coordinator.submit("test.emit", {"type": "other", "payload": 1, "times": 3,
                                                "fail": True})
        self.assertEqual(coordinator.ended(task)["state"], "failed")
        self.assertEqual(coordinator.request("GET", "/v1/tasks?type=other")[1]["items"], [])

    def test_an_unknown_type_waits_and_a_bad_payload_is_recorded_as_failed(self):
        coordinator = self.coordinator()
        self.host(coordinator, wait_for="test.tree", plugins=SERVICES)
        for kind in ("nobody.offers.it", "test.tree"):
            task = coordinator.submit("test.emit", {"type": kind, "payload": {"depth": "x"},
                                                    "times": 1, "fail": False})
            self.assertEqual(coordinator.ended(task)["state"], "completed")
        [waiting] = eventually("it is stored", lambda: self.listed(coordinator, "nobody.offers.it"))
        self.assertEqual(waiting["state"], "pending")
        [failed] = eventually("it is stored", lambda: self.listed(coordinator, "test.tree"))
        self.assertEqual(failed["state"], "failed")
        self.assertIn("follow-up task: payload", coordinator.task(failed["id"])["error"])


class Health(EndToEnd):
    def refused(self, coordinator):
        return [entry["reason"] for host in coordinator.hosts() for entry in host["refused"]]

    def test_an_unhealthy_plugin_is_withdrawn_and_comes_back(self):
        coordinator = self.coordinator()
        host = self.host(coordinator, wait_for="test.batch", plugins=SERVICES)
        [entry] = [entry for entry in coordinator.hosts()[0]["types"]
                   if entry["type"] == "test.batch"]
        self.assertEqual(entry["attributes"], {"camera": "front"})

        coordinator.ended(coordinator.submit("test.health", "no lens"))
        eventually("its types are withdrawn", lambda: "test.batch" not in coordinator.offered())
        self.assertEqual(self.refused(coordinator), ["not healthy: no lens"])
        self.assertIn("test.tree", coordinator.offered(), "the other plugin goes on")
        waiting = coordinator.submit("test.batch", {})

        [sick] = host.folder.glob("data/**/sick")
        sick.unlink()
        self.assertEqual(coordinator.ended(waiting)["state"], "completed")
        self.assertEqual(self.refused(coordinator), [])


class Verify(EndToEnd):
    def test_an_install_of_an_earlier_run_is_verified_and_made_anew(self):
        coordinator = self.coordinator()
        host = self.host(coordinator, wait_for="test.kept", plugins=SERVICES)
        first = coordinator.ended(coordinator.submit("test.kept", {}))
        self.assertEqual(first["result"], "good")
        [state] = host.folder.glob("data/**/state")
        host.stop()
        state.chmod(0o644)
        state.write_text("rotten")

        self.host(coordinator, wait_for="test.kept", plugins=SERVICES, folder=host.folder)
        again = coordinator.ended(coordinator.submit("test.kept", {}))
        self.assertEqual(again["result"], "good")


class SharedCache(EndToEnd):
    def test_later_tasks_find_what_earlier_ones_put(self):
        coordinator = self.coordinator()
        self.host(coordinator, "--slots", 1, wait_for="test.cache", plugins=SERVICES)
        put = coordinator.ended(coordinator.submit("test.cache", {"key": "k", "value": "kept"}))
        self.assertEqual(put["result"], "kept")
        got = coordinator.ended(coordinator.submit("test.cache", {"key": "k"}))
        self.assertEqual(got["result"], "kept")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
