#!/usr/bin/python3
"""The ABI in Rust is abi.h's: rust_abi_test.py <source folder>"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import abi_header

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
HEADER = SOURCE / "sdk" / "include" / "distributo" / "abi.h"
RUST = SOURCE / "templates" / "task-rust" / "distributo_abi.rs"


class RustAbiTest(unittest.TestCase):
    def test_the_file_in_the_template_is_up_to_date(self):
        made = subprocess.run([sys.executable, HERE / "rust_abi.py", HEADER], check=True,
                              capture_output=True, text=True).stdout
        self.assertEqual(made, RUST.read_text(), f"rust_abi.py {HEADER} > {RUST}")

    def test_every_table_lies_in_memory_as_in_c(self):
        header = abi_header.parse(HEADER)
        program = f'#[path = "{RUST}"] mod abi;\nuse abi::*;\nfn main() {{\n'
        for struct in header.structs:
            program += f"    let t: {struct.name} = unsafe {{ std::mem::zeroed() }};\n"
            program += f"    assert_eq!(std::mem::size_of_val(&t), {header.size(struct, 64)[0]});\n"
            for name, offset in header.offsets(struct, 64).items():
                member = "r#type" if name == "type" else name
                program += (f"    assert_eq!(std::ptr::addr_of!(t.{member}) as usize - "
                            f"std::ptr::addr_of!(t) as usize, {offset}, \"{struct.name}.{name}\");\n")
        program += "}\n"
        self.assertGreater(program.count("assert_eq!"), 150)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "layout.rs").write_text(program)
            subprocess.run(["rustc", "--edition", "2021", "-A", "unused", "-o", path / "layout",
                            path / "layout.rs"], check=True)
            subprocess.run([path / "layout"], check=True)


if __name__ == "__main__":
    unittest.main()
