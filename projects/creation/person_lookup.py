"""People for whom somebody may begin a project: found by name, or read by their Q-ID."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.user_errors import Refused
from projects.privacy import admissions, denylist
from wiki import wikidata
from wiki.wikidata import PersonData

LONGEST_QUERY = 250  # characters
FEW_HUMANS = 3  # whose name begins as typed; with fewer, names that only hold it count as well


def search_people(text: str, language: str, limit: int = 7) -> list[PersonData]:
    """Return humans whose label or alias begins with `text`, best first; or the one whose Q-ID it
    is.

    Where there are few, those that are described with these words follow: "curie" finds Marie.
    Raises WikiError, and Refused for a Q-ID or address that is no human of ours.
    """
    text = text.strip()[:LONGEST_QUERY]
    if qid := wikidata.find_qid(text):
        return [read_person(qid)]
    if wikidata.is_link(text):
        raise wikidata.no_item()
    if not text:
        return []
    called = wikidata.humans_called(text, language)
    people = [person for person in called if _is_shown(person)]
    if len(people) < FEW_HUMANS:
        besides = {person.qid for person in called}
        people += filter(_is_shown, wikidata.humans_about(text, besides))
    return people[:limit]


def read_person(qid: str) -> PersonData:
    """Return the human of a Q-ID for whom a project may begin; a redirect is followed. Raises
    Refused and WikiError."""
    person = wikidata.read_human(qid)
    if refusal := _refusal(person) or admissions.refusal(person):
        raise refusal
    return person


def _is_shown(person: PersonData) -> bool:
    """Return whether a human is listed: also one about whom moderators are asked first, since few
    wikis write about them."""
    if _refusal(person):
        return False
    why_not = admissions.refusal(person)
    return why_not is None or why_not.code != admissions.Cause.MINOR


def _refusal(person: PersonData) -> Refused | None:
    """Return why this tool leaves a human alone, whoever they are, if it does."""
    if not denylist.denied_person(person.qid):
        return None
    values = {"name": person.label(), "qid": person.qid}
    sentence = _("This tool does not look for %(name)s (%(qid)s): it was asked not to.")
    return Refused("denied", sentence % values)
