#!/usr/bin/python3
"""The commands for authors of plugins, as an author uses them: new, check, run, watch."""
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import unittest

from harness import BIN, BUILD, PATIENCE, TEST_PLUGINS

GOOD = BUILD / "plugins" / "syllables.so"
FAULTY = TEST_PLUGINS / "faulty"
LIMIT = 4 * PATIENCE  # a check is fifty processes


class AuthorTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="dto-author-")
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def cli(self, *arguments, expect=0, text=None, **options):
        """Runs `distributo`; returns its standard output, and standard error in self.errors."""
        done = subprocess.run([BIN / "distributo", *map(str, arguments)], text=True, input=text,
                              capture_output=True, timeout=LIMIT, cwd=self.folder, **options)
        self.errors = done.stderr
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path


class Check(AuthorTest):
    def test_a_good_plugin_gets_a_manifest(self):
        sample = self.write("word.json", {"type": "text.syllables", "payload": {"word": "example"}})
        text = self.cli("plugin", "check", GOOD, "--task", sample, "--manifest", "m.json")
        self.assertRegex(text, r"(?m)^  ok +execute\.samples ")
        self.assertRegex(text, r"\d+ ok, 0 failed, \d+ skipped")
        manifest = json.loads((self.folder / "m.json").read_text())
        self.assertEqual(manifest["name"], "distributo.syllables")
        self.assertEqual([each["name"] for each in manifest["types"]], ["text.syllables"])
        self.assertEqual(manifest["samples"],
                         [{"type": "text.syllables", "payload": {"word": "example"}}])
        self.assertRegex(manifest["glibc"], r"^2\.\d+")
        digest = subprocess.run(["sha256sum", GOOD], capture_output=True, text=True, check=True)
        self.assertEqual(manifest["sha256"], digest.stdout.split()[0])

    def test_json_says_the_same(self):
        report = json.loads(self.cli("--json", "plugin", "check", GOOD))["plugins"][0]
        self.assertTrue(report["ok"])
        self.assertEqual(report["module"]["name"], "distributo.syllables")
        checks = {each["id"]: each for each in report["checks"]}
        self.assertEqual(checks["elf.exports"]["status"], "ok")
        self.assertEqual(checks["execute.samples"]["status"], "skipped")
        self.assertIn("sample.json", checks["execute.samples"]["hint"])

    def test_each_group_has_its_exit_code(self):
        help_text = self.cli("plugin", "check", "--help")
        for plugin, group in (("second_export", "elf"), ("thread_at_load", "load"),
                              ("bad_name", "tables"), ("setup_fails", "lifecycle"),
                              ("crash", "abuse"), ("install_fails", "install"),
                              ("retries_malformed", "execute"), ("wants_newer", "negotiation"),
                              ("no_delete", "unload")):
            code = int(re.search(rf"(\d\d) {group}\b", help_text).group(1))
            sample = self.write("sample.json", {"type": "faulty.double", "payload": {"n": 21}})
            text = self.cli("plugin", "check", FAULTY / f"{plugin}.so", "--task", sample,
                            "--manifest", "never.json", expect=code)
            self.assertRegex(text, rf"(?m)^  FAILED +{group}\.", plugin)
            self.assertFalse((self.folder / "never.json").exists())
        self.write("text.so", "text")
        self.cli("plugin", "check", "text.so", expect=10)

    def test_a_folder_is_checked_whole_and_finds_its_samples(self):
        for name in ("none", "status"):
            shutil.copy(FAULTY / f"{name}.so", self.folder)
        self.write("none.sample.json", {"type": "faulty.double", "payload": {"n": 21}})
        text = self.cli("plugin", "check", ".", expect=15)
        self.assertIn("status 42", text)
        self.assertRegex(text, r"(?m)^  ok +execute\.samples ")

    def test_mistakes_are_explained(self):
        self.cli("plugin", "check", "nowhere", expect=4)
        self.cli("plugin", "check", self.folder, expect=4)
        self.assertIn("no plugin", self.errors)
        bad = self.write("bad.json", "{")
        self.cli("plugin", "check", GOOD, "--task", bad, expect=2)
        self.assertIn("bad.json", self.errors)
        self.cli("plugin", "check", GOOD, "--timeout", "soon", expect=2)


