#!/usr/bin/python3
"""The SDK as others get it: sdk_test.py <build folder> <source folder>

Installs the component `sdk`, moves it, and builds the template of a plugin against it, as
`distributo plugin new` makes it; then the same against the build folder.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
del sys.argv[1:3]
NAME = "word_count"
TEMPLATES = ("task-cpp", "task-c", "generator-cpp", "sink-cpp")  # that CMake builds
COMMAND = BUILD / "bin" / "distributo"


def run(*command, **options):
    options.setdefault("stderr", subprocess.STDOUT)
    result = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                            **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def copy_template(templates, target, template="task-cpp"):
    """What `distributo plugin new` does: the token stands in file names and in texts."""
    for path in (templates / template).rglob("*"):
        if path.is_file():
            place = target / str(path.relative_to(templates / template)).replace("@NAME@", NAME)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(path.read_text().replace("@NAME@", NAME))


class SdkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", cls.root / "first")
        cls.prefix = cls.root / "moved"
        shutil.move(cls.root / "first", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def build_plugin(self, templates, distributo, folder, template="task-cpp"):
        copy_template(templates, folder, template)
        environment = dict(os.environ)
        if shutil.which("ccache"):
            environment["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build",
            f"-DDistributo_ROOT={distributo}", f"-DDISTRIBUTO_PROGRAM={COMMAND}",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror",
            env=environment)
        run("cmake", "--build", folder / "build")
        tests = run("ctest", "--test-dir", folder / "build", "--output-on-failure", "--no-tests=error")
        self.assertIn(f"{NAME}_test", tests)
        plugin = folder / "build" / f"{NAME}.so"
        self.assertIn(f"{NAME}.check", tests)
        if (folder / "sample.json").exists():
            self.assertTrue(run(COMMAND, "plugin", "run", plugin, stderr=subprocess.DEVNULL))
        self.assert_exports_one_symbol(plugin)

    def assert_exports_one_symbol(self, plugin):
        symbols = run("nm", "-D", "--defined-only", plugin).split("\n")[:-1]
        self.assertEqual([line.split()[2] for line in symbols], ["distributo_module_v1"])

    def test_a_plugin_builds_against_the_installed_sdk_wherever_it_is(self):
        templates = self.prefix / "share" / "distributo" / "templates"
        for template in TEMPLATES:
            self.build_plugin(templates, self.prefix, self.root / "a" / template / NAME, template)

    def test_a_plugin_builds_against_the_build_folder(self):
        for template in TEMPLATES:
            self.build_plugin(SOURCE / "templates", BUILD, self.root / "b" / template / NAME, template)

    def test_a_plugin_in_rust_needs_rustc_and_nothing_else(self):
        folder = self.root / "rust" / NAME
        copy_template(self.prefix / "share" / "distributo" / "templates", folder, "task-rust")
        run("make", "-C", folder, f"DISTRIBUTO={COMMAND}", "RUSTC=rustc -D warnings")
        run("make", "-C", folder, "test", "RUSTC=rustc -D warnings")
        run("make", "-C", folder, "check", f"DISTRIBUTO={COMMAND}")
        result = run(COMMAND, "plugin", "run", folder / f"{NAME}.so", stderr=subprocess.DEVNULL)
        self.assertEqual(json.loads(result), {"factors": [2, 2, 3, 7]})
        self.assert_exports_one_symbol(folder / f"{NAME}.so")

    def test_a_plugin_in_python_needs_no_build(self):
        folder = self.root / "python" / NAME
        copy_template(self.prefix / "share" / "distributo" / "templates", folder, "task-python")
        tests = run("/usr/bin/python3", "-B", "-m", "unittest", "discover", "-s", "tests", "-p", "*_test.py",
                    cwd=folder, env=dict(os.environ, DISTRIBUTO=str(COMMAND)))
        self.assertRegex(tests, r"Ran [1-9]\d* tests")
        run(COMMAND, "plugin", "check", folder / f"{NAME}.py")
        result = run(COMMAND, "plugin", "run", folder / f"{NAME}.py", stderr=subprocess.DEVNULL)
        self.assertEqual(json.loads(result), {"to": 2, "be": 2})

    def test_a_makefile_of_four_lines_builds_a_plugin(self):
        folder = self.root / "make"
        copy_template(SOURCE / "templates", folder, "task-c")
        (folder / "CMakeLists.txt").unlink()
        (folder / "Makefile").write_text(
            "CFLAGS += -O2 -fPIC $(shell pkg-config --cflags distributo)\n"
            "LDFLAGS += $(shell pkg-config --variable=plugin_ldflags distributo)\n"
            "%.so: %.c\n"
            "\t$(CC) $(CFLAGS) $< $(LDFLAGS) -o $@\n")
        environment = dict(os.environ)
        environment["PKG_CONFIG_PATH"] = str(next(self.prefix.rglob("distributo.pc")).parent)
        run("make", "-C", folder, f"{NAME}.so", env=environment)
        run(COMMAND, "plugin", "check", folder / f"{NAME}.so")
        self.assert_exports_one_symbol(folder / f"{NAME}.so")

    def test_a_broken_plugin_fails_its_own_test(self):
        folder = self.root / "c" / NAME
        copy_template(SOURCE / "templates", folder)
        source = folder / f"{NAME}.cpp"
        source.write_text(source.read_text().replace("c - 'a' + 'A'", "c - 'a' + 'a'"))
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DDistributo_ROOT={self.prefix}")
        run("cmake", "--build", folder / "build")
        with self.assertRaisesRegex(AssertionError, "DESSERTS"):
            run("ctest", "--test-dir", folder / "build", "--output-on-failure")

    def test_a_generator_that_forgets_where_it_is_fails_its_own_test(self):
        folder = self.root / "g" / NAME
        copy_template(SOURCE / "templates", folder, "generator-cpp")
        source = folder / f"{NAME}.cpp"
        text = source.read_text()
        changed = text.replace("Job{cursor.next}", "Job{++count_ * step_ - step_ + 1}") \
            .replace("last_, step_;", "last_, step_;\n    std::uint64_t count_ = 0;")
        self.assertEqual(changed.count("count_"), 2)
        source.write_text(changed)
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DDistributo_ROOT={self.prefix}")
        run("cmake", "--build", folder / "build")
        with self.assertRaisesRegex(AssertionError, "with room for 1: task 1 is "):
            run("ctest", "--test-dir", folder / "build", "--output-on-failure")

    def test_a_missing_symbol_fails_the_build_and_not_the_task(self):
        folder = self.root / "d"
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(d C)\nfind_package(Distributo REQUIRED)\n"
            "distributo_add_plugin(d SOURCES d.c)\n")
        (folder / "d.c").write_text("int nowhere(void);\nint call(void);\n"
                                    "int call(void) { return nowhere(); }\n")
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build",
            f"-DDistributo_ROOT={self.prefix}")
        with self.assertRaisesRegex(AssertionError, "nowhere"):
            run("cmake", "--build", folder / "build")

    def test_pkg_config_is_enough_for_a_plugin_in_c(self):
        environment = dict(os.environ)
        place = next(self.prefix.rglob("distributo.pc")).parent
        environment["PKG_CONFIG_PATH"] = str(place)
        flags = run("pkg-config", "--cflags", "distributo", env=environment).split()
        link = run("pkg-config", "--variable=plugin_ldflags", "distributo", env=environment).split()
        plugin = self.root / "minimal.so"
        run("gcc", "-fPIC", *flags, SOURCE / "tests/support/plugins/minimal.c", *link, "-o", plugin)
        self.assertIn("distributo_module_v1", run("nm", "-D", "--defined-only", plugin))

    def test_nothing_of_this_machine_is_installed(self):
        for path in self.prefix.rglob("*"):
            if path.is_file():
                self.assertNotIn(str(SOURCE).encode(), path.read_bytes(), path)

    def test_only_the_versions_that_fit_are_found(self):
        for version, fits in (("0.1", True), ("99.0", False)):
            folder = self.root / f"version-{version}"
            folder.mkdir()
            (folder / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.25)\nproject(v C)\n"
                f"find_package(Distributo {version} QUIET)\n"
                "if(NOT Distributo_FOUND)\nmessage(FATAL_ERROR none)\nendif()\n")
            result = subprocess.run(["cmake", "-S", folder, "-B", folder / "build",
                                     f"-DDistributo_ROOT={self.prefix}"], capture_output=True)
            self.assertEqual(result.returncode == 0, fits, version)


if __name__ == "__main__":
    unittest.main()
