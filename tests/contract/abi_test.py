#!/usr/bin/python3
"""abi.h: compiles everywhere, has the layout that was locked, is documented.

    abi_test.py <folder of the headers>
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import abi_header
import layout_lock

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = pathlib.Path(sys.argv.pop(1)).resolve()
HEADER = INCLUDE / "distributo" / "abi.h"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wpadded", "-Werror"]
C_COMPILERS = [c for c in ("gcc", "clang-14", "clang") if shutil.which(c)]
CXX_COMPILERS = [c for c in ("g++", "clang++-14", "clang++") if shutil.which(c)]


def compile_lock(compiler, dialect, include=INCLUDE):
    language = "c++" if "++" in dialect else "c"
    return subprocess.run([compiler, f"-std={dialect}", *WARNINGS, "-fsyntax-only", "-x", language,
                           f"-I{include}", '-DLOCK="layout_lock.inc"', HERE / "lock.c"], capture_output=True, text=True)


class AbiTest(unittest.TestCase):
    def test_compiles_and_keeps_its_layout_in_every_dialect(self):
        self.assertTrue(C_COMPILERS and CXX_COMPILERS)
        for compilers, dialects in ((C_COMPILERS, ("c11", "c17")),
                                    (CXX_COMPILERS, ("c++11", "c++17", "c++20"))):
            for compiler in compilers:
                for dialect in dialects:
                    result = compile_lock(compiler, dialect)
                    self.assertEqual(result.returncode, 0, f"{compiler} {dialect}\n{result.stderr}")

    def test_the_lock_is_what_the_header_says(self):
        generated = "\n".join(layout_lock.lock(abi_header.parse(HEADER))) + "\n"
        self.assertEqual((HERE / "layout_lock.inc").read_text(), generated,
                         "run layout_lock.py and look at the difference")

    def test_the_lock_notices_what_breaks_old_plugins(self):
        text = HEADER.read_text()
        changes = {
            "a member changes its type": ("uint64_t seq;", "int64_t seq;"),
            "two members change places": ("dto_str name, version;  //", "dto_str version, name;  //"),
            "an enumerator is renumbered": ("DTO_PERMANENT = -1", "DTO_PERMANENT = -9"),
            "a parameter is added": ("(void *instance);", "(void *instance, int why);"),
            "a member goes away": ("    uint32_t cpu_slots;", "    "),
        }
        for what, (before, after) in changes.items():
            spelled = before if before in text else before.replace(" *", "* ")
            self.assertIn(spelled, text, what)
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "distributo").mkdir()
                (pathlib.Path(folder) / "distributo" / "abi.h").write_text(
                    text.replace(spelled, after))
                result = compile_lock(CXX_COMPILERS[0], "c++17", folder)
            self.assertNotEqual(result.returncode, 0, what)

    def test_the_lock_allows_members_at_the_end(self):
        text = HEADER.read_text()
        grown = text.replace("} dto_task_api;", "    void* later;\n} dto_task_api;")
        self.assertNotEqual(text, grown)
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "distributo").mkdir()
            (pathlib.Path(folder) / "distributo" / "abi.h").write_text(grown)
            result = compile_lock(CXX_COMPILERS[0], "c++17", folder)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_half_of_the_header_is_documentation(self):
        lines = [line for line in HEADER.read_text().splitlines() if line.strip()]
        comments = sum("//" in line for line in lines)
        self.assertGreaterEqual(comments / len(lines), 0.5)


if __name__ == "__main__":
    unittest.main()
