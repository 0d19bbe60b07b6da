"""Reads abi.h: what its generators and checks share.

    header = abi_header.parse("sdk/include/distributo/abi.h")
    for struct in header.structs:
        for member in struct.members: ...

The parser knows exactly the C that abi.h is written in and raises SyntaxError, naming the line, at
anything else, so that nothing can be left out by accident. Documentation is the text of the `//`
comments: above a declaration, or beside it, without the slashes, one string with line breaks.
"""
import dataclasses
import pathlib
import re

# Size and alignment by (64-bit, 32-bit) pointers. abi.h has no padding under the strictest
# alignment, so that it looks the same on machines that align 64-bit integers to 4 bytes.
SCALARS = {
    "int32_t": (4, 4), "uint32_t": (4, 4), "int64_t": (8, 8), "uint64_t": (8, 8),
    "double": (8, 8), "size_t": (8, 4), "intptr_t": (8, 4),
}


@dataclasses.dataclass(frozen=True)
class Type:
    """`const dto_task_type* const*` is base "dto_task_type", pointers (True, True): one entry per
    star from left to right, True where what that star points at is const."""
    base: str
    pointers: tuple = ()

    def __str__(self):
        text = ("const " if self.pointers and self.pointers[0] else "") + self.base
        for index in range(len(self.pointers)):
            constant = self.pointers[index + 1:index + 2] == (True,)
            text += "* const" if constant else "*"
        return text


@dataclasses.dataclass(frozen=True)
class Parameter:
    type: Type
    name: str  # "" where the header gives none


@dataclasses.dataclass(frozen=True)
class Function:
    result: Type
    parameters: tuple

    def __str__(self):
        given = ", ".join(f"{p.type} {p.name}".strip() for p in self.parameters)
        return f"{self.result}(DTO_CALL*)({given})"


@dataclasses.dataclass(frozen=True)
class Member:
    name: str
    type: object  # a Type, or a Function for a pointer to one
    doc: str
    line: int


@dataclasses.dataclass(frozen=True)
class Struct:
    name: str
    members: tuple
    doc: str
    line: int
    id: tuple  # ("DTO_SERVICE_EMIT", "distributo.emit/1"), or () when it is not found by name

    @property
    def frozen(self):
        return self.doc.startswith("FROZEN")


@dataclasses.dataclass(frozen=True)
class Constant:
    name: str
    value: object  # an int; for a macro also a str
    spelling: str  # "1u << 16"
    doc: str
    line: int


@dataclasses.dataclass(frozen=True)
class Enumeration:
    type: str  # "dto_status" where the values are of a named type, otherwise ""
    constants: tuple
    doc: str
    line: int


@dataclasses.dataclass(frozen=True)
class Alias:
    name: str
    type: object  # a Type; a Function for a pointer to one; None for a struct that stays opaque
    doc: str
    line: int


@dataclasses.dataclass(frozen=True)
class Header:
    path: pathlib.Path
    intro: str  # the comment at the top of the file
    macros: tuple  # of Constant: DTO_ABI_MAJOR, DTO_INTERFACE_TASK ...
    aliases: tuple
    structs: tuple
    enumerations: tuple

    @property
    def version(self):
        values = {macro.name: macro.value for macro in self.macros}
        return values["DTO_ABI_MAJOR"], values["DTO_ABI_MINOR"]

    def struct(self, name):
        return next(s for s in self.structs if s.name == name)

    def size(self, kind, bits):
        """(size, alignment) in bytes of a Type, Function or Struct on a machine of 64 or 32 bit."""
        column = 0 if bits == 64 else 1
        if isinstance(kind, Function) or (isinstance(kind, Type) and kind.pointers):
            return ((8, 8), (4, 4))[column]
        if isinstance(kind, Type):
            if kind.base in SCALARS:
                return (SCALARS[kind.base][column],) * 2
            for alias in self.aliases:
                if alias.name == kind.base:
                    return self.size(alias.type, bits)
            kind = self.struct(kind.base)
        end, alignment = 0, 1
        for member in kind.members:
            size, own = self.size(member.type, bits)
            if end % own:
                raise ValueError(f"{kind.name}.{member.name} would follow padding")
            end, alignment = end + size, max(alignment, own)
        if end % alignment:
            raise ValueError(f"{kind.name} would end in padding")
        return end, alignment

    def offsets(self, struct, bits):
        """{member name: offset}, in order."""
        found, end = {}, 0
        for member in struct.members:
            found[member.name] = end
            end += self.size(member.type, bits)[0]
        return found


def evaluate(spelling):
    """The value of a constant: an integer, perhaps negative, or a shift of one by another."""
    match = re.fullmatch(r"(-?\d+)u?(?:\s*<<\s*(\d+))?", spelling)
    if not match:
        raise SyntaxError(f"not a constant: {spelling}")
    return int(match.group(1)) << int(match.group(2) or 0)


def parse_type(text):
    """A Type, and the name behind it, if there is one."""
    tokens = re.findall(r"\w+|\*", text)
    tokens = [token for token in tokens if token != "struct"]
    constants, stars, words = [False], 0, []
    for token in tokens:
        if token == "*":
            stars += 1
            constants.append(False)
        elif token == "const":
            constants[-1] = True
        else:
            words.append(token)
    if not 1 <= len(words) <= 2:
        raise SyntaxError(f"not a declaration: {text}")
    return Type(words[0], tuple(constants[:stars])), (words[1:] or [""])[0]


def parse_function(result, arguments):
    parameters = [] if arguments.strip() in ("", "void") else arguments.split(",")
    return Function(parse_type(result)[0],
                    tuple(Parameter(*parse_type(parameter)) for parameter in parameters))


