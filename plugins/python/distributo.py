"""Tasks for Distributo in Python.

    import distributo

    @distributo.task
    def double(n: int) -> int:
        return 2 * n

As plugins/arithmetic.py of a host this offers the task type "arithmetic:double", which takes
{"n": 21} and answers 42. Elsewhere, in a test for instance, the functions stay what they are, and Task() is
a context that prints its log and keeps what is emitted.
"""
from __future__ import annotations

import collections.abc
import dataclasses
import enum
import faulthandler
import inspect
import json
import linecache
import math
import os
import pathlib
import re
import sys
import tempfile
import time
import traceback
import types
import typing

try:
    import _distributo as _native
except ImportError:  # not inside of a host
    _native = None

__all__ = ["task", "Task", "Permanent", "Retry", "Cancelled"]


class Permanent(Exception):
    """The same task will fail again: it is not tried another time."""

    def __init__(self, message="", *, detail=None):
        super().__init__(message)
        self.detail = detail


class Retry(Exception):
    """The task may succeed later, `after` seconds or a text like "30s" at the earliest, or, with
    `elsewhere`, on another host. Any other exception asks for another attempt as well."""

    def __init__(self, message="", *, after=0, elsewhere=False, detail=None):
        super().__init__(message)
        self.after_ms = _milliseconds(after)
        self.elsewhere = elsewhere
        self.detail = detail


class Cancelled(BaseException):
    """Raised inside of a task that was cancelled or runs past its limit; let it pass."""


def task(function=None, *, name=None, timeout=None, version=None, summary=None):
    """Marks a function of a script as a task type.

    name     the whole name of the type; else it is "script:function"
    timeout  of one attempt, in seconds or as "30s", "500ms", "2m", "1h"
    version  semantic, "1.2.0"; else the script's __version__, or 1.0.0
    summary  else the first line of the function's docstring

    The members of the payload are the function's arguments, checked against its annotations. A
    function with a single argument gets the whole payload when that is called `payload` or is a
    dataclass. An argument that is called `task` or is annotated as Task gets the context. What the
    function returns is the result: whatever JSON can express, dataclasses, enums, and arrays.
    """
    def mark(marked):
        marked.__distributo_task__ = _Options(name, _milliseconds(timeout or 0), version, summary)
        return marked
    return mark if function is None else mark(function)


class Task:
    """What a running task knows and may ask for. Usable until the task has ended."""

    def __init__(self, call=None, *, id="", type="", attempt=1):
        self._call = call
        self._work_dir = None
        self.id = id
        self.type = type
        self.attempt = attempt
        self.emitted = []  #: what emit() was given, as dictionaries

    def log(self, text, *, level="info", **fields):
        """One line for `distributo task logs`; level: trace, debug, info, warn or error."""
        if level not in _LEVELS:
            raise ValueError(f"level is {level!r}, expected one of {', '.join(_LEVELS)}")
        if self._call is None:
            print(level, text, fields or "", file=sys.stderr)
        else:
            self._call.log(_LEVELS.index(level), str(text), _encode(fields, "fields") if fields else "")

    def progress(self, fraction, text=""):
        """How far it is, from 0 to 1; None: not known."""
        if self._call is not None:
            self._call.progress(-1.0 if fraction is None else float(fraction), str(text))

    @property
    def cancelled(self):
        """Somebody wants the task to end. Loops in Python are ended by Cancelled anyway; what
        calls into libraries for long asks now and then."""
        return self._call is not None and self._call.cancelled()

    def check(self):
        """Raises Cancelled when the task should end."""
        if self.cancelled:
            raise Cancelled()

    def sleep(self, seconds):
        """Sleeps, and is woken by Cancelled, other than time.sleep()."""
        if self._call is None:
            time.sleep(seconds)
        elif not self._call.wait(math.ceil(seconds * 1000)):
            raise Cancelled()

    @property
    def remaining(self):
        """Seconds until the attempt's limit; None: there is none."""
        left = -1 if self._call is None else self._call.remaining_ms()
        return None if left < 0 else left / 1000

    @property
    def deadline(self):
        """The same as a point in time of time.monotonic()."""
        left = self.remaining
        return None if left is None else time.monotonic() + left

    @property
    def work_dir(self):
        """A folder of this attempt alone, removed afterwards."""
        if self._work_dir is None:
            made = tempfile.mkdtemp() if self._call is None else self._call.work_dir()
            self._work_dir = pathlib.Path(made)
        return self._work_dir

    def emit(self, type, payload=None, *, dedupe_key="", group="", priority=0, timeout=0,
             max_attempts=0, requires=None, install=None):
        """A follow-up task. It becomes one together with this task's success, or not at all; with
        the same dedupe_key only once."""
        self.emitted.append({"type": type, "payload": payload, "dedupe_key": dedupe_key})
        if self._call is not None:
            self._call.emit(type, _encode(payload, "payload"), _encode(install, "install") if install else "",
                            dedupe_key, group, _encode(requires, "requires") if requires else "",
                            priority, max_attempts, _milliseconds(timeout))


