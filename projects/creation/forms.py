"""The form of a new project. It keeps all that was typed, whatever is wrong with a part of it.

It works by plain posts: each button changes the form and shows it again, until *start* makes the
project. htmx posts the same form and swaps it in place.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import i18n
from core.text import plain
from core.user_errors import Refused
from projects.creation import category_lookup, person_lookup, source_lookup, suggestions
from projects.creation import services as creation
from projects.creation.source_lookup import Kind, Place
from projects.creation.suggestions import Why
from projects.models import Membership, Project, User
from wiki import categories, wikidata
from wiki.http import WikiError
from wiki.json_tree import UNREADABLE

log = logging.getLogger(__name__)
T = TypeVar("T")

DEPTH = suggestions.OWN_DEPTH  # levels of subcategories, unless one chooses otherwise
ROWS = 60  # places in the form, ticked or not
OWN_NAME = Project._meta.get_field("name").max_length
OPENED = 20  # categories that are unfolded
BUTTONS = ("clear", "find", "add", "enter")
ABOUT_SOURCES = ("no-source", "too-many-sources")


@dataclass
class Row:
    """One place of the form, ticked or not, and why it is there."""

    kind: str
    value: str
    depth: int = 0
    use: bool = True
    why: str = Why.TYPED
    years: str = ""

    @property
    def place(self) -> Place:
        return Place(self.kind, self.value, self.depth)

    @property
    def key(self) -> str:
        return self.place.key

    @property
    def reason(self) -> str:
        return Why(self.why).sentence

    @property
    def id(self) -> str:
        """For the page, and the same whenever it is shown again."""
        return short_id(self.key)


class OwnNameField(forms.CharField):
    """What a project is called other than by its person; empty as a rule."""

    def __init__(self, **options: Any) -> None:
        texts = {
            "label": gettext_lazy("Name of the project"),
            "help_text": gettext_lazy("If it shall be called otherwise than the person."),
        }
        super().__init__(**(texts | {"max_length": OWN_NAME, "required": False} | options))

    def clean(self, value: Any) -> str:
        name: str = super().clean(plain(str(value or "")))
        return name


class NewProjectForm(forms.Form):
    """Who, where, and who may see it. `rows` are the places; `picked` those subcategories that
    were ticked in a tree, `opened` the categories that are unfolded."""

    who = forms.CharField(label=gettext_lazy("Who?"), max_length=250, required=False)
    person = forms.RegexField(r"^Q[1-9]\d{0,11}$", required=False, widget=forms.HiddenInput)
    add = forms.CharField(label=gettext_lazy("Add a source"), max_length=300, required=False)
    name = OwnNameField()
    public = forms.BooleanField(label=gettext_lazy("Public project"), required=False)
    anybody = forms.BooleanField(label=gettext_lazy("Anybody may join"), required=False)

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        self.posted = data.copy() if data else QueryDict(mutable=True)  # what to show again
        super().__init__(self.posted or None, initial={"public": True, "anybody": True})
        self.user = user
        self.hits: list[wikidata.PersonData] = []
        self.incomplete = False  # the wiki did not answer all that suggestions need
        self.rows = _rows(self.posted)[:ROWS]
        self.opened = list(dict.fromkeys(self.posted.getlist("opened")))[:OPENED]
        self.whole = set(self.posted.getlist("whole"))  # unfolded to the last subcategory
        self.picked = _picked(self.posted, {row.key for row in self.rows})

    def act(self) -> Project | None:
        """Do what the pressed button asks for; the project once it is made."""
        if not self.is_valid():
            return None
        for name, step in self._steps().items():
            if value := str(self.posted.get(name, "")):
                step(value)
                return None
        if self.posted.get("do", "start") == "start":
            return self._start()
        return None

    def _steps(self) -> dict[str, Callable[[str], object]]:
        """Buttons with a value, by their names."""
        return {
            "choice": lambda qid: self._try("who", lambda: self._choose(qid)),
            "own": self._begin_own,
            "drop": self._drop,
            "guess": self._take_guess,
            "unfold": lambda title: self.opened.append(title),
            "fold": self._fold,
            "all": lambda title: self.whole.add(title),
            "pick": lambda title: self._try("add", lambda: self._pick(title)),
            **({"do": self._press} if self.posted.get("do") in BUTTONS else {}),
        }

    def _press(self, button: str) -> None:
        if button == "enter":  # in a field, without JavaScript
            button = "add" if self.qid else "find"
        if button == "clear":
            self._forget()
            self.posted["person"] = ""
        elif button == "find":
            self._try("who", self._find)
        else:
            self._try("add", self._add)

    # What the page shows ------------------------------------------------------------------

    @property
    def qid(self) -> str:
        return str(self.posted.get("person", ""))

    @property
    def kind(self) -> str:
        """What the field for another place takes."""
        chosen = self.posted.get("kind")
        return str(chosen) if chosen in (Kind.SEARCH, Kind.UPLOADER) else Kind.CATEGORY

    @cached_property
    def chosen(self) -> wikidata.PersonData | None:
        """The chosen person as Wikidata has them; None while nobody is chosen."""
        return known(self.qid) if self.qid and "person" not in self.errors else None

    @cached_property
    def others(self) -> list[Project]:
        """Projects of other people for the chosen person, as far as this user may see them."""
        return others_for(self.user, self.qid) if self.qid else []

    @property
    def warns(self) -> bool:
        """Whether there is a project to join, and nobody said yet that it is not wanted."""
        return bool(self.others) and self.posted.get("apart") != self.qid

    @property
    def chosen_places(self) -> list[Place]:
        """All that is ticked."""
        return [row.place for row in self.rows if row.use] + list(self.picked.values())

    # Buttons ------------------------------------------------------------------------------

    def _find(self) -> None:
        text = self.cleaned_data["who"]
        if not text:
            raise Refused("nobody", _("Type the name of a person, or a Q-ID such as Q7186."))
        hits = person_lookup.search_people(text, i18n.of_wikis())
        if not hits:
            sentence = _("Nobody on Wikidata is called “%(text)s”. Try another spelling.")
            raise Refused("nobody", sentence % {"text": text})
        if wikidata.find_qid(text):
            self._choose(hits[0].qid)
        else:
            self.hits = hits

    def _choose(self, qid: str) -> None:
        """Take a person. Where somebody looks for them already, that is said first."""
        person = person_lookup.read_person(qid)
        if mine := creation.live_projects(person.qid).filter(owner=self.user).first():
            raise creation.already(mine)
        self._forget()
        self.posted["person"], self.posted["who"] = person.qid, ""
        if not self.warns:
            self._suggest(person)

    def _begin_own(self, qid: str) -> None:
        """In spite of somebody's project that there is."""
        self.posted["apart"] = qid
        if person := self.chosen:
            self._suggest(person)

    def _suggest(self, person: wikidata.PersonData) -> None:
        """What the wikis know of where photos may be; what was typed before stays."""
        found, complete = suggestions.for_person(person, i18n.of_wikis())
        self.incomplete = not complete
        there = {row.key for row in self.rows}
        self.rows += [
            Row(*each.place, use=each.use, why=each.why, years=each.years)
            for each in found
            if each.place.key not in there
        ]

    def _forget(self) -> None:
        """What was found for another person goes; what somebody typed stays."""
        self.rows = [row for row in self.rows if row.why == Why.TYPED]
        self.opened, self.picked, self.whole = [], {}, set()
        self.posted["apart"] = ""
        for name in ("chosen", "others"):
            self.__dict__.pop(name, None)

    def _drop(self, key: str) -> None:
        self.rows = [row for row in self.rows if row.key != key]

    def _fold(self, title: str) -> None:
        self.opened = [each for each in self.opened if each != title]

    def _take_guess(self, title: str) -> None:
        self._try("add", lambda: self._add_place(Kind.CATEGORY, title))
        self.posted["add"] = ""

    def _pick(self, title: str) -> None:
        """Its subcategories become places of their own, to be chosen one by one; as many as
        there is room for are ticked, those with most files first."""
        key = Place(Kind.CATEGORY, title).key
        row = next((row for row in self.rows if row.key == key), None)
        depth = row.depth if row else self.picked[key].depth if key in self.picked else 0
        found = category_lookup.children(title, categories.MAX_CHILDREN)
        if row:
            row.depth = 0
        elif key in self.picked:
            self.picked[key] = Place(Kind.CATEGORY, title)
        room = creation.MAX_SOURCES - len(self.chosen_places)
        there = {place.key for place in self.chosen_places}
        for child in found.found:
            place = Place(Kind.CATEGORY, child.title, max(0, depth - 1))
            if room > 0 and place.key not in there:
                self.picked[place.key] = place
                room -= 1
        if title not in self.opened:
            self.opened.append(title)

    def _add(self) -> None:
        text = self.cleaned_data["add"]
        if not text:
            raise Refused(
                "nothing", _("Type the name of a category on Commons, a user or a search.")
            )
        self._add_place(source_lookup.guess_kind(text, self.kind), text)
        self.posted["add"] = ""

    def _add_place(self, kind: str, text: str) -> None:
        value = source_lookup.look_up(kind, text)
        row = Row(kind, value, DEPTH if kind == Kind.CATEGORY else 0)
        there = next((each for each in self.rows if each.key == row.key), None)
        if there and there.use:
            sentence = _("“%(title)s” is in the list already.") % {"title": value}
            raise Refused("twice", sentence)
        if len(self.chosen_places) >= creation.MAX_SOURCES:
            raise creation.too_many()
        if there:
            there.use = True
        else:
            self.rows.append(row)

    def _start(self) -> Project | None:
        """What was typed but not yet taken counts, too, so that one button is enough."""
        if not self.qid:
            self._try("who", self._find)
            if self.hits:
                self.add_error("who", _("Several people have this name. Choose one of them."))
            elif self.qid and self.warns:
                return None
        if self.cleaned_data.get("add"):
            self._try("add", self._add)
        return None if self.errors or not self.qid else self._try("who", self._create)

    def _create(self) -> Project:
        joining = Project.Joining.OPEN if self.cleaned_data["anybody"] else Project.Joining.INVITE
        public = Project.Visibility.PUBLIC if self.cleaned_data["public"] else "private"
        return creation.create_project(
            self.user,
            self.qid,
            self.chosen_places,
            name=self.cleaned_data["name"],
            visibility=public,
            joining=joining,
        )

    def _try(self, field: str, step: Callable[[], T]) -> T | None:
        """Run a step; a refusal or a silent wiki becomes the sentence beside its field."""
        try:
            return step()
        except Refused as refused:
            self.add_error("add" if refused.code in ABOUT_SOURCES else field, sentence(refused))
        except WikiError as error:
            self.add_error(field, wiki_problem(error))
        return None


