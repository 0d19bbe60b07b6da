#!/usr/bin/python3
"""abi.h says about every function what its caller and its author must know.

    abi_comments_test.py abi.h

On which thread, in which state, how long what it gives is valid, and what happens when somebody
does not keep to it: each said at the function itself, or for the whole table above it.
"""
import pathlib
import re
import sys
import tempfile
import unittest

import abi_header

HEADER = pathlib.Path(sys.argv.pop(1))
THREADS = ("loader", "exclusive", "concurrent", "any-thread")
STATES = ("pure", "in-entry", "created", "ready", "open", "in-call")
TAG = r"(?<!\w)\[([a-z-]+)\]"  # not calls[i]
LIFETIME = r"valid|lives|belongs|freed|as long as|R[123]\b|removed|is for the plugin to set"


def functions(header):
    """(name, Function, own comment, comment of its table)."""
    for struct in header.structs:
        for member in struct.members:
            if isinstance(member.type, abi_header.Function):
                yield f"{struct.name}.{member.name}", member.type, member.doc, struct.doc
    for alias in header.aliases:
        if isinstance(alias.type, abi_header.Function):
            yield alias.name, alias.type, alias.doc, ""


def hands_out(function):
    """Does it give a pointer to somebody who may ask how long that is good for?"""
    def gives(parameter):
        kind = parameter.type
        inner = kind.pointers[-1:] == (False,) and (len(kind.pointers) > 1 or kind.base in (
            "dto_str", "dto_bytes"))
        return inner

    result = function.result
    return bool(result.pointers) or any(gives(p) for p in function.parameters)


def complaints(header):
    for name, function, own, table in functions(header):
        tags = re.findall(TAG, own) or re.findall(TAG, table)
        if len([t for t in tags if t in THREADS]) != 1:
            yield f"{name}: expected one of {THREADS}, got {tags}"
        if len([t for t in tags if t in STATES]) != 1:
            yield f"{name}: expected one of {STATES}, got {tags}"
        if set(tags) - set(THREADS) - set(STATES):
            yield f"{name}: unknown tag in {tags}"
        if "Broken:" not in own + table:
            yield f"{name}: no word about what happens when the rules are broken"
        if hands_out(function) and not re.search(LIFETIME, own):
            yield f"{name}: gives a pointer and does not say how long it is valid"
        if len(re.sub(r"\[[a-z-]+\]|Since 1\.\d+\.|optional\.", "", own).split()) < 4:
            yield f"{name}: not described"


class CommentsTest(unittest.TestCase):
    header = abi_header.parse(HEADER)

    def test_every_function_says_thread_state_lifetime_and_consequence(self):
        self.assertGreater(len(list(functions(self.header))), 40)
        self.assertEqual(list(complaints(self.header)), [])

    def test_every_tag_is_explained_at_the_top(self):
        for tag in THREADS + STATES:
            self.assertRegex(self.header.intro, rf"\n  \[{tag}\]  +\w", tag)

    def test_every_declaration_is_described(self):
        for each in self.header.structs + self.header.aliases:
            self.assertTrue(each.doc, each.name)

    def test_half_of_the_header_is_documentation(self):
        lines = [line for line in HEADER.read_text().splitlines() if line.strip()]
        self.assertGreaterEqual(sum("//" in line for line in lines) / len(lines), 0.5)

    def test_a_missing_word_is_noticed(self):
        text = HEADER.read_text()
        for before, after, complaint in (
                ("// [exclusive] [ready] The last", "// [exclusive] The last", "teardown: expected"),
                ("// [any-thread] [ready] optional. Wake", "// optional. Wake", "cancel: expected"),
                ("valid until the call ends; DTO_END", "DTO_END", "get: gives a pointer"),
                ("    // Appends all of the bytes, or fails: then the stream can only be closed.\n", "",
                 "write: not described"),
        ):
            self.assertEqual(text.count(before), 1, before)
            with tempfile.NamedTemporaryFile("w", suffix=".h") as changed:
                changed.write(text.replace(before, after))
                changed.flush()
                found = list(complaints(abi_header.parse(changed.name)))
            self.assertTrue(any(complaint in each for each in found), f"{complaint}: {found}")


if __name__ == "__main__":
    unittest.main()
