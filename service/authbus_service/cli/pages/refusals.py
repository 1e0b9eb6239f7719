"""What the program refuses with, read from its own source: every text that a person can mend.

A refusal is a text of two parts, the cause and then the cure: the first sentence, and what follows.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from authbus import by_hand
from authbus_service.cli.errors import MENDABLE

N = TypeVar("N", bound=ast.AST)

PACKAGE = Path(__file__).parents[2]
_CONTRACT = Path(by_hand.__file__)
# A text that they raise becomes a ConfigError, behind the name of the setting.
_OF_SETTINGS = frozenset(
    f"core/{name}.py"
    for name in ("config", "kafka_settings", "mail_settings", "database_tls", "pooler")
)
_FINDINGS = ("cluster/", "startup/rights.py")
_BETWEEN = re.compile(r"\.\s+|\n")
_WORD = re.compile(r"[a-z]{2}")
_INDEX = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One text, with `{names}` where something is filled in. `kind` is the class of the error."""

    where: str
    kind: str
    cause: str
    cure: str


def refusals() -> list[Refusal]:
    """Every refusal, by the file that it is in."""
    return sorted({each for each in _found() if each.cause})


def passed_on() -> set[tuple[str, str]]:
    """Where an error takes the text of another: file and class. They are in no listing."""
    return {(each.where, each.kind) for each in _found() if not each.cause}


@cache
def _found() -> list[Refusal]:
    sources = [Source(each, PACKAGE) for each in PACKAGE.rglob("*.py")]
    sources.append(Source(_CONTRACT, _CONTRACT.parent))
    kinds = _kinds(sources)
    return [each for source in sources for each in source.refusals(kinds)]


def _kinds(sources: list["Source"]) -> dict[str, bool]:
    """The classes of errors that are for a person, and whether each has a text of its own."""
    known = {each.__name__: False for each in MENDABLE} | {"PortError": False, "ByHandError": False}
    classes = [node for source in sources for node in source.nodes(ast.ClassDef)]
    for _ in classes:
        more = {
            node.name: False
            for node in classes
            if node.name not in known and {ast.unparse(base) for base in node.bases} & known.keys()
        }
        if not more:
            break
        known |= more
    return known | {node.name: True for node in classes if node.name in known and _own(node)}


def _own(node: ast.ClassDef) -> ast.Call | None:
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
    return next((each for each in calls if ast.unparse(each.func) == "super().__init__"), None)


class Source:
    """One file of the program."""

    def __init__(self, path: Path, package: Path) -> None:
        """Read it; `package` is the folder of the outermost one around it."""
        self.path, self.package = path, package
        self.tree = ast.parse(path.read_text(encoding="utf-8"))

    @property
    def where(self) -> str:
        """The file's path inside the package."""
        return self.path.relative_to(self.package).as_posix()

    def nodes(self, kind: type[N]) -> Iterator[N]:
        """The nodes of one kind."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kind))

    def refusals(self, kinds: dict[str, bool]) -> Iterator[Refusal]:
        """The refusals in this file; those that pass on another's text are left out."""
        for node in self.nodes(ast.ClassDef):
            own = _own(node)
            if node.name in kinds and own is not None:
                yield from self._refusal(node.name, own)
        for call in self.nodes(ast.Call):
            name = call.func.orelse if isinstance(call.func, ast.IfExp) else call.func
            kind = ast.unparse(name)
            if kinds.get(kind) is False:
                yield from self._refusal(kind, call)
            elif kind == "Finding" and self.where.startswith(_FINDINGS):
                problem, cure = (self._text(each, call.lineno) for each in call.args[1:3])
                yield Refusal(self.where, kind, f"{{what}}: {problem}", cure)
            elif kind == "ValueError" and self.where in _OF_SETTINGS and call.args:
                yield Refusal(self.where, kind, "{setting}", self._text(call.args[0], call.lineno))

    def _refusal(self, kind: str, call: ast.Call) -> Iterator[Refusal]:
        if not call.args:
            return
        text = self._text(call.args[0], call.lineno)
        if not _WORD.search(_INDEX.sub("", text)):
            yield Refusal(self.where, kind, "", "")
        else:
            cause, _, cure = _BETWEEN.sub("\0", text, count=1).partition("\0")
            yield Refusal(self.where, kind, cause.strip(), " ".join(cure.split()))

    @cached_property
    def _module(self) -> ModuleType:
        return import_module(".".join((self.package.name, *Path(self.where).with_suffix("").parts)))

    def _text(self, node: ast.expr, line: int) -> str:
        """The text of an expression at a line, with `{names}` for what is not known here."""
        match node:
            case ast.Constant():
                return str(node.value)
            case ast.JoinedStr():
                return "".join(self._text(each, line) for each in node.values)
            case ast.FormattedValue():
                return self._text(node.value, line)
            case ast.IfExp():
                return _either(node)
            case ast.Name():
                return self._named(node.id, line)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return self._returned(name) or _placeholder(node)
            case _:
                return _placeholder(node)

    def _named(self, name: str, line: int) -> str:
        """A constant of the module, or what the function has put into a name before this line."""
        local = self._assigned(name, line)
        if local is not None:
            text = self._text(local.value, local.lineno)
            return text if not text or _WORD.search(_INDEX.sub("", text)) else f"{{{name}}}"
        constant = getattr(self._module, name, None)
        if isinstance(constant, float):
            return f"{constant:g}"
        return str(constant) if isinstance(constant, str | int) else f"{{{name}}}"

    def _assigned(self, name: str, line: int) -> ast.Assign | None:
        functions = [
            each
            for kind in (ast.FunctionDef, ast.AsyncFunctionDef)
            for each in self.nodes(kind)
            if each.lineno <= line <= (each.end_lineno or line)
        ]
        if not functions:
            return None
        inner = max(functions, key=lambda each: each.lineno)
        found = [
            each
            for each in ast.walk(inner)
            if isinstance(each, ast.Assign)
            and ast.unparse(each.targets[0]) == name
            and each.lineno < line
        ]
        return max(found, key=lambda each: each.lineno, default=None)

    def _returned(self, name: str) -> str | None:
        """What a function of this file returns, when that is one text."""
        for function in self.nodes(ast.FunctionDef):
            last = function.body[-1]
            if function.name == name and isinstance(last, ast.Return) and last.value is not None:
                text = self._text(last.value, last.lineno)
                return text if _WORD.search(_INDEX.sub("", text)) else None
        return None


def _either(node: ast.IfExp) -> str:
    """Both of two texts; of a text and none: none, since the sentence stands without it."""
    match node.body, node.orelse:
        case ast.Constant(value=str(one)), ast.Constant(value=str(other)) if " " in one:
            return f"{one} / {other}"
        case _, ast.Constant(value=""):
            return ""
        case _:
            return _placeholder(node)


def _placeholder(node: ast.expr) -> str:
    """The last name in an expression, in braces."""
    names = [
        each.attr if isinstance(each, ast.Attribute) else each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute | ast.Name)
    ]
    plain = [each.strip("_") for each in names if each not in {"str", "type", "join", "__name__"}]
    return f"{{{plain[0]}}}" if plain else "{...}"
