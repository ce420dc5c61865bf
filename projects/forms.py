"""The form of a new project. It keeps all that was typed, whatever is wrong with a part of it.

It works by plain posts: each button (`do`) changes the form and shows it again, until *start*
makes the project. htmx posts the same form and swaps it in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from projects import categories, services, wikidata
from projects.http import WikiError
from projects.models import Project, User
from projects.refusal import Refused

T = TypeVar("T")

DEPTH = 2  # levels of subcategories, unless one chooses otherwise
ABOUT_SOURCES = ("no-source", "too-many-sources")


@dataclass
class Row:
    """One category of the form."""

    title: str
    depth: int = DEPTH
    use: bool = True


class NewProjectForm(forms.Form):
    """Who, where, and who may see it. `rows` are the categories, ticked or not."""

    who = forms.CharField(label=gettext_lazy("Who?"), max_length=250, required=False)
    person = forms.RegexField(r"^Q[1-9]\d{0,11}$", required=False, widget=forms.HiddenInput)
    add = forms.CharField(label=gettext_lazy("Add a category"), max_length=300, required=False)
    public = forms.BooleanField(label=gettext_lazy("Public project"), required=False)
    anybody = forms.BooleanField(label=gettext_lazy("Anybody may join"), required=False)

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        self.posted = data.copy() if data else QueryDict(mutable=True)  # what to show again
        super().__init__(self.posted or None, initial={"public": True, "anybody": True})
        self.user = user
        self.hits: list[wikidata.PersonData] = []
        posted = _rows(data) if data else []
        self.rows, self.too_many = posted[: services.MAX_SOURCES], posted[services.MAX_SOURCES :]

    def act(self) -> Project | None:
        """Do what the pressed button asks for; the project once it is made."""
        if not self.is_valid():
            return None
        if self.posted.get("choice"):
            self._try("who", lambda: self._choose(str(self.posted["choice"])))
        elif self.posted.get("drop"):
            self.rows = [row for row in self.rows if row.title != self.posted["drop"]]
        elif self.posted.get("guess"):
            self._try("add", lambda: self._add_title(str(self.posted["guess"])))
            self.posted["add"] = ""
        elif self.posted.get("do") == "clear":
            self.posted["person"], self.rows = "", []
        elif self.posted.get("do") == "find":
            self._try("who", self._find)
        elif self.posted.get("do") == "add":
            self._try("add", self._add)
        else:
            return self._start()
        return None

    @property
    def qid(self) -> str:
        return str(self.posted.get("person", ""))

    @cached_property
    def chosen(self) -> wikidata.PersonData | None:
        """The chosen person as Wikidata has them; None while nobody is chosen."""
        return known(self.qid) if self.qid and "person" not in self.errors else None

    @cached_property
    def others(self) -> list[Project]:
        """Public projects of other people for the chosen person."""
        if not self.qid:
            return []
        found = services.live_projects(self.qid).exclude(owner=self.user)
        return list(found.filter(visibility=Project.Visibility.PUBLIC)[:3])

    def _find(self) -> None:
        text = self.cleaned_data["who"]
        if not text:
            raise Refused("nobody", _("Type the name of a person, or a Q-ID such as Q7186."))
        hits = wikidata.search_people(text, get_language() or "en")
        if not hits:
            sentence = _("Nobody on Wikidata is called “%(text)s”. Try another spelling.")
            raise Refused("nobody", sentence % {"text": text})
        if wikidata.find_qid(text):
            self._choose(hits[0].qid)
        else:
            self.hits = hits

    def _choose(self, qid: str) -> None:
        """Take a person; their category on Commons is offered, and ticked."""
        person = wikidata.read_person(qid)
        if mine := services.live_projects(person.qid).filter(owner=self.user).first():
            raise services.already(mine)
        self.posted["person"], self.posted["who"] = person.qid, ""
        self.rows = []
        self.__dict__.pop("chosen", None)
        if person.commons_category:
            self._try("add", lambda: self._add_title(person.commons_category))

    def _add(self) -> None:
        if not self.cleaned_data["add"]:
            raise Refused("nothing", _("Type the name of a category on Commons."))
        self._add_title(self.cleaned_data["add"])
        self.posted["add"] = ""

    def _add_title(self, title: str) -> None:
        title = categories.read(categories.clean(title)).title
        if title in [row.title for row in self.rows]:
            sentence = _("“%(title)s” is in the list already.") % {"title": title}
            raise Refused("twice", sentence)
        if len(self.rows) >= services.MAX_SOURCES:
            raise services.too_many()
        self.rows.append(Row(title))

    def _start(self) -> Project | None:
        """What was typed but not yet taken counts, too, so that one button is enough."""
        if not self.qid:
            self._try("who", self._find)
            if self.hits:
                self.add_error("who", _("Several people have this name. Choose one of them."))
        if self.too_many:
            self.add_error("add", services.too_many().sentence)
        if self.cleaned_data.get("add"):
            self._try("add", self._add)
        return None if self.errors or not self.qid else self._try("who", self._create)

    def _create(self) -> Project:
        joining = Project.Joining.OPEN if self.cleaned_data["anybody"] else Project.Joining.INVITE
        public = Project.Visibility.PUBLIC if self.cleaned_data["public"] else "private"
        return services.create_project(
            self.user,
            self.qid,
            [(row.title, row.depth) for row in self.rows if row.use],
            visibility=public,
            joining=joining,
        )

    def _try(self, field: str, step: Callable[[], T]) -> T | None:
        """Run a step; a refusal or a silent wiki becomes the sentence beside its field."""
        try:
            return step()
        except Refused as refused:
            self.add_error("add" if refused.code in ABOUT_SOURCES else field, sentence(refused))
        except WikiError:
            self.add_error(field, wiki_is_silent())
        return None


def _rows(data: QueryDict) -> list[Row]:
    """The categories as posted: `category` and `depth` of each row, `use` of the ticked ones."""
    used, rows = data.getlist("use"), []
    for title, depth in zip(data.getlist("category"), data.getlist("depth"), strict=False):
        levels = int(depth) if depth in "012345" and len(depth) == 1 else DEPTH
        try:
            rows.append(Row(categories.clean(title), levels, title in used))
        except Refused:
            continue  # no button of ours posts such a title
    return rows


def known(qid: str) -> wikidata.PersonData | None:
    """The person of a Q-ID for showing, a few minutes old at most; None when none can be read."""
    key = f"person:{settings.WIKI.code}:{qid}"
    if found := cache.get(key):
        return found  # type: ignore[no-any-return]
    try:
        person = wikidata.read_person(qid)
    except (Refused, WikiError):
        return None
    cache.set(key, person, 600)
    return person


def sentence(refused: Refused) -> Any:
    """The sentence, with its way on where there is one."""
    if refused.url:
        return format_html('{} <a href="{}">{}</a>', refused.sentence, refused.url, _("Open it"))
    button = '<button class="action" name="guess" value="{}">{}</button>'
    guesses = format_html_join(", ", button, [(guess, guess) for guess in refused.guesses])
    return format_html("{} {}", refused.sentence, guesses) if guesses else refused.sentence


def wiki_is_silent() -> str:
    return _("%(wiki)s did not answer. Nothing is lost: try again in a moment.") % {
        "wiki": capfirst(settings.WIKI.name)
    }
