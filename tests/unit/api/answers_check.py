#!/usr/bin/python3
"""Runs the unit tests of the API and checks every answer that they got against the specification;
every operation must have succeeded at least once. usage: answers_check.py UNIT_API"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from openapi_check import METHODS, Specification, Violation  # noqa: E402


def main():
    specification = Specification(ROOT / "docs" / "openapi.yaml")
    with tempfile.TemporaryDirectory() as folder:
        answers = pathlib.Path(folder, "answers")
        done = subprocess.run([sys.argv[1], "--gtest_brief=1"], stdout=subprocess.DEVNULL,
                              env={**os.environ, "DISTRIBUTO_API_ANSWERS": str(answers)}, check=False)
        lines = set(answers.read_text(encoding="utf-8").splitlines())
    missing = {(path, method) for path, item in specification.document["paths"].items()
               for method in set(item) & set(METHODS)}
    violations = 0
    for answer in map(json.loads, sorted(lines)):
        try:
            specification.check(answer["method"], answer["target"], answer["status"],
                                answer["content_type"], answer["body"].encode())
        except Violation as violation:
            violations += 1
            print(violation)
        if answer["status"] < 300:
            path, _ = specification.operation(answer["method"], answer["target"])
            missing.discard((path, answer["method"].lower()))
    for path, method in sorted(missing):
        print(f"{method} {path}: no test had success")
    print(f"{len(lines)} answers, {violations} violations")
    sys.exit(1 if violations or missing or done.returncode else 0)


main()
