#!/usr/bin/python3
"""abi.h compiles everywhere, and its layout is what was locked, on every machine.

    abi_test.py <folder of the headers>

Every compiler that is named here must be there: `.ci/install test` installs them.
"""
import concurrent.futures
import pathlib
import platform
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
EARLIER = sorted(HERE.glob("abi-*"))
GOLDEN = sorted((HERE / "golden").glob("[0-9]*"))
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wpadded", "-Werror"]
C = ("c11", "c17")
CXX = ("c++11", "c++17", "c++20")

# (command, dialects). On an x86-64 machine the compiler of the house also speaks 32 bits, and the
# one for the other common server is a package; elsewhere clang covers both.
PACKAGED = [(["gcc"], C), (["g++"], CXX), (["clang-14"], C), (["clang++-14"], CXX),
            (["x86_64-w64-mingw32-gcc-posix"], C), (["x86_64-w64-mingw32-g++-posix"], CXX)]
if platform.machine() == "x86_64":
    PACKAGED += [(["aarch64-linux-gnu-gcc"], C), (["aarch64-linux-gnu-g++"], CXX),
                 (["gcc", "-m32", "-ffreestanding"], C), (["g++", "-m32", "-ffreestanding"], CXX)]
TARGETS = ["x86_64-linux-gnu", "i686-linux-gnu", "aarch64-linux-gnu", "armv7-linux-gnueabihf",
           "riscv64-linux-gnu", "powerpc64le-linux-gnu", "s390x-linux-gnu", "x86_64-linux-musl",
           "x86_64-pc-windows-msvc", "i686-pc-windows-msvc", "aarch64-pc-windows-msvc",
           "x86_64-w64-mingw32", "i686-w64-mingw32", "x86_64-apple-macos12", "arm64-apple-macos12"]
COMPILERS = list(PACKAGED)
for target in TARGETS:
    COMPILERS.append((["clang-14", f"--target={target}", "-ffreestanding"], C))
    COMPILERS.append((["clang++-14", f"--target={target}", "-ffreestanding", "-nostdinc++"], CXX))


def compile_lock(command, dialect, include=INCLUDE, lock=HERE / "layout_lock.inc"):
    """What the compiler complains about; empty when it is content."""
    language = "c++" if "++" in dialect else "c"
    result = subprocess.run([*command, f"-std={dialect}", *WARNINGS, "-fsyntax-only", "-x", language,
                             f"-I{include}", f'-DLOCK="{lock}"', HERE / "lock.c"],
                            capture_output=True, text=True)
    return f"{' '.join(command)} {dialect}\n{result.stderr}" if result.returncode else ""


def compile_changed(before, after):
    text = HEADER.read_text()
    if before not in text:
        raise AssertionError(f"not in abi.h: {before}")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "distributo").mkdir()
        (pathlib.Path(folder) / "distributo" / "abi.h").write_text(text.replace(before, after))
        return [compile_lock([compiler], dialect, folder)
                for compiler, dialect in (("gcc", "c11"), ("g++", "c++17"))]


class LayoutTest(unittest.TestCase):
    def everywhere(self, lock):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(compile_lock, command, dialect, lock=lock)
                    for command, dialects in COMPILERS for dialect in dialects]
            self.assertEqual("".join(job.result() for job in jobs), "")

    def test_every_compiler_sees_the_locked_layout(self):
        self.everywhere(HERE / "layout_lock.inc")

    def test_the_earlier_versions_are_still_in_it(self):
        for folder in EARLIER:
            for command, dialects in PACKAGED[:4]:
                self.assertEqual(compile_lock(command, dialects[0], lock=folder / "layout_lock.inc"), "")

    def test_the_lock_is_what_the_header_says(self):
        for lock, header in ((HERE / "layout_lock.inc", HEADER),
                             *((folder / "layout_lock.inc", folder / "distributo" / "abi.h")
                               for folder in EARLIER)):
            generated = "\n".join(layout_lock.lock(abi_header.parse(header))) + "\n"
            self.assertEqual(lock.read_text(), generated,
                             "run layout_lock.py and look at the difference")

    def test_the_lock_notices_what_breaks_old_plugins(self):
        for what, (before, after) in {
                "a member changes its type": ("uint64_t seq;", "int64_t seq;"),
                "two members change places": ("dto_str name, version;  //",
                                              "dto_str version, name;  //"),
                "an enumerator is renumbered": ("DTO_PERMANENT = -1", "DTO_PERMANENT = -9"),
                "a flag moves": ("DTO_TASK_ASYNC = 1u << 1", "DTO_TASK_ASYNC = 1u << 9"),
                "a parameter is added": ("(void* instance);", "(void* instance, int why);"),
                "a parameter changes its type": ("uint64_t size, void** out",
                                                 "int64_t size, void** out"),
                "a result changes its type": ("int64_t(DTO_CALL* remaining_ms)",
                                              "uint64_t(DTO_CALL* remaining_ms)"),
                "a member goes away": ("    uint32_t cpu_slots;", "    "),
                "a frozen type grows": ("} dto_str;", "    size_t capacity;\n} dto_str;"),
                "padding slips in": ("    dto_str host_id;\n} dto_setup;",
                                     "    dto_str host_id;\n    char last;\n} dto_setup;"),
                "an id is spelled otherwise": ('"distributo.cache/1"', '"distributo.cache/01"'),
                "the status becomes longer": ("typedef int32_t dto_status;",
                                              "typedef int64_t dto_status;"),
        }.items():
            for complaint in compile_changed(before, after):
                self.assertNotEqual(complaint, "", what)

    def test_the_lock_allows_members_at_the_end(self):
        grown = compile_changed("} dto_task_api;",
                                "    void* later;\n    void* even_later;\n} dto_task_api;")
        self.assertEqual(grown, ["", ""])


