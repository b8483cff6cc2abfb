"""Which test covers which fault, as the tests' own docstrings say."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.gate.matrix import ALSO

ROOT: Final = Path(__file__).parents[2]
ROW: Final = re.compile(r"\bF\d\d\b")
RULE: Final = re.compile(r"\b[Ii]nvariants? (\d+(?:(?:, | and )\d+)*)")
CELL: Final = re.compile(r"^test((?:_[a-z]\d\d)+)_")
WHERE: Final = ("tests", "workers/chaos")
"""Tests, and the storm, whose faults say the same."""


@cache
def covered() -> dict[str, list[str]]:
    """The places (`file::name`, or the file alone) that cover each row, in order."""
    found: dict[str, set[str]] = {}
    for place, docstring in _docstrings():
        for row in ROW.findall(docstring):
            found.setdefault(row, set()).add(place)
    for row, places in ALSO.items():
        found.setdefault(row, set()).update(places)
    return {row: sorted(places) for row, places in sorted(found.items())}


@cache
def kept() -> dict[int, list[str]]:
    """The tests (`file::name`) that say which rule of money they hold, by its number; in order."""
    found: dict[int, set[str]] = {}
    for place, docstring in _docstrings():
        for numbers in RULE.findall(" ".join(docstring.split())):
            for number in re.findall(r"\d+", numbers):
                found.setdefault(int(number), set()).add(place)
    return {number: sorted(places) for number, places in sorted(found.items())}


@cache
def accepted() -> dict[str, list[str]]:
    """The tests (`file::name`) that say by their name which cells of the matrices they are; in order."""
    found: dict[str, set[str]] = {}
    for place, _ in _docstrings():
        named = CELL.match(place.partition("::")[2])
        for cell in named.group(1).upper().split("_")[1:] if named else ():
            found.setdefault(cell, set()).add(place)
    return {cell: sorted(places) for cell, places in sorted(found.items())}


@cache
def names(path: str) -> frozenset[str]:
    """The functions that a file of tests defines; none where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def _docstrings() -> tuple[tuple[str, str], ...]:
    """Every module and function of the tests and of the storm (`file`, `file::name`) with its docstring."""
    return tuple(_read())


def _read() -> Iterator[tuple[str, str]]:
    for folder in WHERE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if where.startswith("tests/gate/"):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield where, ast.get_docstring(tree) or ""
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    yield f"{where}::{node.name}", ast.get_docstring(node) or ""