_LEVELS = ("trace", "debug", "info", "warn", "error")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


@dataclasses.dataclass
class _Options:
    name: str | None
    timeout_ms: int
    version: str | None
    summary: str | None


def _milliseconds(time_span):
    if isinstance(time_span, (int, float)) and time_span >= 0:
        return math.ceil(time_span * 1000)
    match = re.fullmatch(r"(\d+)(ms|s|m|h)?", time_span) if isinstance(time_span, str) else None
    if not match:
        raise ValueError(f"{time_span!r} is no time: expected seconds, or a text like \"30s\"")
    return int(match[1]) * _UNITS[match[2] or "s"]


# ---- annotations: the schema of a type, and JSON as a value of it ----------------------------

_ANYTHING = (typing.Any, object, inspect.Parameter.empty)
_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable)
_OBJECTS = (dict, collections.abc.Mapping)


def _is_union(hint):
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _item(hint):
    """The annotation of a list's elements; a tuple of several is one of anything."""
    arguments = [argument for argument in typing.get_args(hint) if argument is not Ellipsis]
    return arguments[0] if len(arguments) == 1 else typing.Any


def _members(cls):
    """(name, annotation, may it be left out) of a dataclass."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.init:
            optional = (field.default is not dataclasses.MISSING
                        or field.default_factory is not dataclasses.MISSING)
            yield field.name, hints[field.name], optional


def _object_schema(members, inside, closed=True):
    members = list(members)
    schema = {"type": "object", "properties": {name: _schema(hint, inside) for name, hint, _ in members}}
    required = [name for name, _, optional in members if not optional]
    if required:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    return schema


def _schema(hint, inside=()):
    """The JSON Schema of an annotation; {}, anything, of one that says nothing about JSON."""
    origin = typing.get_origin(hint) or hint
    if isinstance(hint, typing.TypeVar) or hint in _ANYTHING:
        return {}
    if _is_union(hint):
        return {"anyOf": [_schema(one, inside) for one in typing.get_args(hint)]}
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(hint))}
    if hint is None or hint in _PLAIN:
        return {"type": _PLAIN[type(None) if hint is None else hint]}
    if origin in _LISTS:
        items = _schema(_item(hint), inside)
        return {"type": "array", "items": items} if items else {"type": "array"}
    if origin in _OBJECTS:
        arguments = typing.get_args(hint)
        values = _schema(arguments[1], inside) if len(arguments) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if dataclasses.is_dataclass(hint):
        return {"type": "object"} if hint in inside else _object_schema(_members(hint), (*inside, hint))
    return {"type": "string"} if hint is pathlib.Path else {}


def _kind(value):
    names = {dict: "object", list: "array"} | _PLAIN
    return names.get(type(value), type(value).__name__)


def _wrong(where, expected, value):
    return Permanent(f"{where}: expected {expected}, got {_kind(value)}")


def _decode_members(members, value, where, closed=True):
    if not isinstance(value, dict):
        raise _wrong(where, "object", value)
    members = {name: (hint, optional) for name, hint, optional in members}
    for name in value:
        if closed and name not in members:
            raise Permanent(f"{where}.{name}: there is no such member"
                            + (f", expected {', '.join(members)}" if members else ""))
    for name, (_, optional) in members.items():
        if name not in value and not optional:
            raise Permanent(f"{where}.{name}: missing")
    return {name: _decode(members[name][0], member, f"{where}.{name}") if name in members else member
            for name, member in value.items()}


def _decode_union(hint, value, where):
    options = typing.get_args(hint)
    faults = []
    for option in sorted(options, key=lambda one: one not in _PLAIN or type(value) is not one):
        try:
            return _decode(option, value, where)
        except Permanent as fault:
            faults.append(fault)
    if len(options) == 2 and type(None) in options:
        raise next(f for f in faults if "expected null" not in str(f)) from None
    raise _wrong(where, "one of " + ", ".join(map(_name, options)), value)


def _name(hint):
    return _PLAIN.get(hint) or getattr(hint, "__name__", str(hint))


def _decode_plain(hint, value, where):
    if hint is float and type(value) is int:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not hint:
        raise _wrong(where, _PLAIN[hint], value)
    return value


def _decode(hint, value, where):
    """The JSON value as the annotation has it, or Permanent with the place that is wrong."""
    origin = typing.get_origin(hint) or hint
    if isinstance(hint, typing.TypeVar) or hint in _ANYTHING:
        return value
    if _is_union(hint):
        return _decode_union(hint, value, where)
    if origin is typing.Literal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        allowed = typing.get_args(hint) if origin is typing.Literal else [one.value for one in hint]
        if value not in allowed:
            raise Permanent(f"{where}: {value!r} is none of {', '.join(map(repr, allowed))}")
        return value if origin is typing.Literal else hint(value)
    if hint is None or hint in _PLAIN:
        return _decode_plain(type(None) if hint is None else hint, value, where)
    if origin in _LISTS:
        if not isinstance(value, list):
            raise _wrong(where, "array", value)
        item = _item(hint)
        decoded = [_decode(item, one, f"{where}[{i}]") for i, one in enumerate(value)]
        return origin(decoded) if origin in (tuple, set, frozenset) else decoded
    if origin in _OBJECTS:
        if not isinstance(value, dict):
            raise _wrong(where, "object", value)
        arguments = typing.get_args(hint)
        of = arguments[1] if len(arguments) == 2 else typing.Any
        return {name: _decode(of, one, f"{where}.{name}") for name, one in value.items()}
    if dataclasses.is_dataclass(hint):
        members = _decode_members(_members(hint), value, where)
        try:
            return hint(**members)
        except (TypeError, ValueError) as error:  # of its __post_init__
            raise Permanent(f"{where}: {error}") from error
    if hint is pathlib.Path:
        return pathlib.Path(_decode_plain(str, value, where))
    return value


def _read(payload):
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"payload: no JSON: {error}") from None


# ---- results ---------------------------------------------------------------------------------

def _plain(value):
    """What json does not know by itself: one step towards what it does."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if callable(getattr(value, "tolist", None)):  # arrays and their elements
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, pathlib.PurePath):
        return str(value)
    hint = "; write it as base64" if isinstance(value, (bytes, bytearray)) else ""
    raise TypeError(f"is of the type {type(value).__name__}, which JSON cannot express{hint}")


