#!/usr/bin/env python3
"""Makes the sources with faults that the simulation must find.

usage: mutate.py MUTANTS.toml SOURCE_DIR OUTPUT_DIR

Every mutant names a text that stands once in a source, and what stands there instead; in the new
text MUTANT is true while that fault is switched on. Writes each source with all its mutants, and
mutant_list.inc with a line MUTANT_ENTRY(name, breaks, killed by, fits) for each. A mutant whose text
is gone from its source is left out and marked: the test says so, the build goes on.
"""

import pathlib
import sys
import tomllib


def main(mutants_file, source_dir, output_dir):
    mutants = tomllib.loads(pathlib.Path(mutants_file).read_text())["mutant"]
    sources = {}
    entries = []
    for number, mutant in enumerate(mutants):
        path = mutant["file"]
        if path not in sources:
            sources[path] = (pathlib.Path(source_dir) / path).read_text()
        fits = sources[path].count(mutant["old"]) == 1
        if fits:
            switched = mutant["new"].replace(
                "MUTANT", f"::distributo::simulation::is_mutant({number})")
            sources[path] = sources[path].replace(mutant["old"], switched)
        texts = ", ".join(f'"{mutant[key]}"' for key in ("name", "breaks", "killed_by"))
        entries.append(f"MUTANT_ENTRY({texts}, {'true' if fits else 'false'})\n")
    for path, text in sources.items():
        target = pathlib.Path(output_dir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text('#include "tests/simulation/mutants.hpp"\n' + text)
    (pathlib.Path(output_dir) / "mutant_list.inc").write_text("".join(entries))


if __name__ == "__main__":
    main(*sys.argv[1:])
