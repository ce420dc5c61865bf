"""Message files: what is marked, what is not, and what translations lack."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages import Catalog
from django.conf import settings

from wikivisage.messages import catalogs, checks, exchange, unmarked


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every message that is in the code now."""
    return catalogs.extracted()


def test_nothing_that_people_read_is_unmarked() -> None:
    assert [str(found) for found in unmarked.everywhere()] == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<p>{% translate "Hello there" %}</p>', []),
        ("{% blocktranslate %}Hello <b>there</b>{% endblocktranslate %} · 12 %", []),
        ("{% blocktranslate count n=n %}a face{% plural %}faces{% endblocktranslate %}", []),
        ("{# a comment #}{% comment %}another one{% endcomment %}", []),
        ("<p>{{ n }} faces</p>", ["… faces"]),
        ('<img alt="A face">', ["A face"]),
        ("<a title=\"{% translate 'A face' %}\" class=\"big one\">{{ x }}</a>", []),
        ('<input type="submit" value="Send"><input type="hidden" value="send">', ["Send"]),
        ('{% include "a.html" with title="All faces" class="small inline" %}', ["All faces"]),
        ('{% include "a.html" with title=_("All faces") %}', []),
        ('{{ who|default:"some body" }}{{ at|date:"j F" }}', ["some body"]),
        ("<p>WikiVisage × UTC <kbd>Esc</kbd> <code>make run</code></p>", []),
        ("<tr{% if me %} class=\"me\"{% endif %}><td>{{ n }}</td></tr>", []),
    ],
)  # fmt: skip
def test_unmarked_text_of_templates_is_found(template: str, found: list[str]) -> None:
    assert [text for _line, text in unmarked.in_template(template)] == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('messages.success(request, "Saved")', ["Saved"]),
        ('messages.success(request, _("Saved"))', []),
        ('raise Refused("gone", "It is gone")', ["It is gone"]),
        ('raise Refused("gone", _("It is gone"))', []),
        ('raise Unusable(Error.GONE, "no page shows it")', ["no page shows it"]),
        ('raise Unusable(Error.GONE, f"more than {n} bytes")', ["more than \ue000 bytes"]),
        ("raise Unusable(Error.GONE, details.NO_PAGE, permanent=False)", []),
        ('row.fail("network", "the wiki was too slow")', ["the wiki was too slow"]),
        ('raise ValueError("Not a number at all.")', []),
        ('x = forms.CharField(label="Name")', ["Name"]),
        ('class K(models.TextChoices):\n    A = "a", "an answer"', ["an answer"]),
        ('class K(models.TextChoices):\n    A = "a", _("an answer")', []),
        ('@admin.display(description="words")\ndef f(self): ...', ["words"]),
        ('"""A docstring of this module."""\nlogger.info("This is for the log.")', []),
        ('return "Nothing is left to do."', ["Nothing is left to do."]),
        ('return f"{name} is left alone by us."', []),
        ('say = f"They leave {name} alone."', ["They leave \ue000 alone."]),
    ],
)
def test_unmarked_text_of_python_is_found(source: str, found: list[str]) -> None:
    assert [text for _line, text in unmarked.in_python(source)] == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('line.textContent = "Saved";', ["Saved"]),
        ("line.textContent = words.saved;", []),
        ('button.setAttribute("aria-label", `Face ${n}`);', ["Face ${n}"]),
        ('toast("Nothing is left to do.");', ["Nothing is left to do."]),
        ('// A comment is no text.\nthrow new Error("This must not happen.");', []),
        ('stage.querySelector("[data-words] button")', []),
    ],
)
def test_unmarked_text_of_scripts_is_found(source: str, found: list[str]) -> None:
    assert [text for _line, text in unmarked.in_script(source)] == found


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_what_django_reads_is_what_translators_wrote(language: str) -> None:
    catalog = catalogs.read(language)
    assert catalogs.path_of(language).read_bytes() == catalogs.written(catalog), "make messages"
    compiled = catalogs.compiled_path_of(language).read_bytes()
    assert compiled == catalogs.compiled(catalog), "make messages"


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_every_message_is_translated(language: str, template: Catalog) -> None:
    """Of those in the code now: a new message needs its translations at once."""
    assert len(template) > 1000
    found = checks.problems(catalogs.read(language), template)
    assert [str(one) for one in found] == []


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_what_is_translated_keeps_gaps_tags_and_forms(language: str, template: Catalog) -> None:
    found = checks.problems(catalogs.read(language), template)
    assert [str(one) for one in found if one.what != "not translated"] == []


