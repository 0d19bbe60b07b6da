#!/usr/bin/python3
"""The module that scripts import, outside of a host: schemas, payloads, results, the context.

    python_api_test.py <folder of distributo.py>
"""
from __future__ import annotations

import dataclasses
import enum
import json
import math
import pathlib
import sys
import tempfile
import textwrap
import typing
import unittest

sys.path.insert(0, sys.argv.pop(1))
import distributo  # noqa: E402


class Mode(enum.Enum):
    FAST = "fast"
    EXACT = "exact"


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x is negative")


@dataclasses.dataclass
class Job:
    name: str
    mode: Mode = Mode.FAST
    points: list[Point] = dataclasses.field(default_factory=list)
    note: typing.Optional[str] = None
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    parent: typing.Optional[Job] = None


@distributo.task(timeout="2m", version="1.2.0")
def whole(job: Job) -> list[float]:
    """Takes a dataclass.

    More about it."""
    return [point.x for point in job.points]


@distributo.task
def members(count: int, factor: typing.Literal[1, 2] = 1, *, task: distributo.Task):
    return count * factor


@distributo.task(name="other.name", summary="Anything")
def anything(payload, task):
    return payload


@distributo.task
def open_ended(path: pathlib.Path, **more):
    return more


def kind(function):
    return distributo._Type(function, "stem", "1.0.0")