class AddPlaceForm(forms.Form):
    """One more place for a project that stands: a category, a user, a search."""

    add = forms.CharField(label=gettext_lazy("Add a source"), max_length=300, required=False)

    @property
    def kind(self) -> str:
        """What the field takes."""
        chosen = self.data.get("kind")
        return str(chosen) if chosen in (Kind.SEARCH, Kind.UPLOADER) else Kind.CATEGORY

    def place(self) -> Place | None:
        """What was typed, known to the wiki; else None, and the field says why."""
        self.full_clean()
        try:
            if suggested := read_key(self.data.get("place", ""), self.data.get("depth", "")):
                return suggested
            guess = self.data.get("guess", "")
            text = guess or self.cleaned_data.get("add", "")
            kind = Kind.CATEGORY.value if guess else source_lookup.guess_kind(text, self.kind)
            depth = DEPTH if kind == Kind.CATEGORY else 0
            return Place(kind, source_lookup.look_up(kind, text), depth)
        except Refused as refused:
            self.add_error("add", sentence(refused))
        except WikiError as error:
            self.add_error("add", wiki_problem(error))
        return None


def short_id(key: str) -> str:
    return f"{zlib.crc32(key.encode()):08x}"


def others_for(user: User, qid: str) -> list[Project]:
    """Live projects of others for a person: public ones, and those that this user is in."""
    active = Membership.objects.filter(project=OuterRef("pk"), state=Membership.State.ACTIVE)
    works = Q(memberships__state=Membership.State.ACTIVE)
    found = (
        creation.live_projects(qid)
        .exclude(owner=user)
        .annotate(mine=Exists(active.filter(user=user)), people=Count("memberships", filter=works))
    )
    return list(found.filter(Q(visibility=Project.Visibility.PUBLIC) | Q(mine=True))[:3])


