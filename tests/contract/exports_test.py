#!/usr/bin/python3
"""Every plugin exports its entry function and nothing else: exports_test.py <plugin.so>..."""
import subprocess
import sys


def dynamic(path, *options):
    return subprocess.run(["nm", "-D", *options, path], check=True, capture_output=True,
                          text=True).stdout.splitlines()


bad = []
for path in sys.argv[1:]:
    exported = [line.split()[-1] for line in dynamic(path, "--defined-only")]
    if exported != ["distributo_module_v1"]:
        bad.append(f"{path} exports {len(exported)} symbols: {', '.join(exported[:5])}")
    flags = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True,
                           text=True).stdout
    if "NOW" not in flags:
        bad.append(f"{path} is not linked with -z now")
    if "RPATH" in flags or "RUNPATH" in flags:
        bad.append(f"{path} searches libraries in a folder of its own")
print("\n".join(bad) if bad else f"{len(sys.argv) - 1} plugins export one symbol each")
sys.exit(1 if bad or len(sys.argv) < 2 else 0)
