#!/usr/bin/python3
"""The shipped plugins do their work through a real coordinator and a real host."""
import base64
import hashlib
import pathlib
import struct
import tempfile
import unittest
import zlib

from harness import BUILD, EndToEnd, eventually

# As an operator opens a folder to the plugins that write.
CONFIG = """
[plugin.compress]
writable = ["FOLDER"]
config = { max_output_bytes = 2000000 }
[plugin.image]
writable = ["FOLDER"]
"""


def grey_png(width, height):
    """A grey ramp."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(x * 256 // width for x in range(width)) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class ShippedTest(EndToEnd):
    def setUp(self):
        super().setUp()
        own = tempfile.TemporaryDirectory(prefix="dto-")
        self.addCleanup(own.cleanup)
        self.folder = pathlib.Path(own.name)
        config = self.folder / "host.toml"
        config.write_text(CONFIG.replace("FOLDER", str(self.folder / "open")), encoding="utf-8")
        self.folder = self.folder / "open"
        self.folder.mkdir()
        self.main = self.coordinator()
        self.host(self.main, "--config", config, plugins=BUILD / "plugins", wait_for="hash.digest")

    def run_task(self, kind, payload, **members):
        """The task once it has ended."""
        eventually(f"{kind} is offered", lambda: kind in self.main.offered())
        return self.main.ended(self.main.submit(kind, payload, **members))

    def result(self, kind, payload):
        task = self.run_task(kind, payload)
        self.assertEqual(task["state"], "completed", task)
        return self.main.request("GET", f"/v1/tasks/{task['id']}/result")[1]

    def failure(self, kind, payload):
        task = self.run_task(kind, payload, max_attempts=1)
        self.assertEqual(task["state"], "failed", task)
        return task["reason"], task["error"]

    def test_basics(self):
        payload = {"any": ["thing", 1, None]}
        self.assertEqual(self.result("echo", payload), payload)
        self.assertEqual(self.result("sleep", {"ms": 1}), {"ms": 1, "attempt": 1})
        self.assertEqual(self.failure("sleep", {"ms": 0, "fail": "permanent"}),
                         ("permanent", "failed as payload.fail asked: permanent"))
        retried = self.run_task("sleep", {"ms": 0, "fail": "retry", "fail_attempts": 1,
                                          "retry_after_ms": 1})
        self.assertEqual((retried["state"], retried["attempts"]), ("completed", 2))

    def test_hash(self):
        content = bytes(range(256)) * 20_000
        path = self.folder / "input"
        path.write_bytes(content)
        wanted = hashlib.sha256(content).hexdigest()
        self.assertEqual(self.result("hash.digest", {"path": str(path), "expect": wanted}),
                         {"algorithm": "sha256", "digest": wanted, "bytes": len(content)})
        self.assertEqual(self.result("hash.digest", {"base64": base64.b64encode(b"abc").decode(),
                                                     "algorithm": "blake2b512"})["digest"],
                         hashlib.blake2b(b"abc").hexdigest())
        path.write_bytes(b"damaged")
        reason, error = self.failure("hash.digest", {"path": str(path), "expect": wanted})
        self.assertEqual(reason, "permanent")
        self.assertIn(f"{path}: sha256 is {hashlib.sha256(b'damaged').hexdigest()}", error)

    def test_compress(self):
        content = "".join(f"line {i * 7919}\n" for i in range(100_000)).encode()
        plain, packed, back = (self.folder / name for name in ("plain", "packed.zst", "back"))
        plain.write_bytes(content)
        there = self.result("compress.zstd", {"input": str(plain), "output": str(packed), "level": 5})
        self.assertEqual((there["input_bytes"], there["output_bytes"]),
                         (len(content), packed.stat().st_size))
        again = self.result("decompress.zstd", {"input": str(packed), "output": str(back)})
        self.assertEqual(again["output_bytes"], len(content))
        self.assertEqual(back.read_bytes(), content)
        packed.write_bytes(packed.read_bytes()[:-1])
        reason, error = self.failure("decompress.zstd", {"input": str(packed), "output": str(back)})
        self.assertEqual(reason, "permanent")
        self.assertIn(f"{packed} is truncated", error)
        plain.write_bytes(bytes(2_000_001))
        self.result("compress.zstd", {"input": str(plain), "output": str(packed)})
        reason, error = self.failure("decompress.zstd", {"input": str(packed), "output": str(back)})
        self.assertEqual(reason, "permanent")
        self.assertIn(f"{packed} holds more than 2000000 bytes", error)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["back", "packed.zst", "plain"])

    def test_image(self):
        picture, small = self.folder / "picture.png", self.folder / "small.png"
        picture.write_bytes(grey_png(400, 300))
        told = self.result("image.thumbnail", {"input": str(picture), "width": 100, "height": 100,
                                               "output": str(small)})
        written = small.read_bytes()
        self.assertEqual(told, {"width": 100, "height": 75, "format": "png", "bytes": len(written),
                                "source": {"width": 400, "height": 300, "format": "png"}})
        self.assertEqual(struct.unpack(">II", written[16:24]), (100, 75))
        told = self.result("image.thumbnail", {"input": str(small), "width": 50, "height": 50,
                                               "fit": "cover", "format": "jpeg"})
        jpeg = base64.b64decode(told["base64"])
        self.assertEqual((jpeg[:3], jpeg[-2:], len(jpeg)), (b"\xff\xd8\xff", b"\xff\xd9", told["bytes"]))
        picture.write_bytes(picture.read_bytes()[:-30])
        reason, error = self.failure("image.thumbnail", {"input": str(picture), "width": 9, "height": 9})
        self.assertEqual(reason, "permanent")
        self.assertIn(f"{picture}: cannot decode this PNG: it is truncated", error)


if __name__ == "__main__":
    unittest.main()