def _rows(data: QueryDict) -> list[Row]:
    """The places as posted: `row` names each, `use` the ticked ones, and its other fields carry
    its name."""
    used, rows = data.getlist("use"), []
    for key in dict.fromkeys(data.getlist("row")):
        place = read_key(key, data.get(f"depth:{key}", ""))
        if place:
            why, _bar, years = data.get(f"why:{key}", "").partition("|")
            known_why = why if why in set(Why) else Why.TYPED
            rows.append(Row(*place, key in used, known_why, years[:20]))
    return rows


def _picked(data: QueryDict, rows: set[str]) -> dict[str, Place]:
    """Subcategories that are ticked in a tree."""
    found = {}
    for key in data.getlist("use"):
        place = None if key in rows else read_key(key, data.get(f"depth:{key}", ""))
        if place and place.kind == Kind.CATEGORY:
            found[place.key] = place
    return found


def read_key(key: str, depth: str = "") -> Place | None:
    """The place that a field names; None for what no page of ours posts."""
    kind, _colon, value = key.partition(":")
    try:
        value = source_lookup.clean(kind, value) if kind in source_lookup.KINDS else ""
    except Refused:
        return None
    levels = int(depth) if len(depth) == 1 and depth in "012345" else DEPTH
    return Place(kind, value, levels if kind == Kind.CATEGORY else 0) if value else None