class TypeTest(unittest.TestCase):
    def test_a_type_is_named_after_script_and_function(self):
        described = kind(whole)
        self.assertEqual((described.name, described.version, described.summary, described.timeout_ms),
                         ("stem:whole", "1.2.0", "Takes a dataclass.", 120_000))
        described = kind(anything)
        self.assertEqual((described.name, described.version, described.summary, described.timeout_ms),
                         ("other.name", "1.0.0", "Anything", 0))

    def test_the_function_stays_what_it_is(self):
        self.assertEqual(members(3, 2, task=distributo.Task()), 6)

    def test_schemas_follow_the_annotations(self):
        self.assertEqual(json.loads(kind(members).payload_schema), {
            "type": "object",
            "properties": {"count": {"type": "integer"}, "factor": {"enum": [1, 2]}},
            "required": ["count"],
            "additionalProperties": False})
        point = {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                 "required": ["x"], "additionalProperties": False}
        self.assertEqual(json.loads(kind(whole).payload_schema)["properties"], {
            "name": {"type": "string"},
            "mode": {"enum": ["fast", "exact"]},
            "points": {"type": "array", "items": point},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "weights": {"type": "object", "additionalProperties": {"type": "number"}},
            "parent": {"anyOf": [{"type": "object"}, {"type": "null"}]}})
        self.assertEqual(json.loads(kind(whole).result_schema), {"type": "array", "items": {"type": "number"}})
        self.assertEqual((kind(anything).payload_schema, kind(anything).result_schema), ("{}", ""))
        self.assertEqual(json.loads(kind(open_ended).payload_schema), {
            "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})

    def test_an_argument_without_a_name_is_refused(self):
        with self.assertRaisesRegex(distributo._Refused, "strange: the argument values has no name"):
            kind(distributo.task(strange))

    def test_times_that_are_none_are_refused(self):
        for wrong in ("soon", -1, "5 s", None):
            with self.assertRaisesRegex(ValueError, "is no time"):
                distributo.Retry(after=wrong)
        self.assertEqual([distributo.Retry(after=after).after_ms for after in (1.5, "20", "7ms", "1h")],
                         [1500, 20_000, 7, 3_600_000])


def strange(*values):
    return values


class PayloadTest(unittest.TestCase):
    def refused(self, function, payload):
        with self.assertRaises(distributo.Permanent) as raised:
            kind(function).arguments(payload)
        return str(raised.exception)

    def test_becomes_what_the_annotations_say(self):
        job = kind(whole).arguments({"name": "a", "mode": "exact", "points": [{"x": 1}, {"x": 2.5, "y": 3}],
                                     "note": None, "weights": {"b": 2}, "parent": {"name": "p"}})["job"]
        self.assertEqual(job, Job("a", Mode.EXACT, [Point(1.0), Point(2.5, 3.0)], None, {"b": 2.0}, Job("p")))
        self.assertIs(type(job.points[0].x), float)
        self.assertEqual(kind(members).arguments({"count": 3.0}), {"count": 3})
        self.assertEqual(kind(open_ended).arguments({"path": "/a", "b": [1]}), {"path": pathlib.Path("/a"), "b": [1]})
        self.assertEqual(kind(anything).arguments([1, {"a": None}]), {"payload": [1, {"a": None}]})

    def test_the_message_names_the_place(self):
        for payload, message in (
                ([], "payload: expected object, got array"),
                ({}, "payload.name: missing"),
                ({"name": 7}, "payload.name: expected string, got integer"),
                ({"name": "a", "size": 1}, "payload.size: there is no such member, expected name, mode, "
                                           "points, note, weights, parent"),
                ({"name": "a", "mode": "slow"}, "payload.mode: 'slow' is none of 'fast', 'exact'"),
                ({"name": "a", "points": [{"x": 1}, {"x": True}]},
                 "payload.points[1].x: expected number, got boolean"),
                ({"name": "a", "points": [{"x": -1}]}, "payload.points[0]: x is negative"),
                ({"name": "a", "note": 3}, "payload.note: expected string, got integer"),
                ({"name": "a", "weights": {"b": "c"}}, "payload.weights.b: expected number, got string")):
            self.assertEqual(self.refused(whole, payload), message)
        self.assertEqual(self.refused(members, {"count": 1.5}), "payload.count: expected integer, got number")
        self.assertEqual(self.refused(members, {"count": 1, "factor": 3}), "payload.factor: 3 is none of 1, 2")


class Array:
    """As arrays of numbers look to this module."""

    def __init__(self, *values):
        self.values = values

    def tolist(self):
        return list(self.values)


class ResultTest(unittest.TestCase):
    def test_what_json_does_not_know_by_itself(self):
        value = {"point": Point(1.0, 2.0), "mode": Mode.FAST, "array": Array(1, 2.5), "set": {2, 1},
                 "path": pathlib.Path("/a"), "tuple": (1, "ä")}
        self.assertEqual(distributo._encode(value, "result"),
                         '{"point":{"x":1.0,"y":2.0},"mode":"fast","array":[1,2.5],"set":[1,2],'
                         '"path":"/a","tuple":[1,"ä"]}')

    def test_what_json_cannot_express_is_named_with_its_place(self):
        around = []
        around.append(around)
        for value, message in (
                (math.nan, "result is nan, which JSON cannot express; return None instead"),
                ({"a": [1, -math.inf]}, r"result\.a\[1\] is -inf"),
                ({"a": Array(1, math.nan)}, r"result\.a\[1\] is nan"),
                ([Point(math.nan)], r"result\[0\]\.x is nan"),
                ({"raw": b"x"}, r"result\.raw is of the type bytes, .*; write it as base64"),
                (object(), "result is of the type object, which JSON cannot express$"),
                ("\ud800", "result cannot be written as JSON: .*surrogates"),
                (around, "result cannot be written as JSON: Circular")):
            with self.assertRaisesRegex(distributo.Permanent, message):
                distributo._encode(value, "result")


class ScriptTest(unittest.TestCase):
    def load(self, text, config="{}"):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, "words.py")
        path.write_text("import distributo\n" + textwrap.dedent(text))
        return distributo._Script(str(path), "words", config)

    def refused(self, text, config="{}"):
        with self.assertRaises(distributo._Refused) as raised:
            self.load(text, config)
        self.assertNotIn("distributo_script_words", sys.modules)
        return str(raised.exception)

    def test_functions_are_offered_in_the_order_of_the_script(self):
        script = self.load("""
            __version__ = "2.1.0"
            def helper(): pass
            @distributo.task
            def zebra(): pass
            @distributo.task
            def ape(): pass
            again = zebra
            """)
        self.assertEqual([entry[:2] for entry in script.described()],
                         [("words:zebra", "2.1.0"), ("words:ape", "2.1.0")])

    def test_a_script_that_cannot_be_used_says_where(self):
        task = "@distributo.task\ndef one(): pass\n"
        self.assertEqual(self.refused("x = ("), "SyntaxError: '(' was never closed (words.py:2)")
        self.assertEqual(self.refused("\nimport nowhere_at_all"),
                         "ModuleNotFoundError: No module named 'nowhere_at_all' (words.py:3)")
        self.assertEqual(self.refused("raise SystemExit(3)"), "SystemExit: 3 (words.py:2)")
        self.assertEqual(self.refused("pass"), "words.py has no task: mark a function with @distributo.task")
        self.assertEqual(self.refused(task + "@distributo.task(name='words:one')\ndef two(): pass\n"),
                         "words.py two of its tasks have the same name")
        self.assertEqual(self.refused(task, '{"a":1}'), "words.py is configured, but words.py has no setup(config)")
        self.assertEqual(self.refused(task + "def setup(config: dict[str, int]): pass", '{"a":"b"}'),
                         "Permanent: config.a: expected integer, got string")

    def test_setup_gets_the_configuration_and_teardown_is_called(self):
        script = self.load("""
            state = []
            def setup(config): state.append(config)
            def teardown(): state.append("gone")
            @distributo.task
            def one(): pass
            """, '{"a":1}')
        script.teardown()
        self.assertEqual(script.module.state, [{"a": 1}, "gone"])


class ContextTest(unittest.TestCase):
    def test_outside_of_a_host_it_does_no_harm(self):
        context = distributo.Task(id="t", type="a:b")
        context.log("hello", level="debug", answer=42)
        context.progress(0.5)
        context.check()
        context.sleep(0)
        context.emit("a:c", {"n": 1}, dedupe_key="k")
        self.assertEqual((context.cancelled, context.remaining, context.deadline), (False, None, None))
        self.assertEqual(context.emitted, [{"type": "a:c", "payload": {"n": 1}, "dedupe_key": "k"}])
        self.addCleanup(context.work_dir.rmdir)
        self.assertTrue(context.work_dir.is_dir())
        with self.assertRaisesRegex(ValueError, "level is 'loud'"):
            context.log("hello", level="loud")


if __name__ == "__main__":
    unittest.main()