@pytest.mark.parametrize(
    ("english", "translated", "fault"),
    [
        ("A face", "Et ansikt", ""),
        ("%(n)s of %(all)s", "%(all)s, av dem %(n)s", ""),
        ("%(n)s of %(all)s", "%(n)s av alle", "lost all"),
        ("%(n)s faces", "%(antall)s ansikter", "lost n"),
        ("Faces", "%(n)s ansikter", "has n, which nobody fills"),
        ("{n} selected", "valgt: {n}", ""),
        ("{n} selected", "valgt", "lost n"),
        ("Is this {}?", "Er dette?", "lost {}"),
        (("%d answer", "%d answers"), ["%d svar", "svar"], "lost %d"),
        ("<bdi>%(name)s</bdi> joined", "<bdi>%(name)s</bdi> ble med", ""),
        ("<bdi>%(name)s</bdi> joined", "%(name)s ble med", "its tags are others than in English"),
        ("%(n)s %% sure", "%(n)s % sikker", "has a single %, which must be %% here"),
        ("Sure", "Sikker ", "its spaces or line breaks at an end are others than in English"),
        (("%(n)s face", "%(n)s faces"), ["%(n)s ansikt", "%(n)s ansikter"], ""),
        (("One face", "%(n)s faces"), ["Ett ansikt", "%(n)s ansikter"], ""),
        (("One face", "%(n)s faces"), ["Ett ansikt", "ansikter"], "lost n"),
        (("%(n)s face", "%(n)s faces"), ["Ett ansikt", "%(n)s ansikter"], "lost n"),
        (("%(n)s face", "%(n)s faces"), ["%(n)s ansikt", ""], "needs 2 forms"),
    ],
)
def test_faulty_translations_are_found(
    english: str | tuple[str, str], translated: str | list[str], fault: str
) -> None:
    catalog = catalogs.read("nb")
    message = type(next(iter(catalog)))(english)
    texts = [translated] if isinstance(translated, str) else translated
    assert "; ".join(checks.faults(message, texts, catalog)) == fault


def test_messages_come_with_notes_contexts_and_plurals_but_no_line_numbers(
    template: Catalog,
) -> None:
    joined = template.get("left")
    assert joined
    assert "State of a member: has left the project." in joined.auto_comments
    assert template.get("Space", context="key")
    counted = template.get(("%(n)s day", "%(n)s days"))
    assert counted
    assert "n: a number." in counted.auto_comments
    lines = catalogs.written(template).decode().splitlines()
    assert not [line for line in lines if line.startswith("#:") and line.rstrip()[-1].isdigit()]


@pytest.mark.long
def test_a_translator_gets_a_list_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # not by pytest-django's `settings`: its signal drops the made-up languages for later tests
    monkeypatch.setattr(settings, "LOCALE_PATHS", [tmp_path])
    entries = {entry["where"] + str(entry["english"]): entry for entry in exchange.todo("fr")}
    save = entries["templates/_help.htmlMore in the help"]
    help_for = entries["templates/_help.htmlHelp: %(thing)s"]
    save["translation"], help_for["translation"] = "Plus d’aide", "Aide"
    taken, refused = exchange.merge("fr", [save, help_for])
    assert taken == 1
    assert refused == [f"{help_for['key']} lost thing: 'Help: %(thing)s'"]
    left = {entry["key"] for entry in exchange.todo("fr")}
    assert save["key"] not in left
    assert help_for["key"] in left
    assert exchange.merge("fr", {"0123456789": "x"})[1] == ["0123456789: no such message any more"]
    found = (tmp_path / "fr" / "LC_MESSAGES" / "django.po").read_text()
    assert 'msgstr "Plus d’aide"' in found
