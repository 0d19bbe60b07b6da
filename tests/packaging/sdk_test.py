#!/usr/bin/python3
"""The SDK as others get it: sdk_test.py <build folder> <source folder>

Installs the component `sdk`, moves it, and builds the template of a plugin against it, as
`distributo plugin new` makes it; then the same against the build folder.
"""
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


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def copy_template(templates, target):
    """What `distributo plugin new` does: the token stands in file names and in texts."""
    for path in (templates / "task-cpp").rglob("*"):
        if path.is_file():
            place = target / str(path.relative_to(templates / "task-cpp")).replace("@NAME@", NAME)
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

    def build_plugin(self, templates, distributo, folder):
        copy_template(templates, folder)
        environment = dict(os.environ)
        if shutil.which("ccache"):
            environment["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build",
            f"-DDistributo_ROOT={distributo}", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror",
            env=environment)
        run("cmake", "--build", folder / "build")
        run("ctest", "--test-dir", folder / "build", "--output-on-failure", "--no-tests=error")
        self.assertTrue((folder / "build" / f"{NAME}.so").is_file())

    def test_a_plugin_builds_against_the_installed_sdk_wherever_it_is(self):
        templates = self.prefix / "share" / "distributo" / "templates"
        self.build_plugin(templates, self.prefix, self.root / "a" / NAME)

    def test_a_plugin_builds_against_the_build_folder(self):
        self.build_plugin(SOURCE / "templates", BUILD, self.root / "b" / NAME)

    def test_a_broken_plugin_fails_its_own_test(self):
        folder = self.root / "c" / NAME
        copy_template(SOURCE / "templates", folder)
        source = folder / f"{NAME}.cpp"
        source.write_text(source.read_text().replace("rbegin(), input.text.rend()",
                                                     "begin(), input.text.end()"))
        run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DDistributo_ROOT={self.prefix}")
        run("cmake", "--build", folder / "build")
        with self.assertRaisesRegex(AssertionError, "DESSERTS"):
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
