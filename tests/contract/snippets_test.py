#!/usr/bin/python3
"""Compiles every ```cpp block of a document: snippets_test.py <include folder> <file.md>..."""
import re
import subprocess
import sys

include, *documents = sys.argv[1:]
failed = blocks = 0
for document in documents:
    text = open(document).read()
    for match in re.finditer(r"^```cpp\n(.*?)^```", text, re.M | re.S):
        blocks += 1
        line = text.count("\n", 0, match.start(1)) + 1
        result = subprocess.run(
            ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror",
             "-fsyntax-only", f"-I{include}", '-DDISTRIBUTO_PLUGIN_FILE="plugin.so"', "-x", "c++",
             "-"],
            input=f'#line {line} "{document}"\n' + match.group(1), capture_output=True, text=True)
        if result.returncode != 0:
            failed += 1
            print(result.stderr)
print(f"{blocks} blocks, {failed} do not compile")
sys.exit(1 if failed or blocks == 0 else 0)
