#!/usr/bin/python3
"""Every snippet in the documentation is what it claims to be: it compiles, configures or parses.

    snippets_test.py <root of the sources> <build folder>

The word behind the opening fence is the language. `c` and `cpp` compile as they stand; with the word
`continues` a block is compiled behind the blocks of its language before it, up to the last one
without. The `cmake` blocks of a document are one project. `json`, `toml`, `yaml` and `sh` parse;
`json` is one value, or one on each line. A block in any other language must be an excerpt of a file
in the sources that is compiled or run by a test. Blocks without a language, and `text` and
`console`, are for people.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import yaml

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
COMPILERS = {"c": ["gcc", "-std=c11", "-x", "c"], "cpp": ["g++", "-std=c++20", "-x", "c++"]}
FOR_PEOPLE = ("", "text", "console")
EXCERPTS = ("templates", "plugins", "sdk", "tests")


class Block:
    def __init__(self, document, text, match):
        self.document = document
        self.language, *self.words = (match.group(2) or "").split() or [""]
        indent = len(match.group(1))
        self.body = "".join(line[indent:] if line.strip() else line
                            for line in match.group(3).splitlines(keepends=True))
        self.line = text.count("\n", 0, match.start(3)) + 1


def blocks(document):
    text = document.read_text()
    for match in re.finditer(r"^( *)```([^\n]*)\n(.*?)^ *```$", text, re.M | re.S):
        yield Block(document, text, match)


def header_examples(header):
    """The complete program in the comment at the top of a public header."""
    text = header.read_text()
    for match in re.finditer(r"^()//     (#include)(.*?)^//\n(?=// \S|//$)", text, re.M | re.S):
        body = re.sub(r"^//(?:     )?", "", "//     " + match.group(2) + match.group(3), flags=re.M)
        fenced = f"```cpp\n{body}```\n"
        block = Block(header, fenced, re.search(r"^( *)```(cpp)\n(.*?)^```$", fenced, re.M | re.S))
        block.line = text.count("\n", 0, match.start(2)) + 1
        yield block


def parse_json(text):
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines() if text.count("\n") > 1 else [text]:
            json.loads(line)


class Checker:
    def __init__(self, root, build):
        self.include = root / "sdk" / "include"
        self.root, self.build = root, build

    def complaint(self, block, before):
        """Why a block is not what it says, or an empty text. `before`: blocks it may continue."""
        try:
            if block.language in COMPILERS:
                return self.compiles(before + [block] if "continues" in block.words else [block])
            if block.language == "sh":
                return self.run(["sh", "-n"], block.body)
            if block.language in ("json", "toml", "yaml"):
                {"json": parse_json, "toml": tomllib.loads, "yaml": yaml.safe_load}[block.language](
                    block.body)
                return ""
        except (ValueError, yaml.YAMLError) as error:
            return str(error)
        if block.language in FOR_PEOPLE + ("cmake",):
            return ""
        return "" if self.is_excerpt(block) else \
            f"nothing compiles {block.language} here, and it is no excerpt of a file in {EXCERPTS}"

    def run(self, command, text=None):
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        return done.stderr if done.returncode else ""

    def compiles(self, parts):
        source = "".join(f'#line {part.line} "{part.document}"\n{part.body}' for part in parts)
        return self.run([*COMPILERS[parts[0].language], *WARNINGS, f"-I{self.include}",
                         '-DDISTRIBUTO_PLUGIN_FILE="plugin.so"', "-"], source)

    def is_excerpt(self, block):
        files = (path for folder in EXCERPTS for path in (self.root / folder).rglob("*")
                 if path.is_file() and path.suffix not in (".md", ".so") and path.stat().st_size < 10**6)
        return any(block.body in path.read_text(errors="replace") for path in files)

    def configures(self, parts):
        """A document's cmake blocks as one project, with an empty file for each source it names."""
        body = "".join(part.body for part in parts)
        if "project(" not in body:
            body = "cmake_minimum_required(VERSION 3.25)\nproject(snippets)\n" + body
        with tempfile.TemporaryDirectory() as folder:
            for name in re.findall(r"[\w/]+\.(?:cpp|c)\b", body):
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            pathlib.Path(folder, "CMakeLists.txt").write_text(body)
            return self.run(["cmake", "-G", "Ninja", "-S", folder, "-B", f"{folder}/build",
                             f"-DDistributo_ROOT={self.build}"])

    def check(self, document, its_blocks):
        """(line, complaint) of each block that is not what it says."""
        open_blocks = {}
        for block in its_blocks:
            before = open_blocks.setdefault(block.language, [])
            if complaint := self.complaint(block, before):
                yield block.line, complaint
            if "continues" not in block.words:
                before.clear()
            before.append(block)
        if project := [block for block in its_blocks if block.language == "cmake"]:
            if complaint := self.configures(project):
                yield project[0].line, complaint


def self_test(checker):
    """A block that is wrong is noticed in every language, and a right one is not."""
    right = {"c": "#include <distributo/abi.h>\ndto_status s = DTO_OK;\n", "cpp": "int n = 1;\n",
             "json": "{}\n", "toml": "a = 1\n", "yaml": "a: 1\n", "sh": "echo hello\n",
             "cmake": "find_package(Distributo REQUIRED)\n"
                      "distributo_add_plugin(numbers SOURCES numbers.cpp)\n",
             "rust": "// Tables are constant, which is all that sharing them between threads needs.\n"}
    wrong = {"c": "dto_status s;\n", "cpp": "int n = ;\n", "json": "{\n", "toml": "a = \n",
             "yaml": "a: [1\n", "sh": "if\n", "cmake": "distributo_add_plugin(numbers)\n",
             "rust": "let it = be;\n"}
    for language in right:
        for body, expected in ((right[language], 0), (wrong[language], 1)):
            with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
                file.write(f"- in a list:\n\n  ```{language}\n  " + body.replace("\n", "\n  ").rstrip(" ")
                           + "  ```\n")
                file.flush()
                document = pathlib.Path(file.name)
                found = list(checker.check(document, list(blocks(document))))
                assert len(found) == expected, f"{language}: {found}"
    with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
        file.write("```cpp\nint n = 1;\n```\n\n```cpp continues\nint m = n;\n```\n\n```cpp\nint m = n;\n```\n")
        file.flush()
        document = pathlib.Path(file.name)
        assert [line for line, _ in checker.check(document, list(blocks(document)))] == [10]


def main():
    root, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    checker = Checker(root, build)
    self_test(checker)
    documents = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md")),
                 *sorted(root.glob("plugins/*/README.md")), *sorted(root.glob("templates/*/README.md"))]
    count = failed = 0
    work = [(document, list(blocks(document))) for document in documents]
    for header in ("plugin", "generator", "sink"):
        examples = list(header_examples(root / f"sdk/include/distributo/{header}.hpp"))
        assert examples, f"the example in {header}.hpp was not found"
        work.append((examples[0].document, examples))
    for document, its_blocks in work:
        count += len([block for block in its_blocks if block.language not in FOR_PEOPLE])
        for line, complaint in checker.check(document, its_blocks):
            failed += 1
            print(f"{document.relative_to(root)}:{line}: {complaint}")
    print(f"{count} blocks in {len(work)} documents, {failed} are not what they say")
    return 1 if failed or count < 10 else 0


sys.exit(main())
