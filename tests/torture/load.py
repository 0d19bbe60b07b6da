"""Who gives the coordinator work and who takes note of the results, over all its restarts."""
import http.client
import json
import random
import threading
import time


class Client(threading.Thread):
    """Talks to the coordinator on a thread of its own, until it is told to stop."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.connection = None
        self.stopping = threading.Event()
        self.refused = None  # an answer that a retry would not change

    def ask(self, method, path, body=None, key=None):
        """The decoded answer; None when there was none, or the coordinator could not serve now."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*self.address, timeout=5)
            headers = {"Content-Type": "application/json"} if body else {}
            if key:
                headers["Idempotency-Key"] = key
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.forget()
            return None
        if answer.status in (429, 503):
            return None
        if answer.status != 200:
            self.refused = f"{method} {path}: {answer.status} {content[:500]}"
            self.stopping.set()
            return None
        return json.loads(content)

    def forget(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def finish(self):
        self.stopping.set()
        self.join()
        self.forget()


class Producer(Client):
    """Submits batches of tasks, each again until it is acknowledged. Every second batch has ids of its own;
    the others are recognised by their Idempotency-Key, and get their ids from the coordinator."""

    def __init__(self, number, address, seed, rate, acknowledged, execution_ledger, consumer):
        super().__init__(address)
        self.random = random.Random(f"{seed}-{number}")
        self.number, self.rate = number, rate
        self.acknowledged, self.consumer = acknowledged, consumer
        self.execution_ledger = str(execution_ledger)
        self.made = self.batches = self.repeats = 0

    def run(self):
        while not self.stopping.is_set():
            if len(self.acknowledged.ids) - len(self.consumer.seen) > 20 * self.rate:
                self.stopping.wait(0.1)
                continue
            count = self.random.randint(1, 40)
            self.batches += 1
            self.submit([self.task(named=self.batches % 2) for _ in range(count)])
            self.stopping.wait(self.random.uniform(0, 2 * count / self.rate))

    def task(self, named):
        self.made += 1
        ms = self.random.choice([0] * 8 + [self.random.randint(1, 300), self.random.randint(300, 2500)])
        task = {"type": "torture.write", "payload": {"ledger": self.execution_ledger, "ms": ms}}
        return {"id": f"p{self.number}-{self.made}", **task} if named else task

    def submit(self, tasks):
        body = json.dumps(tasks)
        key = None if "id" in tasks[0] else f"p{self.number}-batch-{self.batches}"
        # A batch that was begun is brought to its end, also when the producer is to stop.
        while self.refused is None:
            answer = self.ask("POST", "/v1/tasks:batch", body, key)
            if answer is not None:
                ids = [entry.get("id") for entry in answer["results"]]
                if answer["rejected"] or any(
                        task.get("id", one) != one for task, one in zip(tasks, ids, strict=True)):
                    self.refused = f"a batch was not accepted: {answer}"
                    return
                self.acknowledged.add(ids)
                return
            self.repeats += 1
            time.sleep(0.05)


class Consumer(Client):
    """Follows the results by their cursor."""

    def __init__(self, address):
        super().__init__(address)
        self.seen = []

    def run(self):
        while not self.stopping.is_set():
            if not self.read_page():
                self.stopping.wait(0.05)

    def read_page(self):
        cursor = f"cursor={self.seen[-1]['seq']}&" if self.seen else ""
        page = self.ask("GET", f"/v1/results?{cursor}limit=1000&wait=200ms")
        self.seen.extend(page["items"] if page else [])
        return page is not None
