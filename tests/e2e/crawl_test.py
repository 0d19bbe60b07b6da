#!/usr/bin/python3
"""Follow-up tasks: a web server and a tree of folders are crawled, each page and folder once, also
when the coordinator is killed in between."""
import collections
import http.server
import signal
import threading
import unittest

from harness import BUILD, PATIENCE, EndToEnd, eventually

PAGES = 60


def links(page):
    """A graph with cycles, in which each page is reached from 0 and most from several."""
    return {2 * page + 1, 2 * page + 2, page // 2, page * 7 % PAGES, page} & set(range(PAGES))


class Site:
    """A web server that counts, and holds back its answers while its gate is closed."""

    def __init__(self):
        self.fetched = collections.Counter()
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.closes_after = PAGES * 10
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, request):
        with self.lock:
            self.fetched[request.path] += 1
            hold = self.total() > self.closes_after
        if hold:
            self.gate.wait(PATIENCE)
        page = int(request.path.lstrip("/") or 0)
        anchors = "".join(f"<a href='/{to}'>" if to else "<a href='/'>" for to in links(page))
        body = f"<title>page {page}</title>{anchors}<a href='http://other.example/'>".encode()
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def total(self):
        return sum(self.fetched.values())

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class CrawlTest(EndToEnd):
    def setUp(self):
        self.folder = self.kept_folder()
        self.site = Site()
        self.addCleanup(self.site.close)

    def start(self, **options):
        return self.coordinator(folder=self.folder, memory=False, **options)

    def tasks(self, coordinator, group):
        return coordinator.request("GET", f"/v1/tasks?group={group}&limit=1000")[1]["items"]

    def ended(self, coordinator, group):
        """All tasks of a group, when none is left to do."""
        def question():
            tasks = self.tasks(coordinator, group)
            open_ones = [task for task in tasks if task["state"] not in ("completed", "failed")]
            return tasks if tasks and not open_ones else None
        return eventually(f"{group} is done", question)

    def results(self, coordinator, group):
        items = coordinator.request("GET", f"/v1/results?group={group}&limit=1000")[1]["items"]
        return [item["result"] for item in items]

    def crawl(self, coordinator, name, **members):
        return coordinator.submit("crawl.page", {"url": self.site.origin, "crawl": name, **members},
                                  group=name)

    def assert_each_once(self, coordinator, group):
        reports = self.results(coordinator, group)
        self.assertEqual(sorted(report["title"] for report in reports),
                         sorted(f"page {page}" for page in range(PAGES)))
        self.assertEqual({task["state"] for task in self.tasks(coordinator, group)}, {"completed"})
        self.assertEqual(len(self.tasks(coordinator, group)), PAGES)
        self.assertEqual(self.site.fetched,
                         {f"/{page or ''}": 1 for page in range(PAGES)})

    def test_each_page_once(self):
        coordinator = self.start()
        self.host(coordinator, plugins=BUILD / "plugins", wait_for="crawl.page")
        self.crawl(coordinator, "site")
        self.ended(coordinator, "site")
        self.assert_each_once(coordinator, "site")
        for report in self.results(coordinator, "site"):
            page = int(report["title"].split()[1])
            self.assertEqual(report["links"], len(links(page) - {page}), report)

    def test_limits(self):
        coordinator = self.start()
        self.host(coordinator, plugins=BUILD / "plugins", wait_for="crawl.page")
        self.crawl(coordinator, "shallow", max_depth=2)
        self.ended(coordinator, "shallow")
        depths = collections.Counter(r["depth"] for r in self.results(coordinator, "shallow"))
        self.assertEqual(depths, {0: 1, 1: 2, 2: len((links(1) | links(2)) - {0, 1, 2})})
        self.crawl(coordinator, "small", max_pages=10)
        self.assertLessEqual(len(self.ended(coordinator, "small")), 10)

    def test_each_page_has_one_task_over_a_killed_coordinator(self):
        self.site.closes_after = PAGES // 3
        first = self.start()
        port = first.port
        self.host(first, plugins=BUILD / "plugins", wait_for="crawl.page")
        self.crawl(first, "site")
        eventually("a third is fetched", lambda: self.site.total() > PAGES // 3)
        first.stop(signal.SIGKILL)
        self.site.gate.set()
        second = self.start(port=port)
        self.ended(second, "site")
        self.assert_each_once(second, "site")

        # Nobody has forgotten by now what was crawled under this name.
        second.stop(signal.SIGKILL)
        third = self.start(port=port)
        again = self.crawl(third, "site")
        self.assertEqual(third.ended(again)["state"], "completed")
        self.assertEqual(len(self.ended(third, "site")), PAGES + 1)
        self.assertEqual(self.site.total(), PAGES + 1)
        self.crawl(third, "anew")
        self.ended(third, "anew")
        self.assertEqual(self.site.total(), 2 * PAGES + 1)

    def test_each_folder_once(self):
        top = self.folder / "tree"
        files = 0
        for branch in range(30):
            leaf = top / f"a{branch % 3}" / f"b{branch % 5}" / f"c{branch}"
            leaf.mkdir(parents=True)
            for name in range(branch % 4):
                (leaf / str(name)).write_bytes(bytes(branch))
                files += 1
        (top / "loop").symlink_to(top)
        coordinator = self.start()
        self.host(coordinator, plugins=BUILD / "plugins", wait_for="crawl.folder")
        coordinator.submit("crawl.folder", {"path": str(top), "crawl": "tree"}, group="tree")
        self.ended(coordinator, "tree")
        reports = self.results(coordinator, "tree")
        folders = [top, *(path for path in top.rglob("*") if path.is_dir() and not path.is_symlink())]
        self.assertEqual(sorted(r["path"] for r in reports), sorted(map(str, folders)))
        self.assertEqual(sum(r["files"] for r in reports), files)
        self.assertEqual(sum(r["bytes"] for r in reports),
                         sum(branch * (branch % 4) for branch in range(30)))
        self.assertEqual(sum(r["others"] for r in reports), 1)


if __name__ == "__main__":
    unittest.main()