def known(qid: str) -> wikidata.PersonData | None:
    """The person of a Q-ID for showing, a few minutes old at most; None when none can be read."""
    key = f"person:{settings.WIKI.code}:{qid}"
    if found := cache.get(key):
        return found  # type: ignore[no-any-return]
    try:
        person = person_lookup.read_person(qid)
    except (Refused, WikiError):
        return None
    cache.set(key, person, 600)
    return person


def sentence(refused: Refused) -> Any:
    """The sentence, with its way on where there is one."""
    if refused.url:
        way = refused.way or _("Open it")
        return format_html('{} <a href="{}">{}</a>', refused.sentence, refused.url, way)
    button = '<button class="action" name="guess" value="{}">{}</button>'
    guesses = format_html_join(", ", button, [(guess, guess) for guess in refused.guesses])
    return format_html("{} {}", refused.sentence, guesses) if guesses else refused.sentence


def wiki_problem(error: WikiError) -> str:
    """Say on a page that the wiki could not be read, and log why."""
    told = error if error.code == UNREADABLE else error.code  # others may quote what was typed
    log.warning("the wiki could not be read: %s", told)
    wiki = {"wiki": capfirst(str(settings.WIKI.name))}
    if error.code == UNREADABLE:
        return _("%(wiki)s’s answer made no sense. Nothing is lost: try again in a moment.") % wiki
    return _("%(wiki)s did not answer. Nothing is lost: try again in a moment.") % wiki
