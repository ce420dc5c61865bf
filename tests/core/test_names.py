"""Dotted names of ours lead somewhere, wherever they are written."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

from django.apps import apps
from django.conf import settings

from celery_app import app as celery_app

PACKAGES = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage")
FOLDERS = (*PACKAGES, "bench", "deploy", "docs", "templates", "tests", "tools")
FILES = ("celery_app.py", "manage.py", "gunicorn.conf.py", "pyproject.toml", "Makefile",
         "README.md", "CONTRIBUTING.md", "SECURITY.md", "docker-compose.yml")  # fmt: skip
SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ".html", ".txt", ".template", ""}
# What tells of its time, and the table of old names
LEFT = ("docs/decisions", "tools/moves.toml", "tools/move_modules.py")
NAME = re.compile(rf"(?<![\w./:@{{%-])(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+(?![\w/(-]|\.\w)")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(PACKAGES)})/(?!test_)[\w/]+\.py\b")
# What looks like one: checks, permissions, file names and hosts
ELSE = re.compile(
    r"wikivisage\.[EW]\d{3}|\w+\.(add|change|delete|view)_\w+|projects\.moderate"
    r"|wikivisage\.(conf|example|example\.org|gz|sqlite3|token|toolforge\.org)"
)
VARIABLES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def texts() -> Iterator[tuple[str, str]]:
    """Each file of ours by its path, with its text."""
    base = Path(settings.BASE_DIR)
    paths = [base / name for name in FILES]
    paths += [path for folder in FOLDERS for path in sorted((base / folder).rglob("*"))]
    for path in paths:
        name = str(path.relative_to(base))
        if path.is_file() and path.suffix in SUFFIXES and not name.startswith(LEFT):
            yield name, without_code(path.suffix, path.read_text(errors="ignore"))


def without_code(suffix: str, text: str) -> str:
    """The strings and comments of a module, whose imports mypy looks at, and a template without
    its variables."""
    if suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        said = (tokenize.STRING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE)
        return " ".join(token.string for token in tokens if token.type in said)
    return VARIABLES.sub("", text) if suffix == ".html" else text


def leads_somewhere(name: str) -> bool:
    """Whether a name is that of a module, of something in one, of a model or of a task."""
    if name in celery_app.tasks or ELSE.fullmatch(name):
        return True
    try:
        resolve_name(name)
        return True
    except (ImportError, AttributeError, ValueError):
        pass
    try:
        apps.get_model(name)
    except (LookupError, ValueError):
        return False
    return True


def test_every_dotted_name_leads_somewhere() -> None:
    celery_app.loader.import_default_modules()
    found = {(name, file) for file, text in texts() for name in NAME.findall(text)}
    assert [each for each in sorted(found) if not leads_somewhere(each[0])] == []


def test_every_path_of_a_module_is_there() -> None:
    base = Path(settings.BASE_DIR)
    found = {(path, file) for file, text in texts() for path in PATH.findall(text)}
    assert [each for each in sorted(found) if not (base / each[0]).is_file()] == []
