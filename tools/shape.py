"""Print the shape of each app: `python -m tools.shape [FOLDER ...]`.

For each folder: files, lines of code (neither blank nor comment nor docstring), names on its first
level, length of the longest file, number and length of functions (lines without the docstring:
median, 90th percentile, longest), and the share of parameters and results that carry a type.
Migrations are left out.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

APPS = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage", "sandbox")
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
           tokenize.ENCODING, tokenize.ENDMARKER}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Shape:
    """Counts of one folder."""

    files: int = 0
    first_level: int = 0
    code_lines: int = 0
    longest_file: int = 0
    function_lines: list[int] = field(default_factory=list)
    typed: int = 0
    typeable: int = 0

    def row(self) -> list[str]:
        lengths = self.function_lines or [0]
        ninetieth = statistics.quantiles(lengths, n=10)[-1] if len(lengths) > 1 else lengths[0]
        share = 100 * self.typed / (self.typeable or 1)
        numbers = (self.files, self.first_level, self.code_lines, self.longest_file, len(lengths),
                   round(statistics.median(lengths)), round(ninetieth), max(lengths))  # fmt: skip
        return [*(f"{number:,}" for number in numbers), f"{share:.1f} %"]


def measure(folder: Path) -> Shape:
    """Count one app."""
    shape = Shape()
    shape.first_level = sum(1 for _ in _first_level(folder))
    for path in sorted(folder.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        text = path.read_text()
        tree = ast.parse(text)
        shape.files += 1
        shape.longest_file = max(shape.longest_file, text.count("\n"))
        shape.code_lines += len(_code_lines(text) - _docstring_lines(tree))
        for node in ast.walk(tree):
            if isinstance(node, Function):
                shape.function_lines.append(_length(node))
                typed, typeable = _count_types(node)
                shape.typed += typed
                shape.typeable += typeable
    return shape


def _first_level(folder: Path) -> Iterator[Path]:
    """Modules and packages that an app shows: not `__init__`, migrations, templates or data."""
    for path in folder.iterdir():
        if path.is_dir():
            shown = (path / "__init__.py").exists() and path.name != "migrations"
        else:
            shown = path.suffix == ".py" and path.stem != "__init__"
        if shown:
            yield path


def _code_lines(text: str) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and (text := _docstring(node)):
            lines.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


def _docstring(node: ast.Module | ast.ClassDef | Function) -> ast.stmt | None:
    return node.body[0] if ast.get_docstring(node, clean=False) is not None else None


def _length(node: Function) -> int:
    """Lines of a function from `def` to its end, without decorators and docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if text := _docstring(node):
        length -= (text.end_lineno or text.lineno) - text.lineno + 1
    return length


def _count_types(node: Function) -> tuple[int, int]:
    """Parameters (but `self` and `cls`) and the result: how many carry a type, how many could."""
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    every += [more for more in (node.args.vararg, node.args.kwarg) if more]
    parameters = [each for each in every if each.arg not in ("self", "cls")]
    typed = sum(each.annotation is not None for each in parameters) + (node.returns is not None)
    return typed, len(parameters) + 1


def main(names: list[str]) -> None:
    folders = [Path(name) for name in names or APPS if Path(name).is_dir()]
    head = ["", "files", "first level", "code lines", "longest file", "functions", "p50", "p90",
            "longest", "typed"]  # fmt: skip
    rows = [head, *([str(folder), *measure(folder).row()] for folder in folders)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print(row[0].ljust(widths[0]), *cells, sep="  ")


if __name__ == "__main__":
    main(sys.argv[1:])
