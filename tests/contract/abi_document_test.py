#!/usr/bin/python3
"""docs/abi.md says what abi.h says, and what the tests hold the host to.

    abi_document_test.py <root of the sources>
"""
import pathlib
import re
import sys
import unittest

import abi_header
import abi_reference

ROOT = pathlib.Path(sys.argv.pop(1))
HEADER = abi_header.parse(ROOT / "sdk/include/distributo/abi.h")
BY_HAND, _, GENERATED = (ROOT / "docs/abi.md").read_text().partition(abi_reference.MARKER)


class DocumentTest(unittest.TestCase):
    maxDiff = 2000

    def test_the_reference_is_up_to_date(self):
        self.assertEqual(GENERATED.strip(), abi_reference.text(HEADER).strip(),
                         "run tests/contract/abi_reference.py abi.h docs/abi.md")

    def test_every_function_and_constant_is_in_the_reference(self):
        for struct in HEADER.structs:
            self.assertIn(f"### {struct.name}\n", GENERATED)
            for member in struct.members:
                self.assertRegex(GENERATED, rf"\| `{member.name}` \|")
                if isinstance(member.type, abi_header.Function):
                    self.assertRegex(GENERATED, rf"\n- `{member.name}`: \w")

    def test_every_tag_of_the_header_is_explained(self):
        tags = re.findall(r"^  \[([a-z-]+)\] ", HEADER.intro, re.M)
        self.assertGreater(len(tags), 8)
        self.assertEqual(re.findall(r"^\| \[([a-z-]+)\] \|", BY_HAND, re.M), tags)

    def test_what_holds_the_host_to_it_exists(self):
        plugins = (ROOT / "tests/support/plugins/CMakeLists.txt").read_text()
        names = set(re.findall(r"\btest_\w+\b", BY_HAND))
        self.assertGreater(len(names), 10)
        for name in names:
            known = re.search(rf"\b{name}\b", plugins)
            self.assertTrue(known, f"{name} is no plugin of the tests")
        for path in re.findall(r"`((?:tests|templates)/[\w./-]+)`", BY_HAND):
            self.assertTrue((ROOT / path.replace("1.N", "1.0")).exists(), path)

    def test_quoted_refusals_are_what_a_host_says(self):
        seen = (ROOT / "tests/e2e/ages_test.py").read_text()
        quotes = re.findall(r"refused: \"([^\"]+)\"", BY_HAND)
        self.assertEqual(len(quotes), 5)
        for quote in quotes:
            self.assertIn(f'"{quote.removesuffix(" …")}"', seen)


if __name__ == "__main__":
    unittest.main()
