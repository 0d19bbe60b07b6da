"""Turns the API's specification into a C++ source: as it is, and converted to JSON.

usage: embed_spec.py openapi.yaml version out.cpp
"""
import json
import sys

import yaml

MAX_LITERAL = 12000  # MSVC's limit for one string literal is 16 KiB


def literal(text: str) -> str:
    pieces = [text[i:i + MAX_LITERAL] for i in range(0, len(text), MAX_LITERAL)]
    return "\n".join(f'R"spec({piece})spec"' for piece in pieces)


def main() -> None:
    source, version, out = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    document = yaml.safe_load(text)
    document["info"]["version"] = version
    converted = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    with open(out, "w", encoding="utf-8") as file:
        file.write('#include "coordinator/api/spec_text.hpp"\n\n'
                   "namespace distributo::coordinator::api::spec {\n\n"
                   f"std::string_view yaml() noexcept {{\n    return {literal(text)};\n}}\n\n"
                   f"std::string_view json() noexcept {{\n    return {literal(converted)};\n}}\n\n"
                   "}  // namespace distributo::coordinator::api::spec\n")


main()