def parse_members(text, doc, line):
    function = re.fullmatch(r"(.*?)\(\s*DTO_CALL\s*\*\s*(\w+)\s*\)\s*\((.*)\)", text, re.S)
    if function:
        result, name, arguments = function.groups()
        return [Member(name, parse_function(result, arguments), doc, line)]
    first, *others = text.split(",")
    kind, name = parse_type(first)
    if not name or any(not re.fullmatch(r"\s*\w+", other) for other in others):
        raise SyntaxError(f"line {line}: not a member: {text}")
    return [Member(each.strip(), kind, doc, line) for each in (name, *others)]


class Reader:
    """Statements with their comments, taken from the lines of the file."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.index = 0

    def line(self):
        """(code, comment, column of the comment) of the current line, which is consumed."""
        text = self.lines[self.index]
        self.index += 1
        code, slashes, comment = text.partition("//")
        return code.rstrip(), comment.removeprefix(" ") if slashes else None, len(code)

    def beside(self, comment, column):
        """A comment beside code, with the lines below that continue it in the same column."""
        parts = [comment]
        while self.index < len(self.lines):
            text = self.lines[self.index]
            if column == 0 or not text.startswith(" " * column + "//") or text[:column].strip():
                break
            parts.append(self.line()[1])
        return "\n".join(parts)

    def statements(self, until, separator):
        """(text, documentation, line number) of each statement up to the line that matches."""
        above, text, first, beside = [], "", 0, []
        while True:
            if self.index == len(self.lines):
                raise SyntaxError(f"line {self.index}: the file ends within a declaration")
            number = self.index + 1
            if re.match(until, self.lines[self.index]):
                self.index += 1
                if text.strip():
                    yield text.strip(), "\n".join(beside or above), first
                return
            code, comment, column = self.line()
            if not code.strip():
                if comment is None:
                    above = [] if not text else above
                else:
                    above.append(comment)
                continue
            if comment is not None:
                beside.append(self.beside(comment, column))
            first = first if text else number
            text += code.strip() + " "
            if separator in code:
                yield text.strip().removesuffix(separator), "\n".join(beside or above), first
                if beside:
                    above = []
                text, beside = "", []


class Parser:
    """One pass over the file, declaration by declaration."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.reader = Reader(self.path.read_text())
        self.macros, self.aliases, self.structs, self.enumerations = [], [], [], []
        self.intro = None
        self.above = []
        self.id = ()

    def parse(self):
        while self.reader.index < len(self.reader.lines):
            number = self.reader.index + 1
            code, comment, column = self.reader.line()
            if comment is not None and not code:
                self.above.append(comment)
                continue
            beside = self.reader.beside(comment, column) if comment is not None else None
            if not code:
                self.end_of_paragraph()
            elif code.startswith("#"):
                self.macro(code, beside, number)
            else:
                self.declaration(code, beside, number)
        return Header(self.path, self.intro, tuple(self.macros), tuple(self.aliases),
                      tuple(self.structs), tuple(self.enumerations))

    def doc(self):
        return "\n".join(self.above)

    def end_of_paragraph(self):
        self.above, self.id = [], ()

    def macro(self, code, beside, number):
        if self.intro is None:
            self.intro = self.doc()
            self.above = []
        match = re.fullmatch(r"#define (DTO_\w+) (-?\d+u?|\"[^\"]*\")", code)
        if not match:
            return
        name, spelling = match.groups()
        value = spelling[1:-1] if spelling[0] == '"' else evaluate(spelling)
        self.macros.append(Constant(name, value, spelling, beside or self.doc(), number))
        if isinstance(value, str) and "/" in value:
            self.id = (name, value)

    def declaration(self, code, beside, number):
        struct = re.fullmatch(r"typedef struct (\w+) \{", code)
        opaque = re.fullmatch(r"typedef struct (\w+) \1;", code)
        function = re.fullmatch(r"typedef (.*?)\(DTO_CALL\s*\*\s*(\w+)\)\((.*)\);", code)
        alias = re.fullmatch(r"typedef (\w+) (\w+);", code)
        doc = beside or self.doc()
        if struct:
            name = struct.group(1)
            members = [member
                       for text, own, line in self.reader.statements(rf"\}} {name};", ";")
                       for member in parse_members(text, own, line)]
            self.structs.append(Struct(name, tuple(members), doc, number, self.id))
            self.end_of_paragraph()
        elif opaque:
            self.aliases.append(Alias(opaque.group(1), None, doc, number))
        elif function:
            result, name, arguments = function.groups()
            self.aliases.append(Alias(name, parse_function(result, arguments), doc, number))
        elif alias:
            self.aliases.append(Alias(alias.group(2), Type(alias.group(1)), doc, number))
        elif code.startswith("enum {"):
            self.enumeration(code, number)
        elif code not in ('extern "C" {', "}"):
            raise SyntaxError(f"{self.path}:{number}: not understood: {code}")

    def enumeration(self, code, number):
        if code.endswith("};"):
            statements = [(part, "", number) for part in code[6:-2].split(",")]
        else:
            statements = self.reader.statements(r"\};", ",")
        constants = []
        for text, own, line in statements:
            for part in filter(None, (p.strip() for p in text.split(","))):
                name, spelling = (side.strip() for side in part.split("="))
                constants.append(Constant(name, evaluate(spelling), spelling, own, line))
        before = self.reader.lines[number - 2]
        named = re.match(r"typedef int32_t (\w+);", before)
        self.enumerations.append(Enumeration(named.group(1) if named else "", tuple(constants),
                                             self.doc(), number))
        self.end_of_paragraph()


def parse(path):
    """The Header that the file holds."""
    return Parser(path).parse()
