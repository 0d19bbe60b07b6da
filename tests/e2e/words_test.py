"""The README's example: a list of words through a generator, two hosts and a sink, with the
coordinator killed half way."""
import json
import pathlib
import shutil
import signal
import unittest

from harness import BUILD, ROOT, EndToEnd, eventually

WORDS = pathlib.Path("/usr/share/dict/words")


class WordsTest(EndToEnd):
    def lines(self):
        return self.results.read_bytes().count(b"\n") if self.results.exists() else 0

    def test_each_word_has_one_line_although_the_coordinator_is_killed_half_way(self):
        folder = self.kept_folder()
        example = shutil.copy(ROOT / "docs" / "examples" / "words.toml", folder)
        self.results = folder / "results.jsonl"
        words = [word for word in WORDS.read_text().split("\n") if word]
        arguments = ("--config", example, "--plugin-dir", BUILD / "plugins")
        first = self.coordinator(*arguments, memory=False, folder=folder)
        for name in ("one", "two"):
            self.host(first, "--name", name, "--slots", "1", plugins=BUILD / "plugins",
                      wait_for=None)
        eventually("a part is done", lambda: self.lines() > len(words) // 4)
        first.stop(signal.SIGKILL)
        self.assertLess(self.lines(), len(words), "it was killed too late to show anything")
        second = self.coordinator(*arguments, memory=False, folder=folder, port=first.port)
        eventually("every word is there", lambda: self.lines() >= len(words))
        generator = second.request("GET", "/v1/generators/words")[1]
        eventually("nothing is left", lambda: second.request("GET", "/v1/sinks/results")[1]["lag"] == 0)
        found = [json.loads(line) for line in self.results.read_text().splitlines()]
        self.assertEqual(sorted(one["payload"]["word"] for one in found), sorted(words))
        self.assertEqual({one["state"] for one in found}, {"completed"})
        self.assertEqual(generator["emitted"], len(words))


if __name__ == "__main__":
    unittest.main()