class GrowthTest(unittest.TestCase):
    """Today's header against each earlier one, declaration by declaration."""

    earlier = [abi_header.parse(folder / "distributo" / "abi.h") for folder in EARLIER]
    today = abi_header.parse(HEADER)

    def test_every_earlier_version_was_kept(self):
        self.assertEqual([header.version for header in self.earlier],
                         [(1, minor) for minor in range(self.today.version[1])])

    def test_members_were_only_appended(self):
        for header in self.earlier:
            for before in header.structs:
                now = self.today.struct(before.name)
                kept = [(m.name, m.type) for m in now.members[:len(before.members)]]
                self.assertEqual(kept, [(m.name, m.type) for m in before.members], before.name)
                if before.frozen or now.frozen:
                    self.assertEqual(len(now.members), len(before.members), before.name)

    def test_what_was_appended_says_since_when(self):
        newer = [*self.earlier[1:], self.today]
        for before, now in zip(self.earlier, newer):
            for struct in now.structs:
                known = [s for s in before.structs if s.name == struct.name]
                for member in struct.members[len(known[0].members):] if known else []:
                    self.assertTrue(member.doc.startswith(f"Since 1.{now.version[1]}. "),
                                    f"{struct.name}.{member.name}")

    def test_constants_and_types_were_only_added(self):
        def constants(header):
            return {(c.name, c.value) for e in header.enumerations for c in e.constants} | {
                (m.name, m.value) for m in header.macros if m.name != "DTO_ABI_MINOR"}

        for header in self.earlier:
            self.assertEqual(constants(header) - constants(self.today), set())
            self.assertEqual({(a.name, a.type) for a in header.aliases}
                             - {(a.name, a.type) for a in self.today.aliases}, set())


LATER_PLUGIN = """
#include <distributo/detail/host.hpp>
using namespace distributo::detail;
static std::uint32_t size;  // of the table of an older host
static const void* DTO_CALL get_service(const dto_host*, const char*) { return &size; }
template <class Service>
static bool found(std::size_t bytes) {
    size = static_cast<std::uint32_t>(bytes);
    dto_host host{};
    host.struct_size = sizeof host;
    host.get_service = &get_service;
    return Host(host).service<Service>("") != nullptr;
}
template <class Service>
static bool right() {  // the last member is the one that was appended
    return found<Service>(sizeof(Service) - sizeof(void*)) && !found<Service>(4);
}
int main() { return right<dto_artifacts>() && right<dto_cache>() && right<dto_emit>() ? 0 : 1; }
"""


class LaterPluginTest(unittest.TestCase):
    def test_finds_services_whose_tables_have_grown_since(self):
        with tempfile.TemporaryDirectory() as folder:
            include = pathlib.Path(folder) / "include"
            shutil.copytree(INCLUDE, include)
            header = include / "distributo" / "abi.h"
            text = header.read_text()
            for service in ("dto_artifacts", "dto_cache", "dto_emit"):
                self.assertIn(f"}} {service};", text)
                text = text.replace(f"}} {service};", f"    void* later;\n}} {service};")
            header.write_text(text)
            program = pathlib.Path(folder) / "later"
            subprocess.run(["g++", "-std=c++20", "-x", "c++", f"-I{include}", "-o", program, "-"],
                           input=LATER_PLUGIN, text=True, check=True)
            self.assertEqual(subprocess.run([program]).returncode, 0)


class SourceTest(unittest.TestCase):
    """What authors wrote against an older header, compiled with today's."""

    def setUp(self):
        own = tempfile.TemporaryDirectory()
        self.addCleanup(own.cleanup)
        self.folder = pathlib.Path(own.name)
        # The headers of Boost serve every machine, the others in that folder only their own.
        (self.folder / "boost").symlink_to("/usr/include/boost")

    def compile(self, command, source, *options):
        done = subprocess.run([*command, "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", "-isystem",
                               self.folder, f'-DGOLDEN="{source.parent.name}"', source, *options],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{command} {source}\n{done.stderr}")

    def test_still_compiles(self):
        for folder in GOLDEN:
            for command, dialects in PACKAGED:
                source = folder / ("golden.cpp" if dialects is CXX else "golden.c")
                if "-m32" not in command:  # there is no C library for it
                    self.compile([*command, f"-std={dialects[-1]}"], source, "-fsyntax-only")

    def test_exports_its_entry_function_and_nothing_else_on_windows(self):
        for folder in GOLDEN:
            for name, compiler, dialect in (("golden.c", "gcc", "c11"), ("golden.cpp", "g++", "c++20")):
                library = self.folder / "plugin.dll"
                self.compile([f"x86_64-w64-mingw32-{compiler}-posix", f"-std={dialect}", "-shared"],
                             folder / name, "-o", library)
                listing = subprocess.run(["objdump", "-p", library], check=True, capture_output=True,
                                         text=True).stdout
                table = listing.split("[Ordinal/Name Pointer] Table")[1].split("\n\n")[0]
                names = [line.split()[-1] for line in table.splitlines()[1:]]
                self.assertEqual(names, ["distributo_module_v1"])


if __name__ == "__main__":
    unittest.main()
