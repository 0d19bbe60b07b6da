#!/usr/bin/python3
"""Plants one violation of each kind into a small tree and expects the lint to name it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

LINT = pathlib.Path(__file__).with_name("lint.py")


def run(check, files):
    """Exit code and output of the lint over a tree made of `files`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, LINT, "--root", folder, check], text=True,
                              capture_output=True)
        return done.returncode, done.stdout + done.stderr


class LayersTest(unittest.TestCase):
    def expect(self, path, include, wanted):
        code, output = run("layers", {path: f"#include {include}\n"})
        self.assertEqual(code, 1 if wanted else 0, output)
        if wanted:
            self.assertIn(f"{path}:1:", output)
            self.assertIn(wanted, output)

    def test_allowed_includes_pass(self):
        self.expect("coordinator/core/a.cpp", '"wire/token.hpp"', None)
        self.expect("host/a.cpp", '"runtime/runner.hpp"', None)
        self.expect("plugins/p/a.cpp", "<distributo/plugin.hpp>", None)
        self.expect("tests/unit/a.cpp", '"host/agent.hpp"', None)
        self.expect("coordinator/main.cpp", '"coordinator/api/api.hpp"', None)

    def test_base_includes_nothing_of_ours(self):
        self.expect("sdk/base/a.hpp", '"wire/token.hpp"', "module wire")

    def test_core_does_no_io(self):
        self.expect("coordinator/core/a.cpp", "<boost/asio/io_context.hpp>", "must not use")
        self.expect("coordinator/core/a.cpp", '"net/connection.hpp"', "module net")

    def test_api_and_sessions_do_not_know_each_other(self):
        self.expect("coordinator/api/a.cpp", '"coordinator/sessions/s.hpp"', "module sessions")
        self.expect("coordinator/sessions/a.cpp", '"coordinator/api/s.hpp"', "module api")

    def test_cli_is_a_client(self):
        self.expect("coordinator/cli/a.cpp", '"coordinator/core/task.hpp"', "module core")

    def test_plugins_see_the_public_headers_only(self):
        self.expect("plugins/p/a.cpp", '"base/result.hpp"', "module base")

    def test_product_code_does_not_include_tests(self):
        self.expect("host/a.cpp", '"tests/support/x.hpp"', "module tests")

    def test_heavy_headers_stay_in_sources(self):
        self.expect("sdk/net/a.hpp", "<boost/beast.hpp>", "a header must not include")

    def test_beast_stays_in_few_sources(self):
        files = {f"sdk/net/a{i}.cpp": "#include <boost/beast/core.hpp>\n" for i in range(5)}
        code, output = run("layers", files)
        self.assertEqual(code, 1)
        self.assertIn("at most 4", output)


class SizesTest(unittest.TestCase):
    def test_a_long_file_is_named(self):
        code, output = run("sizes", {"host/a.cpp": "int x;\n" * 601, "tests/t.py": ""})
        self.assertEqual(code, 1)
        self.assertIn("host/a.cpp:1: 601 lines", output)

    def test_a_long_function_is_named(self):
        body = "void f() {\n" + "    g();\n" * 80 + "}\n"
        code, output = run("sizes", {"host/a.cpp": body, "tests/t.py": ""})
        self.assertEqual(code, 1)
        self.assertIn("host/a.cpp:1: f has 82 lines", output)

    def test_the_limits_themselves_pass(self):
        body = "void f() {\n" + "    g();\n" * 78 + "}\n"
        code, output = run("sizes", {"host/a.cpp": body + "int x;\n" * 520, "tests/t.py": ""})
        self.assertEqual(code, 0, output)


class WordsTest(unittest.TestCase):
    def test_unfinished_work_is_named(self):
        code, output = run("words", {"host/a.cpp": "int a;  // " + "TO" + "DO later\n"})
        self.assertEqual(code, 1)
        self.assertIn("host/a.cpp:1", output)

    def test_a_lambda_beside_co_await_is_named(self):
        code, output = run("words", {"host/a.cpp": "co_await f([x] {});\n"})
        self.assertEqual(code, 1)
        self.assertIn("lambda", output)


if __name__ == "__main__":
    unittest.main()