class Script(AuthorTest):
    def test_everything_of_a_script_is_checked(self):
        self.cli("plugin", "new", "words", "--lang", "python")
        text = self.cli("plugin", "check", "words", "--manifest", "m.json")
        self.assertRegex(text, r"(?m)^  ok +execute\.samples ")
        self.assertRegex(text, r"\d+ ok, 0 failed, \d+ skipped")
        manifest = json.loads((self.folder / "m.json").read_text())
        self.assertEqual((manifest["name"], [each["name"] for each in manifest["types"]]),
                         ("words", ["words:count", "words:count_lines"]))
        shutil.copy(self.folder / "m.json", self.folder / "words" / "words.manifest.json")
        self.assertRegex(self.cli("plugin", "check", "words/words.py"), r"(?m)^  ok +file\.manifest ")
        with open(self.folder / "words" / "words.py", "a") as script:
            script.write("x = (\n")
        text = self.cli("plugin", "check", "words/words.py", expect=10)
        self.assertIn("words.manifest.json is of another build", text)
        self.assertRegex(text, r"SyntaxError: '\(' was never closed \(words.py:\d+\)")

    def test_the_tests_of_its_template_pass(self):
        self.cli("plugin", "new", "words", "--lang", "python")
        subprocess.run(["/usr/bin/python3", "-B", "-m", "unittest", "discover", "-s", "tests", "-p", "*_test.py"],
                       cwd=self.folder / "words", check=True, capture_output=True, timeout=LIMIT,
                       env=dict(os.environ, DISTRIBUTO=str(BIN / "distributo")))


class Run(AuthorTest):
    def test_a_task_by_payload_file_and_standard_input(self):
        task = {"type": "text.syllables", "payload": {"word": "example"}}
        sample = self.write("sample.json", task)
        for arguments, text in ((["--payload", '{"word":"example"}'], None),
                                (["--task", sample], None), (["--task", "-"], json.dumps(task))):
            result = json.loads(self.cli("plugin", "run", GOOD, *arguments, text=text))
            self.assertEqual(result["word"], "example")
            self.assertIn("setup    distributo.syllables", self.errors)

    def test_the_sample_beside_the_plugin_is_the_default(self):
        shutil.copy(GOOD, self.folder)
        self.cli("plugin", "run", "syllables.so", expect=2)
        self.assertIn("sample.json", self.errors)
        self.write("sample.json", {"type": "text.syllables", "payload": {"word": "example"}})
        self.assertIn("example", self.cli("plugin", "run", "syllables.so"))

    def test_logs_progress_and_installs_are_shown(self):
        basics = TEST_PLUGINS / "good" / "test_basics.so"
        self.cli("plugin", "run", basics, "--type", "test.log", "--payload", '{"lines":2}')
        self.assertRegex(self.errors, r"(?m)^plugin  ")
        self.cli("plugin", "run", basics, "--type", "test.progress", "--payload", '{"steps":3}')
        self.assertRegex(self.errors, r"(?m)^progress ")
        installed = json.loads(self.cli("plugin", "run", TEST_PLUGINS / "good" / "test_install.so",
                                        "--payload", "{}", "--install", '{"value":"here"}'))
        self.assertEqual(installed, {"value": "here", "installs": 1})
        self.assertRegex(self.errors, r"(?m)^install  ")

    def test_repeated_runs_are_measured(self):
        text = self.cli("--json", "plugin", "run", GOOD, "--payload", '{"word":"a"}', "--repeat", 7)
        result = json.loads(text)
        self.assertEqual(len(result["elapsed_us"]), 7)
        self.assertEqual(result["different"], 0)

    def test_the_exit_code_says_how_it_went(self):
        basics = TEST_PLUGINS / "good" / "test_basics.so"
        self.cli("plugin", "run", GOOD, "--payload", '{"word":7}', expect=1)
        self.assertIn("payload.word", self.errors)
        self.cli("plugin", "run", basics, "--payload", "{}", expect=5)
        self.assertIn("test.echo", self.errors)
        self.cli("plugin", "run", basics, "--type", "test.sleep", "--payload", '{"ms":60000}',
                 "--timeout", "100ms", expect=6)
        self.cli("plugin", "run", FAULTY / "crash.so", "--payload", '{"n":21}', expect=1)
        self.assertIn("SIGSEGV", self.errors)
        self.assertIn("--gdb", self.errors)
        self.cli("plugin", "run", TEST_PLUGINS / "broken" / "test_text.so", "--payload", "{}", expect=2)
        self.cli("plugin", "run", TEST_PLUGINS / "broken" / "test_setup_fails.so", "--payload", "{}",
                 expect=5)

    def test_a_debugger_gets_the_plugin_in_its_process(self):
        self.assertIn("example", self.cli("plugin", "run", GOOD, "--in-process",
                                          "--payload", '{"word":"example"}'))
        tools = self.folder / "tools"
        tools.mkdir()
        stand_in = tools / "gdb"
        stand_in.write_text("#!/bin/sh\nwhile [ \"$1\" != --args ]; do shift; done\nshift\n"
                            "echo debugging >&2\nexec \"$@\"\n")
        stand_in.chmod(stat.S_IRWXU)
        environment = dict(os.environ, PATH=f"{tools}:/usr/bin:/bin")
        text = self.cli("plugin", "run", GOOD, "--gdb", "--payload", '{"word":"example"}',
                        env=environment)
        self.assertIn("example", text)
        self.assertIn("debugging", self.errors)
        self.cli("plugin", "run", GOOD, "--gdb", "--payload", '{"word":"a"}', expect=4,
                 env=dict(os.environ, PATH=str(self.folder)))
        self.assertIn("apt-get install gdb", self.errors)


