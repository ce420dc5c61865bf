"""What the product's source must not do, read from its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

APPS = ("wikivisage", "sdc", "classify", "crawler", "projects")


def read_modules() -> Iterator[tuple[Path, ast.Module]]:
    for app in APPS:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def test_the_screen_size_is_defined_once() -> None:
    found = [
        str(path)
        for path, module in read_modules()
        for node in module.body
        if isinstance(node, ast.Assign)
        and {ast.unparse(target) for target in node.targets} & {"SCREEN_SIZE", "SIZE"}
    ]
    assert len(found) == 1, found


def test_no_function_imports_from_what_its_module_imports_from_already() -> None:
    found = [
        f"{path}:{inner.lineno}"
        for path, module in read_modules()
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef)
        for inner in ast.walk(function)
        if isinstance(inner, ast.ImportFrom)
        and inner.module not in APPS
        and inner.module in {n.module for n in module.body if isinstance(n, ast.ImportFrom)}
    ]
    assert found == []
