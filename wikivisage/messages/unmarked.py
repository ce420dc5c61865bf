"""Strings that people read and that nobody can translate, since they are not marked.

Templates: text and spoken attributes outside translation, and words given to other templates.
Python: what is said by messages, refusals, labels and choices; and whatever looks like a
sentence. JavaScript: whatever looks like words. Guesses, but they err on the side of asking.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.template.base import Lexer, Token, TokenType

from wikivisage.messages.catalogs import KEYWORDS, sources

# The same in every language: names, signs, file kinds, units.
SAME = {
    *("WikiVisage", "Wikimedia", "Commons", "Wikidata", "Wikimedia Commons", "EditGroups"),
    *("QuickStatements", "OAuth", "UTC", "CSV", "JSON", "TXT", "GPL", "CC0", "Q-ID", "px"),
    *("Esc", "Enter", "Space", "Shift", "rtl,ltr", "light dark"),
}
ATTRIBUTES = {
    "alt",
    "title",
    "aria-label",
    "placeholder",
    "aria-description",
    "aria-valuetext",
    "label",
}
# Of these the content is not for people, or the same in every language.
SILENT = {"script", "style", "code", "kbd", "pre", "svg:path"}
# What only developers and operators see, in English.
IN_ENGLISH = (
    "templates/wikivisage/style.html",
    "wikivisage/settings.py",
    # for operators
    "wikivisage/ops/backup.py",
    "wikivisage/ops/checks.py",
    "wikivisage/ops/probes.py",
    "wikivisage/ops/health.py",
    "wikivisage/messages/",
    "wikivisage/ops/schema_history.py",
    "sdc/reconcile/report.py",
    "crawler/engines/",
)
ATTRIBUTE_BLOCKS = ("_class", "_id", "_attributes")  # ends of their names: they stand in a tag
WORDLESS = {"translate", "load", "url", "extends", "static", "if", "elif", "block"}  # tags
UNSEEN_KEYS = {"class", "extra", "icon", "trigger"}
WORDY = {
    "title",
    "label",
    "text",
    "word",
    "words",
    "hint",
    "alt",
    "unit",
    "caption",
    "note",
    "name",
}
HOLE = "\ue000"  # where a template tag stands
_LETTER = re.compile(r"[^\W\d_]")
_LITERAL = re.compile(r"""(?:(?<![\w-])([\w-]+)=|[\s:])(["'])((?:(?!\2).)+)\2""")
_ATTRIBUTE = re.compile(r"[\w-]+=\"[^\"]*\"")
_WORDS = re.compile(r"[A-Za-z’']{2,}[ ,]+[A-Za-z’']{2,}")
_SENTENCE = re.compile(r"^[A-Z“][^\n]* [^\n]*[.?!…]$")
_JS_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""")
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`\\])//[^\n]*", re.DOTALL)
_JS_SAID = re.compile(
    r"(?:textContent|innerText|title|ariaLabel|placeholder|alt)\s*=(?!=)\s*$"
    r"|(?:alert|confirm|prompt)\(\s*$|\"(?:aria-label|title|alt|placeholder)\",\s*$"
)


@dataclass(frozen=True)
class Unmarked:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: not marked for translation: {self.text!r}"


def everywhere() -> list[Unmarked]:
    scripts = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
    found = [one for path in [*sources(), *scripts] for one in _in_file(path)]
    return [one for one in found if not one.path.startswith(IN_ENGLISH)]


def _in_file(path: Path) -> list[Unmarked]:
    place, text = str(path.relative_to(settings.BASE_DIR)), path.read_text()
    if path.suffix == ".py":
        found = in_python(text) if "management" not in path.parts else []
    elif path.suffix == ".js":
        found = in_script(text)
    else:
        found = in_template(text)
    return [Unmarked(place, line, said) for line, said in found]


def is_read(text: str) -> bool:
    """Whether it has a letter that somebody could want in another language."""
    text = re.sub(r"&#?\w+;|https?://\S+", " ", text.replace(HOLE, " "))
    words = re.findall(r"[^\W\d_]+(?:[ -][^\W\d_]+)*", text)
    return any(word not in SAME and len(word) > 1 for word in words)


# Templates ----------------------------------------------------------------------------------
def in_template(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of what is not marked in a template's source."""
    html, hidden = [], ""
    for token in Lexer(text).tokenize():
        if hidden:
            if token.contents == hidden:
                hidden = ""
            html.append("\n" * token.contents.count("\n"))
        elif token.token_type == TokenType.TEXT:
            html.append(token.contents)
        elif token.token_type == TokenType.BLOCK and (end := _end_of_hidden(token)):
            hidden = end
            html.append(HOLE)
        else:
            html.append(HOLE + "\n" * token.contents.count("\n"))
            if token.token_type != TokenType.COMMENT:
                yield from ((token.lineno or 0, said) for said in _given_words(token))
    reader = _Reader()
    reader.feed("".join(html))
    reader.close()
    yield from reader.found


def _end_of_hidden(token: Token) -> str:
    name = token.contents.split()[0]
    if name in ("blocktranslate", "blocktrans", "comment"):
        return f"end{name}"
    inside = name == "block" and token.contents.split()[1].endswith(ATTRIBUTE_BLOCKS)
    return "endblock" if inside else ""


def _given_words(token: Token) -> Iterator[str]:
    """Words in quotes that a tag or a filter gives to be shown."""
    name = token.contents.split()[0]
    if token.token_type == TokenType.BLOCK and name in WORDLESS:
        return
    for key, _quote, said in _LITERAL.findall(token.contents):
        if key in UNSEEN_KEYS or said in SAME:
            continue
        if _WORDS.search(said) or (key in WORDY and is_read(said) and said[:1].isupper()):
            yield said


class _Reader(HTMLParser):
    """Collects the text and the spoken attributes of HTML whose template tags are holes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str]] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        spoken = set(ATTRIBUTES)
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            spoken.add("value")
        if tag == "meta" and given.get("name") == "description":
            spoken.add("content")
        for name, value in attrs:
            if name in spoken and value and is_read(value):
                self.found.append((self.getpos()[0], value))
        if tag in SILENT:
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        data = _ATTRIBUTE.sub(" ", data)  # a file that holds attributes only
        if not self.silent and is_read(data):
            self.found.append((self.getpos()[0], " ".join(data.replace(HOLE, "…").split())))


# Python -------------------------------------------------------------------------------------
SAYING = {"success", "error", "info", "warning", "add_message", "Refused", "ValidationError",
          "Unusable", "fail"}  # fmt: skip
STORING = {"add_message", "fail"}  # methods of whatever owner
SAID_BY_KEYWORD = {"label", "help_text", "verbose_name", "verbose_name_plural", "short_description",
                   "description", "empty_label", "message"}  # fmt: skip
UNSAID = {"logger", "log", "logging", "re"}


def in_python(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of what is not marked in Python."""
    tree = ast.parse(source)
    skipped = _docstrings(tree)
    yield from _walk(tree, skipped)


def _walk(node: ast.AST, skipped: set[int]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call):
        name = _name(node.func)
        owner = _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name in KEYWORDS or owner in UNSAID:
            return
        if name in SAYING and (owner == "messages" or name[0].isupper() or name in STORING):
            yield from _literals(
                node.args[1:] if name != "ValidationError" else node.args[:1], skipped
            )
        spoken = [word.value for word in node.keywords if word.arg in SAID_BY_KEYWORD]
        if name in ("display", "action") or name.endswith("Field"):
            yield from _literals(spoken, skipped)
    if isinstance(node, ast.ClassDef):
        yield from _choices(node, skipped)
    if isinstance(node, ast.Raise) and _is_internal(node):
        return
    if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped:
        text = _text(node)
        if _SENTENCE.match(text) and _WORDS.search(text):
            skipped.add(id(node))
            yield node.lineno, text
        if isinstance(node, ast.JoinedStr):
            return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, skipped)


