"""For whom there may be projects: adults whom the world knows. Moderators decide the rest.

A living person who may be under 18 is refused until a moderator allows it. Of a person whom hardly
any wiki writes about nothing is looked for before a moderator has looked. See docs/privacy.md; the
decisions are made in `projects.privacy.admission_requests`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.user_errors import Refused
from projects.models import Admission, Person

if TYPE_CHECKING:
    from wiki.wikidata import PersonData

Cause = Admission.Cause
State = Admission.State
ADULT = 18  # years


def cause_of(person: Person) -> Cause | None:
    """Why moderators have to decide about a person as Wikidata has them; None if they needn't."""
    living = person.died_from is None
    if living and person.born_to and person.born_to > _years_ago(ADULT):
        return Cause.MINOR
    # A portrait says that somebody is known, but not how old they are.
    age_unknown = living and person.born_to is None
    few = person.sitelinks < settings.SITELINKS_LEAST
    return Cause.LITTLE_KNOWN if few and (age_unknown or not person.portrait) else None


def _years_ago(years: int) -> date:
    today = timezone.now().date()
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # the 29th of February
        return date(today.year - years, 2, 28)


def found(qid: str) -> Admission | None:
    rows = Admission.objects.filter(person__wiki=settings.WIKI.code, person__qid=qid)
    return rows.select_related("person").first()


def refusal(data: PersonData) -> Refused | None:
    """Why no project may begin for a person now, with the way to ask; None if one may."""
    cause = cause_of(Person.from_wikidata(data))
    if cause is None:
        return None
    asked = found(data.qid)
    if asked and asked.state == State.ALLOWED:
        return None
    name = {"name": data.label(), "qid": data.qid}
    if asked and asked.state == State.REFUSED:
        told = _("Moderators decided that this tool does not look for %(name)s (%(qid)s).")
    elif cause == Cause.MINOR:
        told = _("%(name)s (%(qid)s) may be under 18. This tool looks for adults only.")
    else:
        told = _("Few wikis write about %(name)s (%(qid)s), so a moderator has to look first.")
    way = _("What was decided") if asked and asked.decided_at else _("Ask the moderators")
    return Refused(cause.value, told % name, reverse("admission", args=[data.qid]), way=way)
