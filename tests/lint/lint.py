#!/usr/bin/python3
"""Checks that hold for the whole tree: who may include whom, and how long things may get.

    lint.py [--root DIR] layers | sizes | words

Prints one line per violation, `file:line: what`, and exits 1 when there is one.
"""
import argparse
import pathlib
import re
import subprocess
import sys

# The dependency graph of docs/architecture.md: a folder may include itself and what stands here.
# The longest matching folder wins. "public" is sdk/include/distributo.
GRAPH = {
    "sdk/include": [],
    "sdk/base": [],
    "sdk/wire": ["base"],
    "sdk/net": ["wire", "base"],
    "sdk/discovery": ["net", "base"],
    "sdk/runtime": ["wire", "base", "public"],
    "host": ["runtime", "discovery", "net", "wire", "base"],
    "coordinator/core": ["wire", "base"],
    "coordinator/store": ["core", "wire", "base"],
    "coordinator/engine": ["store", "core", "wire", "base"],
    "coordinator/sessions": ["engine", "core", "net", "wire", "base"],
    "coordinator/extensions": ["engine", "store", "core", "runtime", "wire", "base", "public"],
    "coordinator/api": ["extensions", "engine", "store", "core", "net", "wire", "base"],
    "coordinator/cli": ["runtime", "net", "discovery", "wire", "base", "public"],
    "coordinator": ["api", "extensions", "sessions", "engine", "store", "core", "runtime",
                    "discovery", "net", "wire", "base"],
    "plugins": ["public"],
    "templates": ["public"],
}
# What `#include "x/…"` and <distributo/…> stand for.
MODULES = {
    "base/": "base", "wire/": "wire", "net/": "net", "discovery/": "discovery",
    "runtime/": "runtime", "host/": "host", "distributo/": "public", "tests/": "tests",
    "coordinator/core/": "core", "coordinator/store/": "store", "coordinator/engine/": "engine",
    "coordinator/sessions/": "sessions", "coordinator/api/": "api", "coordinator/cli/": "cli",
    "coordinator/extensions/": "extensions",
}
FOLDER_MODULE = {
    "sdk/include": "public", "sdk/base": "base", "sdk/wire": "wire", "sdk/net": "net",
    "sdk/discovery": "discovery", "sdk/runtime": "runtime", "host": "host",
    "coordinator/core": "core", "coordinator/store": "store", "coordinator/engine": "engine",
    "coordinator/sessions": "sessions", "coordinator/api": "api", "coordinator/cli": "cli",
    "coordinator/extensions": "extensions",
}
# Libraries that a folder must not see at all.
BANNED = {
    "coordinator/core": r"boost/(asio|beast)|spdlog|sqlite3",
    "coordinator/store": r"boost/(asio|beast)|spdlog",
    "sdk/wire": r"boost/(asio|beast)|spdlog",
    "sdk/include": r"boost/(asio|beast|json|dll)|spdlog",
}
# Libraries too heavy, or too private, for any header of ours.
HEADER_BANNED = r"boost/(beast|dll)|spdlog|CLI/|toml\+\+|openssl/|sqlite3"
BEAST_SOURCES = 4  # each costs ten to twenty-five seconds to compile

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def sources(root):
    """All files of ours that are C or C++, as paths relative to the root."""
    for top in ("sdk", "host", "coordinator", "plugins", "templates", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".c", ".h", ".cpp", ".hpp") and "build" not in path.parts:
                yield path.relative_to(root)


def folder_of(path, table):
    text = path.as_posix()
    fits = [f for f in table if text.startswith(f + "/")]
    return max(fits, key=len) if fits else None


def layers(root):
    beast = []
    for path in sources(root):
        folder = folder_of(path, GRAPH)
        own = FOLDER_MODULE.get(folder_of(path, FOLDER_MODULE) or "")
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            name = match.group(2)
            where = f"{path}:{number}"
            if "boost/beast" in name and path.suffix == ".cpp" and path.parts[0] != "tests":
                beast.append(path)
            if path.suffix == ".hpp" and path.parts[0] != "tests" and re.match(HEADER_BANNED, name):
                yield f"{where}: a header must not include <{name}>"
            if folder in BANNED and re.match(BANNED[folder], name):
                yield f"{where}: {folder} must not use <{name}>"
            prefixes = [p for p in MODULES if name.startswith(p)]
            if not prefixes or folder is None:
                continue
            module = MODULES[max(prefixes, key=len)]
            if module != own and module not in GRAPH[folder]:
                yield f"{where}: {folder} must not include \"{name}\" (module {module})"
    beast = [p for p in dict.fromkeys(beast) if p.name != "asio_beast.cpp"]
    if len(beast) > BEAST_SOURCES:
        yield f"{beast[-1]}:1: Beast is included in {len(beast)} sources, at most {BEAST_SOURCES}"


def function_ends(root, paths):
    """(path, name, first line, last line) of every function, by universal-ctags."""
    command = ["ctags", "-x", "--_xformat=%F\t%N\t%n\t%e\t%K", "--kinds-C++=f", "--kinds-C=f",
               "--langmap=C++:.cpp.hpp,C:.c.h", "-L", "-"]
    listing = subprocess.run(command, input="\n".join(map(str, paths)), text=True, cwd=root,
                             capture_output=True, check=True).stdout
    for line in listing.splitlines():
        path, name, first, last, _ = line.split("\t")
        if last.isdigit():
            yield path, name, int(first), int(last)


def sizes(root):
    paths = list(sources(root))
    scripts = [p.relative_to(root) for p in sorted((root / "tests").rglob("*.py"))]
    for path in paths + scripts:
        lines = len((root / path).read_text().splitlines())
        if lines > MAX_FILE_LINES:
            yield f"{path}:1: {lines} lines, at most {MAX_FILE_LINES}: cut it along a noun"
    for path, name, first, last in function_ends(root, paths):
        length = last - first + 1
        if length > MAX_FUNCTION_LINES:
            yield f"{path}:{first}: {name} has {length} lines, at most {MAX_FUNCTION_LINES}"


def words(root):
    """Words that do not belong into a finished tree."""
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    for path in sources(root):
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            if unfinished.search(line):
                yield f"{path}:{number}: unfinished work without an issue number"
            if re.search(r"co_await\b[^;]*\[[&=\w]", line):
                yield f"{path}:{number}: a lambda stands in the expression of a co_await"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("check", choices=["layers", "sizes", "words"])
    arguments = parser.parse_args()
    violations = list(globals()[arguments.check](arguments.root))
    print("\n".join(violations) if violations else f"{arguments.check}: clean")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