def _fault(value, where):
    """Where something stands that JSON cannot express, and why; None: nowhere."""
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{where} is {value}, which JSON cannot express; return None instead"
    if value is None or isinstance(value, (bool, int, str)):
        return None
    if isinstance(value, dict):
        faults = (_fault(one, f"{where}.{name}") for name, one in value.items())
    elif isinstance(value, (list, tuple)):
        faults = (_fault(one, f"{where}[{i}]") for i, one in enumerate(value))
    else:
        try:
            return _fault(_plain(value), where)
        except TypeError as error:
            return f"{where} {error}"
    return next((fault for fault in faults if fault), None)


def _encode(value, where):
    try:
        text = json.dumps(value, allow_nan=False, default=_plain, ensure_ascii=False, separators=(",", ":"))
        text.encode()
        return text
    except (TypeError, ValueError, RecursionError) as error:
        fault = None if isinstance(error, RecursionError) or "Circular" in str(error) else _fault(value, where)
        raise Permanent(fault or f"{where} cannot be written as JSON: {error}") from None


# ---- inside of a host: what the plugin calls --------------------------------------------------

class _Refused(Exception):
    """The script cannot be used; the message says where and why."""


_SELF = _milliseconds.__code__.co_filename
_LONGEST_TRACEBACK = 16 * 1024


def _shown(error, file):
    """(one line, the whole traceback) without what belongs to this module."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == _SELF:
        trace = trace.tb_next
    whole = "".join(traceback.format_exception(type(error), error, trace))
    if len(whole) > _LONGEST_TRACEBACK:
        half = _LONGEST_TRACEBACK // 2
        whole = whole[:half] + "\n  [...]\n" + whole[-half:]
    lines = [entry.lineno for entry in traceback.extract_tb(trace) if entry.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines, text = [error.lineno], error.msg
    else:
        text = " ".join(str(error).split())
    place = f" ({file}:{lines[-1]})" if lines else ""
    return type(error).__name__ + (f": {text}" if text else "") + place, whole


class _Type:
    """A function of a script as a task type."""

    def __init__(self, function, stem, version):
        options = function.__distributo_task__
        self.function = function
        self.name = options.name or f"{stem}:{function.__name__}"
        self.version = options.version or version
        self.summary = options.summary or (inspect.getdoc(function) or "").partition("\n")[0]
        self.timeout_ms = options.timeout_ms
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        self.context = next((p.name for p in parameters if hints.get(p.name) is Task or
                             (p.name == "task" and p.name not in hints)), None)
        wanted = [p for p in parameters if p.name != self.context]
        for parameter in wanted:
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
                raise _Refused(f"{function.__name__}: the argument {parameter.name} has no name to call it by")
        self.open = any(p.kind is p.VAR_KEYWORD for p in wanted)
        self.members = [(p.name, hints.get(p.name, typing.Any), p.default is not p.empty)
                        for p in wanted if p.kind is not p.VAR_KEYWORD]
        name, hint, _ = self.members[0] if len(self.members) == 1 else ("", None, False)
        self.whole = name if name == "payload" or dataclasses.is_dataclass(hint) else None
        self.payload_schema = json.dumps(_schema(hint) if self.whole else
                                         _object_schema(self.members, (), not self.open))
        result = _schema(hints.get("return", typing.Any))
        self.result_schema = json.dumps(result) if result else ""

    def arguments(self, payload):
        if self.whole:
            return {self.whole: _decode(self.members[0][1], payload, "payload")}
        return _decode_members(self.members, payload, "payload", not self.open)


def _settings(setup, config, file):
    """The arguments of a script's setup()."""
    parameters = list(inspect.signature(setup).parameters.values()) if setup else []
    if not parameters:
        if config:
            raise _Refused(f"is configured, but {file} has no setup(config)")
        return ()
    hint = typing.get_type_hints(setup).get(parameters[0].name, typing.Any)
    return (_decode(hint, config, "config"),)


