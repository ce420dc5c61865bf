"""Move modules to the names in tools/moves.toml and rewrite what names them.

Rewrites imports (an alias where the new name is taken), dotted names in code, settings,
templates, alerts and pages, and paths in comments and pages. Leaves `docs/decisions` and
CHANGELOG.md, which tell of their time. Run it once, in a clean work tree, with libcst (an
environment of its own is enough): `python -m tools.move_modules`; then
`ruff check --fix --select I . && ruff format .`.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ScopeProvider

HERE = Path(__file__).parent
TABLE = HERE / "moves.toml"
# In front of a name that is new already, so that no later rule rewrites it once more
DONE = "QZ_"
# Last names that say nothing without their package
COMMON = {
    "services", "forms", "views", "admin", "rules", "queue", "run", "cache", "apply", "exclude",
    "retention", "members", "account", "fields", "facts", "pages", "text", "add", "remove",
    "compare", "session", "read_page", "store", "crawl", "fetch", "detect", "activity",
}  # fmt: skip
TEXTS = {".py", ".md", ".toml", ".html", ".txt", ".yml", ".yaml", ".js", ".css", ".conf", ".svg"}
NAMED = {"Makefile", "Dockerfile", "start", "service.template", "run"}
LEFT = ("docs/decisions/", "CHANGELOG.md", "tools/move", "tests/contract/recordings", "locale/")


def read_table() -> dict[str, str]:
    """Return old dotted name → new dotted name."""
    sections = tomllib.loads(TABLE.read_text())
    return {old: new for rows in sections.values() for old, new in rows.items()}


class Imports(cst.CSTTransformer):
    """Rewrites `from package import module` of what moved, and each use of its name."""

    METADATA_DEPENDENCIES = (ScopeProvider,)

    def __init__(self, moves: dict[str, str], taken: set[str]) -> None:
        super().__init__()
        self.moves, self.taken = moves, taken
        self.renames: dict[cst.CSTNode, str] = {}
        self.local: dict[str, str] = {}
        self.changed = False

    def new_name(self, old_dotted: str, old_local: str) -> str:
        """Return the name that `old_dotted` has in this file from now on."""
        if old_dotted not in self.local:
            package, _, last = self.moves[old_dotted].rpartition(".")
            room = package.rpartition(".")[2]
            first = {"services": [room]}.get(last, [] if last in COMMON else [last])
            for name in [*first, f"{room}_{last}", f"{last}_of_{room}", old_local]:
                if name not in self.taken or name == old_local:
                    break
            self.taken.add(name)
            self.local[old_dotted] = name
        return self.local[old_dotted]

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        for old, alias in self._moved(node):
            if alias.asname:
                continue
            scope = self.get_metadata(ScopeProvider, node)
            local = old.rpartition(".")[2]
            name = self.new_name(old, local)
            if name == local:
                continue
            for found in scope[local]:
                for access in found.references:
                    self.renames[access.node] = name
        return False

    def _moved(self, node: cst.ImportFrom) -> Iterator[tuple[str, cst.ImportAlias]]:
        if node.module is None or isinstance(node.names, cst.ImportStar):
            return
        package = cst.Module([]).code_for_node(node.module)
        for alias in node.names:
            old = f"{package}.{cst.Module([]).code_for_node(alias.name)}"
            if old in self.moves:
                yield old, alias

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node in self.renames:
            self.changed = True
            return updated_node.with_changes(value=self.renames[original_node])
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        node = original_node.body[0]
        if len(original_node.body) != 1 or not isinstance(node, cst.ImportFrom):
            return updated_node
        moved = list(self._moved(node))
        if not moved:
            return updated_node
        self.changed = True
        lines = [self._line(old, alias) for old, alias in moved]
        gone = [alias for _, alias in moved]
        assert not isinstance(node.names, cst.ImportStar)
        stay = [alias for alias in node.names if alias not in gone]
        if stay:
            stay[-1] = stay[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            kept = node.with_changes(names=stay, lpar=None, rpar=None)
            lines.append(cst.SimpleStatementLine([kept]))
        lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
        lines[-1] = lines[-1].with_changes(trailing_whitespace=updated_node.trailing_whitespace)
        return cst.FlattenSentinel(lines)

    def _line(self, old: str, alias: cst.ImportAlias) -> cst.SimpleStatementLine:
        package, _, last = self.moves[old].rpartition(".")
        local = old.rpartition(".")[2]
        name = alias.evaluated_alias or self.new_name(old, local)
        renamed = f" as {name}" if name != last else ""
        line = cst.parse_statement(f"from {DONE}{package} import {last}{renamed}")
        assert isinstance(line, cst.SimpleStatementLine)
        return line


class Names(cst.CSTVisitor):
    """Collects every identifier of a file that an import could hide."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                self.found.add(alias.evaluated_alias or alias.evaluated_name)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.found.add(node.value)


def rewrite_imports(source: str, moves: dict[str, str]) -> str:
    """Return a module with `from package import module` of what moved rewritten."""
    module = cst.parse_module(source)
    names = Names()
    module.visit(names)
    imports = Imports(moves, names.found)
    rewritten = MetadataWrapper(module).visit(imports)
    return rewritten.code if imports.changed else source


def dotted_rule(moves: dict[str, str]) -> re.Pattern[str]:
    """Return what finds an old dotted name or path in any text."""
    dotted = "|".join(re.escape(old) for old in sorted(moves, key=len, reverse=True))
    return re.compile(rf"(?<![\w./-])(?:{dotted})(?![\w-]|/)")


def path_rule(moves: dict[str, str]) -> re.Pattern[str]:
    """Return what finds the path of an old module in any text."""
    paths = "|".join(
        re.escape(old.replace(".", "/")) for old in sorted(moves, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w./-])(?:\.{{1,2}}/)*({paths})\.py\b")


def rewrite_text(text: str, moves: dict[str, str]) -> str:
    """Return a text with dotted names and paths of what moved rewritten."""

    def path(match: re.Match[str]) -> str:
        old = match[1].replace("/", ".")
        return match[0].replace(match[1], moves[old].replace(".", "/"), 1)

    text = dotted_rule(moves).sub(lambda match: moves[match[0]], text)
    return path_rule(moves).sub(path, text).replace(DONE, "")


def tracked() -> list[Path]:
    """Return the files of the work tree that this may rewrite."""
    names = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [
        Path(name)
        for name in names
        if name and not name.startswith(LEFT)
        if Path(name).suffix in TEXTS or Path(name).name in NAMED
    ]


def main() -> None:
    moves = read_table()
    for path in tracked():
        text = path.read_text()
        new = rewrite_imports(text, moves) if path.suffix == ".py" else text
        new = rewrite_text(new, moves)
        if new != text:
            path.write_text(new)
    for old, new in sorted(moves.items()):
        move(old, new)


def move(old: str, new: str) -> None:
    """Move the file of one module, and open its package."""
    source = Path(old.replace(".", "/"))
    target = Path(new.replace(".", "/"))
    if source.is_dir() and not source.with_suffix(".py").exists():
        target.mkdir(parents=True, exist_ok=True)
        init = source / "__init__.py"
        if init.exists():
            subprocess.run(["git", "mv", str(init), str(target)], check=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "mv", f"{source}.py", f"{target}.py"], check=True)


if __name__ == "__main__":
    main()