class New(AuthorTest):
    def test_every_language_has_its_files(self):
        for language, source in (("c++", "a.cpp"), ("c", "b.c"), ("rust", "d.rs"),
                                 ("python", "f.py")):
            name = source.partition(".")[0]
            text = self.cli("plugin", "new", name, "--lang", language)
            self.assertIn(f"  {source}\n", text)
            self.assertIn("next:  cd", text)
            self.assertTrue((self.folder / name / "sample.json").is_file())
            for path in (self.folder / name).rglob("*"):
                self.assertNotIn("@NAME@", path.name if path.is_dir() else path.name + path.read_text())
        self.cli("plugin", "new", "e", "--lang", "cobol", expect=2)
        self.assertIn("--lang c++, c, rust, python", self.errors)
        for folder in ("generator-cpp", "sink-cpp"):
            name = folder.removesuffix("-cpp")
            self.assertIn(f"  {name}.cpp\n", self.cli("plugin", "new", name, "--template", folder))
        self.cli("plugin", "new", "e", "--lang", "", expect=2)
        self.assertIn("  g.py\n", self.cli("plugin", "new", "g", "--template", "task-python"))
        self.cli("plugin", "new", "h", "--template", "task-cobol", expect=2)
        self.assertIn("task-rust, task-python, generator-cpp, sink-cpp", self.errors)


class Watch(AuthorTest):
    def setUp(self):
        super().setUp()
        self.cli("plugin", "new", "counted", "--lang", "c")
        self.source = self.folder / "counted" / "counted.c"

    def replace(self, before, after):
        text = self.source.read_text()
        self.assertIn(before, text)
        self.source.write_text(text.replace(before, after))

    def test_one_round_says_how_it_went(self):
        text = self.cli("plugin", "watch", "counted", "--once", "--to", "plugins")
        self.assertIn('"sum":14', text)
        self.assertRegex(text, r"check +counted\.so: \d+ ok, 0 failed")
        self.assertTrue((self.folder / "plugins" / "counted.so").is_file())

        # Wrong in one way that a compiler does not see: it is not installed.
        (self.folder / "plugins" / "counted.so").unlink()
        self.replace('"0.1.0"', '"first"')
        text = self.cli("plugin", "watch", "counted", "--once", "--to", "plugins", expect=13)
        self.assertIn("tables.contract", text)
        self.assertFalse((self.folder / "plugins" / "counted.so").exists())

        self.replace('"first"', "first")
        text = self.cli("plugin", "watch", "counted", "--once", expect=1)
        self.assertIn("counted.c:", text)

    def test_every_save_is_a_round_until_it_is_interrupted(self):
        watch = subprocess.Popen([BIN / "distributo", "plugin", "watch", "counted", "--to", "plugins"],
                                 cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        self.addCleanup(lambda: (watch.kill(), watch.wait(), watch.stdout.close()))
        lines = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(line) for line in watch.stdout])
        reader.start()

        def wait_for(start):
            seen = ""
            while True:
                line = lines.get(timeout=LIMIT)
                seen += line
                if line.startswith(start):
                    return seen

        self.assertIn('"sum":14', wait_for("good"))
        self.replace("static int is_cancelled", "static int is_cancelled_is_not_finished(")
        self.assertIn("error", wait_for("FAILED"))
        self.replace("static int is_cancelled_is_not_finished(", "static int is_cancelled")
        self.assertIn("changed  counted.c", wait_for("good"))
        self.assertTrue((self.folder / "plugins" / "counted.so").is_file())
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(PATIENCE), 0)
        reader.join(PATIENCE)

    def test_a_script_needs_no_build(self):
        self.cli("plugin", "new", "words", "--lang", "python")
        text = self.cli("plugin", "watch", "words", "--once", "--to", "plugins")
        self.assertRegex(text, r'run +\{"to":2,"be":2\}')
        self.assertRegex(text, r"check +words\.py: \d+ ok, 0 failed")
        self.assertTrue((self.folder / "plugins" / "words.py").is_file())
        script = self.folder / "words" / "words.py"
        script.write_text(script.read_text().replace("import distributo", "import distribute"))
        text = self.cli("plugin", "watch", "words", "--once", "--to", "plugins", expect=14)
        self.assertIn("No module named 'distribute' (words.py:2)", text)

    def test_a_folder_that_cannot_be_built_is_explained(self):
        (self.folder / "empty").mkdir()
        self.cli("plugin", "watch", "empty", expect=2)
        self.assertIn("--build", self.errors)
        self.cli("plugin", "watch", "nowhere", expect=4)


if __name__ == "__main__":
    unittest.main()
