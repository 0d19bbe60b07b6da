"""Checks answers of the coordinator against docs/openapi.yaml.

As a module: Specification(path).check(method, target, status, content_type, body) raises
Violation. As a program: openapi_check.py [openapi.yaml] checks the specification itself.
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Violation(AssertionError):
    """An answer, or the specification, breaks its rules."""


class Specification:
    def __init__(self, file):
        self.document = yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8"))
        self.resolver = jsonschema.RefResolver("", self.document)
        # Paths without parameters come first: they win over those that could match too.
        self.paths = [(re.compile("".join(self._segment(part) for part in
                                          re.split(r"(\{[^}]+\})", path)) + r"\Z"), path)
                      for path in sorted(self.document["paths"], key=lambda path: "{" in path)]

    @staticmethod
    def _segment(part):
        return "[^/]+" if part.startswith("{") else re.escape(part)

    def operation(self, method, target):
        """(path template, operation); None where the specification has none."""
        path = target.split("?")[0]
        for pattern, template in self.paths:
            if pattern.match(path):
                return template, self.document["paths"][template].get(method.lower())
        return None, None

    def check(self, method, target, status, content_type, body):
        """`body`: bytes as received, without transfer encoding."""
        where = f"{method} {target} -> {status} {content_type}"
        bodiless = method.upper() == "HEAD"
        template, operation = self.operation("GET" if bodiless else method, target)
        if operation:
            responses = operation["responses"]
            response = responses.get(str(status)) or (status >= 400 and responses.get("default"))
            if not response:
                raise Violation(f"{where}: this status is not specified")
            response = self._resolved(response)
        elif status in (400, 403, 404, 405, 413, 415, 421, 431) and \
                (status != 404 or template is None):
            response = self.document["components"]["responses"]["Problem"]
        else:
            raise Violation(f"{where}: nothing is specified there")
        if bodiless:
            if body:
                raise Violation(f"{where}: an answer to HEAD has no body")
            return
        kind = content_type.split(";")[0].strip().lower()
        if kind not in response["content"]:
            raise Violation(f"{where}: expected one of {sorted(response['content'])}")
        self._check_content(where, kind, response["content"][kind]["schema"], body, status)

    def _check_content(self, where, kind, schema, body, status):
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Violation(f"{where}: not UTF-8: {error}") from None
        if kind.endswith("ndjson"):
            if text and not text.endswith("\n"):
                raise Violation(f"{where}: the last line has no end")
            values = [self._decoded(where, line) for line in text.split("\n")[:-1]]
        elif kind.endswith("json"):
            values = [self._decoded(where, text)]
        else:
            values = [text]
        for value in values:
            self._check_value(where, schema, value)
        if kind == "application/problem+json" and values[0]["status"] != status:
            raise Violation(f"{where}: the problem says {values[0]['status']}")

    def _check_value(self, where, schema, value):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        # The one that is deepest in the document says most.
        errors = sorted(validator.iter_errors(value), key=lambda error: -len(error.absolute_path))
        if errors:
            pointer = "".join(f"/{step}" for step in errors[0].absolute_path)
            raise Violation(f"{where}: {pointer or 'the body'}: {errors[0].message}")

    def check_request(self, method, target, content_type, body):
        """Is this a request as the specification describes it?"""
        where = f"{method} {target} {content_type}"
        _, operation = self.operation(method, target)
        if not operation or "requestBody" not in operation:
            raise Violation(f"{where}: no body is specified")
        content = operation["requestBody"]["content"]
        kind = content_type.split(";")[0].strip().lower()
        if kind not in content:
            raise Violation(f"{where}: expected one of {sorted(content)}")
        lines = body.decode().splitlines() if kind.endswith("ndjson") else [body.decode()]
        for line in lines:
            self._check_value(where, content[kind]["schema"], self._decoded(where, line))

    def check_itself(self):
        """References resolve, schemas are schemas, path parameters are declared."""
        self._check_references(self.document)
        for name, schema in self.document["components"]["schemas"].items():
            try:
                jsonschema.Draft202012Validator.check_schema(schema)
            except jsonschema.SchemaError as error:
                raise Violation(f"schema {name}: {error.message}") from None
        operations = set()
        for path, item in self.document["paths"].items():
            for method in set(item) & set(METHODS):
                operation = item[method]
                if operation["operationId"] in operations:
                    raise Violation(f"two operations are called {operation['operationId']}")
                operations.add(operation["operationId"])
                declared = [self._resolved(parameter) for parameter in
                            item.get("parameters", []) + operation.get("parameters", [])]
                names = {entry["name"] for entry in declared if entry["in"] == "path"}
                if names != set(re.findall(r"\{([^}]+)\}", path)):
                    raise Violation(f"{method} {path}: path parameters {sorted(names)}")

    def _check_references(self, node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                self._resolved(node)
            for value in node.values():
                self._check_references(value)
        elif isinstance(node, list):
            for value in node:
                self._check_references(value)

    def _resolved(self, node):
        if "$ref" not in node:
            return node
        try:
            return self.resolver.resolve(node["$ref"])[1]
        except jsonschema.RefResolutionError:
            raise Violation(f"{node['$ref']} does not exist") from None

    @staticmethod
    def _decoded(where, text):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise Violation(f"{where}: not JSON: {error}: {text[:200]!r}") from None


if __name__ == "__main__":
    default = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
    Specification(sys.argv[1] if len(sys.argv) > 1 else default).check_itself()
    print("openapi: clean")