def _choices(node: ast.ClassDef, skipped: set[int]) -> Iterator[tuple[int, str]]:
    """Labels of choices, and names in `class Meta` and of apps."""
    of_choices = any("Choices" in _name(base) for base in node.bases)
    for line in node.body:
        if not isinstance(line, ast.Assign):
            continue
        names = {target.id for target in line.targets if isinstance(target, ast.Name)}
        if of_choices and isinstance(line.value, ast.Tuple):
            yield from _literals(line.value.elts[-1:], skipped)
        elif names & SAID_BY_KEYWORD:
            yield from _literals([line.value], skipped)


def _literals(nodes: Iterable[ast.AST], skipped: set[int]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if not isinstance(node, ast.Constant | ast.JoinedStr) or id(node) in skipped:
            continue
        if is_read(text := _text(node)):
            skipped.add(id(node))
            yield node.lineno, text


def _is_internal(node: ast.Raise) -> bool:
    """Errors for developers and operators, not for people on a page."""
    raised = _name(node.exc.func) if isinstance(node.exc, ast.Call) else ""
    return raised not in ("Refused", "ValidationError", "Unusable", "Http404", "PermissionDenied")


def _docstrings(tree: ast.AST) -> set[int]:
    """Strings that stand alone: of modules, classes, functions, and after a field."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else HOLE for part in node.values
        )
    return node.value if isinstance(node.value, str) else ""


# JavaScript ---------------------------------------------------------------------------------
def in_script(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of what looks like words in a script."""
    source = _JS_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source)
    for found in _JS_STRING.finditer(source):
        text = next((part for part in found.groups() if part is not None), "")
        before = source[: found.start()]
        plain = re.sub(r"\$\{[^}]*\}", HOLE, text)
        said = _JS_SAID.search(before[-60:]) and is_read(plain)
        unseen = re.search(r"(Error|console\.\w+)\(\s*$", before[-40:])
        if not unseen and (said or (_SENTENCE.match(plain) and _WORDS.search(plain))):
            yield before.count("\n") + 1, text