class _Script:
    """One script, loaded and set up."""

    def __init__(self, path, stem, config):
        self.file = stem + ".py"
        self.module = types.ModuleType("distributo_script_" + re.sub(r"\W", "_", stem))
        self.module.__file__ = path
        sys.modules[self.module.__name__] = self.module
        try:
            self._load(path)
            version = getattr(self.module, "__version__", "1.0.0")
            found = {id(value): value for value in vars(self.module).values()
                     if callable(value) and hasattr(value, "__distributo_task__")}
            self.types = {one.name: one for one in
                          (_Type(function, stem, version) for function in found.values())}
            if len(self.types) < len(found):
                raise _Refused("two of its tasks have the same name")
            setup = getattr(self.module, "setup", None)
            arguments = _settings(setup, json.loads(config or "{}"), self.file)
            if setup:
                setup(*arguments)
            if not self.types:
                raise _Refused("has no task: mark a function with @distributo.task")
        except _Refused as refused:
            self._forget()
            raise _Refused(f"{self.file} {refused}") from None
        except BaseException as error:
            self._forget()
            line, whole = _shown(error, self.file)
            print(whole, file=sys.stderr, end="")
            raise _Refused(line) from None

    def _load(self, path):
        with open(path, "rb") as script:
            source = script.read()
        # Tracebacks name the file as its author knows it, and show its lines.
        lines = source.decode(errors="replace").splitlines(keepends=True)
        linecache.cache[self.file] = (len(source), None, lines, self.file)
        exec(compile(source, self.file, "exec", dont_inherit=True), vars(self.module))

    def described(self):
        return [(one.name, one.version, one.summary, one.payload_schema, one.result_schema, one.timeout_ms)
                for one in self.types.values()]

    def run(self, call, name, id, attempt, payload):
        """(status, result, message, detail, milliseconds until the next attempt)."""
        one = self.types[name]
        context = Task(call, id=id, type=name, attempt=attempt)
        try:
            arguments = one.arguments(_read(payload))
            if one.context:
                arguments[one.context] = context
            result = one.function(**arguments)
            if inspect.iscoroutine(result):
                import asyncio
                result = asyncio.run(result)
            return _native.OK, _encode(result, "result"), "", "", 0
        except Cancelled:
            return _native.CANCELLED, None, "", "", 0
        except Permanent as error:
            return self._failed(context, error, _native.PERMANENT, 0)
        except Retry as error:
            status = _native.RETRY_ELSEWHERE if error.elsewhere else _native.RETRY
            return self._failed(context, error, status, error.after_ms)
        except BaseException as error:  # sys.exit() is no way to end a task either
            line, whole = _shown(error, self.file)
            context.log(whole.rstrip(), level="error")
            return _native.RETRY, None, line, json.dumps({"traceback": whole}), 0

    @staticmethod
    def _failed(context, error, status, after_ms):
        detail = json.dumps(error.detail, default=str) if error.detail is not None else ""
        message = " ".join(str(error).split()) or type(error).__name__
        return status, None, message, detail, after_ms

    def teardown(self):
        try:
            if teardown := getattr(self.module, "teardown", None):
                teardown()
        except BaseException:
            traceback.print_exc()
        self._forget()

    def _forget(self):
        sys.modules.pop(self.module.__name__, None)


def _prepare():
    """Once for each interpreter, before the first script."""
    sys.stdout.reconfigure(line_buffering=True, encoding="utf-8", errors="replace")
    sys.stderr.reconfigure(line_buffering=True, encoding="utf-8", errors="replace")
    # Who dies in a library in C says where: it is in the error of the task.
    faulthandler.enable(file=2)
    # A host runs one process for each task that runs at once: more threads would only be in the way.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
