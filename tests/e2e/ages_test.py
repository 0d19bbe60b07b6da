#!/usr/bin/python3
"""Plugins of the past and of the future on this host: each runs, or `host list` says why not."""
import platform
import re
import unittest

import harness
from harness import TEST_PLUGINS, EndToEnd, eventually

GOLDEN = sorted((harness.ROOT / "tests" / "contract" / "golden").glob("[0-9]*"))
REFUSED = {
    "test_next_major.so": "needs ABI 2, this host has ABI 1",
    "test_must_understand.so": "has flag bit 30, which a host must understand",
    "test_type_flag.so": "task type test.odd has flag bit 31",
    "test_needs_member.so": "needs host.teleport, which this host does not have",
    "test_needs_service.so": "needs distributo.teleport/1, which this host does not have",
    "test_null_required.so": "its required is a null pointer",
    "test_small_module.so": "its dto_module has struct_size 8, expected at least 112",
    "test_large_api.so": "its dto_task_api has struct_size 1073741824",
    "test_empty_type.so": "number 0 has struct_size 0",
    "test_null_type.so": "number 0 is a null pointer",
    "test_null_get_interface.so": "offers no task types",
    "test_no_interface.so": "offers no task types",
    "test_no_entry.so": "is not a Distributo plugin",
    "test_text.so": "is text, not a shared library",
}


class AgesTest(EndToEnd):
    def on_host(self, isolation, *folders):
        coordinator = self.coordinator()
        more = [option for folder in folders for option in ("--plugin-dir", folder)]
        self.host(coordinator, "--isolation", isolation, *more, plugins=TEST_PLUGINS / "ages",
                  wait_for="test.past")
        return coordinator

    def answers(self, coordinator, kind, payload):
        task = coordinator.ended(coordinator.submit(kind, payload))
        self.assertEqual((task["state"], task.get("result")), ("completed", payload), task)

    def test_what_is_refused_has_its_reason_in_the_list_of_hosts(self):
        coordinator = self.on_host("process", TEST_PLUGINS / "broken")
        eventually("all are refused", lambda: {entry["file"] for entry in coordinator.hosts()[0]["refused"]}
                   >= set(REFUSED))
        listing = self.cli(coordinator, "host", "list")
        for file, reason in REFUSED.items():
            self.assertRegex(listing, rf"refused on \S+: {re.escape(file)}: .*{re.escape(reason)}")
        self.answers(coordinator, "test.past", {})

    def test_other_minor_versions_run(self):
        for isolation in ("process", "inproc"):
            coordinator = self.on_host(isolation, TEST_PLUGINS / "good")
            for kind in ("test.past", "test.odd", "test.both_majors", "test.future"):
                eventually(f"{kind} is offered", lambda k=kind: k in coordinator.offered())
                self.answers(coordinator, kind, {})

    def test_golden_binaries_run(self):
        self.assertGreaterEqual(len(GOLDEN), 1)
        for isolation in ("process", "inproc"):
            coordinator = self.on_host(isolation, *GOLDEN)
            for folder in GOLDEN:
                for language in ("c", "cpp", "rs"):
                    if platform.machine() == "x86_64":
                        kind = f"golden.{language}.{folder.name}.echo"
                        eventually(f"{kind} is offered", lambda k=kind: k in coordinator.offered())
                        self.answers(coordinator, kind, {"n": 1, "mode": "fast", "list": [], "flags": {}})
                    else:
                        eventually("it is refused", lambda: re.search(
                            rf"golden_{language}\.so: .*is for x86-64",
                            self.cli(coordinator, "host", "list")))


if __name__ == "__main__":
    unittest.main()
