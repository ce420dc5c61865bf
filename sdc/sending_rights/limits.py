"""Who may send, how fast, and that first steps are small.

The wiki says how it knows a user; that is asked in the user's name and kept for an hour. Whoever
it hardly knows answers, and hands over to a member who may send. Whoever sends for the first
time sends a few edits, and looks at them on the wiki before the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.accounts import tokens
from projects.accounts.tokens import NeedsLogin
from projects.models import Membership, Project, User
from projects.permissions import ROLES, Can
from sdc.models import ClaimAttempt, EditBatch, Writer, WritingStop
from sdc.sending_rights import stops
from sdc.writing.rate_buckets import CATCH_UP
from sdc.writing.reasons import Reason
from sdc.writing.responses import Next, judge_failure
from wiki import http
from wiki.http import WikiError
from wiki.users import UserInfo, read_userinfo

FRESH = timedelta(hours=1)  # what the wiki said of a user is asked again when it is older
NAMED = 3  # members who may send, by name

State = EditBatch.State


@dataclass(frozen=True)
class Standing:
    """Whether a user may send now, whatever the project, and how much at once."""

    limit: int  # edits that the next batch may have
    pace: float  # edits a minute
    reason: Reason | None = None  # why nothing may be sent
    sentence: str = ""
    first: bool = False  # the next batch is the user's first
    batch: EditBatch | None = None  # the first one, while it goes or waits to be looked at

    @property
    def may_send(self) -> bool:
        return self.reason is None

    @property
    def may_hand_over(self) -> bool:
        return self.reason is Reason.NEWCOMER

    @property
    def to_look_at(self) -> EditBatch | None:
        return self.batch if self.reason is Reason.LOOK_FIRST else None


def standing_of(user: User) -> Standing:
    """How a user stands with the wiki and with us. Asks the wiki, so call it outside of any
    transaction. Raises WikiError."""
    most = settings.BATCH_MAX
    if not settings.CAN_LOG_IN:  # nobody sends; the page says so
        return Standing(most, pace_of(user))
    try:
        writer, blocked = _asked(user)
    except NeedsLogin:
        return Standing(most, pace_of(user), Reason.LOGIN, str(Reason.LOGIN.sentence))
    pace = pace_by(writer)
    if blocked:
        return Standing(most, pace, Reason.BLOCKED, str(Reason.BLOCKED.sentence))
    if not _known_well(writer):
        return Standing(most, pace, Reason.NEWCOMER, _why_new(writer))
    return first_steps(user, writer)


def first_steps(user: User, writer: Writer | None) -> Standing:
    """The first batch is small, and looked at before the next one. Our own rows know."""
    most, pace = settings.BATCH_MAX, pace_by(writer)
    if not settings.FIRST_BATCH or (writer and writer.looked_at):
        return Standing(most, pace)
    batch = _first_batch(user)
    if batch is None:
        return Standing(min(settings.FIRST_BATCH, most), pace, first=True)
    going = batch.state in (State.RUNNING, State.PAUSED)
    reason = Reason.FIRST_GOES if going else Reason.LOOK_FIRST
    return Standing(most, pace, reason, str(reason.sentence), batch=batch)


def first_steps_of(user: User) -> Standing:
    return first_steps(user, _writer(user))


def pace_of(user: User) -> float:
    """Edits a minute in this user's name: what the operator sets, never above the user's own
    limit as the wiki last reported it."""
    return pace_by(_writer(user))


def pace_by(writer: Writer | None) -> float:
    """The same, where the user's row is at hand."""
    own = writer.edit_limit if writer else None
    return min(float(settings.EDITS_A_MINUTE), own or float(settings.EDITS_A_MINUTE))


def edit_limit(info: UserInfo) -> float | None:
    """Edits a minute that the wiki's limits allow; None where there is no limit.

    A window that is open at neither end holds one edit more than it has gaps, and what is caught
    up in it, so that a steady pace of all its hits would be refused now and then.
    """
    paces = [60 * max(each.hits - 1, 0.5) / (each.seconds + CATCH_UP) for each in info.edit_limits]
    return min(paces, default=None)


def learn(writer: Writer, info: UserInfo) -> None:
    """Keep the limit that the wiki reports along with the edit token: also of those who only
    take back, and were never asked about."""
    limit = edit_limit(info)
    if limit != writer.edit_limit:
        Writer.objects.filter(pk=writer.pk).update(edit_limit=limit)
        writer.edit_limit = limit


def may_perhaps_send(user: User) -> bool:
    """Without asking the wiki: False only of those whom it hardly knew when last asked."""
    writer = _writer(user)
    return writer is None or writer.asked_at is None or _known_well(writer)


@dataclass(frozen=True)
class Helpers:
    """The other members of a project who could send: some by name, and whether there may be
    others, of whom the wiki was never asked."""

    names: list[str]
    unknown: bool

    @property
    def anybody(self) -> bool:
        return bool(self.names) or self.unknown


def helpers(project: Project, user: User) -> Helpers:
    members = Membership.objects.filter(
        project=project, state=Membership.State.ACTIVE, role__in=ROLES[Can.SEND]
    ).exclude(user=user)
    users = User.objects.filter(pk__in=members.values("user"), is_active=True)
    writers = Writer.objects.filter(user__in=users, wiki=settings.WIKI.code)
    asked = {row.user_id: row for row in writers if row.asked_at}
    able = [each for each in users if each.pk in asked and _known_well(asked[each.pk])]
    return Helpers([str(each) for each in able[:NAMED]], any(u.pk not in asked for u in users))


def words_of(stop: WritingStop) -> str:
    """Who stopped it, when and why, for those whom it holds back."""
    facts = {
        "who": str(stop.placed_by or stop.get_source_display()),
        "when": date_format(stop.placed_at, "MONTH_DAY_FORMAT"),
    }
    said = {
        WritingStop.Scope.EVERYTHING: _("All writing is stopped: %(who)s, %(when)s."),
        WritingStop.Scope.PROJECT: _("This project may not send for now: %(who)s, %(when)s."),
        WritingStop.Scope.USER: _("You may not send for now: %(who)s, %(when)s."),
    }[WritingStop.Scope(stop.scope)] % facts
    return f"{said} “{stop.reason}”" if stop.reason else said


def stopped_by(user: User, project: Project) -> str:
    """What holds this user back from sending in this project, in words; nothing if nothing does."""
    stop = stops.holding_back(user, project)
    return words_of(stop) if stop else ""


def _writer(user: User) -> Writer | None:
    return Writer.objects.filter(user=user, wiki=settings.WIKI.code).first()


def _asked(user: User) -> tuple[Writer, bool]:
    """What the wiki said of the user within the hour, and whether the account is blocked. A
    block is not kept: it is asked for again until it is over. Raises NeedsLogin, WikiError."""
    writer = Writer.objects.get_or_create(user=user, wiki=settings.WIKI.code)[0]
    now = timezone.now()
    if writer.asked_at and writer.asked_at > now - FRESH:
        return writer, False
    info = _userinfo(user)
    facts = {
        "autoconfirmed": info.autoconfirmed,
        "edit_count": info.edit_count,
        "edit_limit": edit_limit(info),
        "asked_at": None if info.blocked else now,
    }
    Writer.objects.filter(pk=writer.pk).update(**facts)
    writer.refresh_from_db()
    return writer, info.blocked


def _userinfo(user: User) -> UserInfo:
    """Asked again with another token where the wiki takes the first no longer."""
    for _try in range(2):
        token = tokens.access_token(user, tokens.PAGE_WAIT)
        try:
            body = http.api(
                settings.WIKI.commons_api,
                token=token,
                action="query",
                meta="userinfo",
                uiprop=["groups", "rights", "editcount", "ratelimits", "blockinfo"],
                **{"assert": "user", "assertuser": user.wiki_username},
            )
        except WikiError as error:
            if judge_failure(error).next is not Next.LOGIN:
                raise
            tokens.expire(user, token)
        else:
            return read_userinfo(body)
    tokens.reject(user, token)
    raise NeedsLogin


def _known_well(writer: Writer) -> bool:
    grown = writer.autoconfirmed or not settings.SENDER_AUTOCONFIRMED
    return grown and writer.edit_count >= settings.SENDER_MIN_EDITS


def _why_new(writer: Writer) -> str:
    least = settings.SENDER_MIN_EDITS
    words = ngettext(
        "Your account is new on the wiki: it has %(n)d edit.",
        "Your account is new on the wiki: it has %(n)d edits.",
        writer.edit_count,
    ) % {"n": writer.edit_count}
    if writer.edit_count >= least:
        return _("The wiki does not call your account autoconfirmed yet; that comes by itself.")
    return words + " " + _("From %(least)d edits on you may send yourself.") % {"least": least}


def _first_batch(user: User) -> EditBatch | None:
    """The batch of a user's first edits, unless it wrote nothing or was taken back as a whole."""
    written = ClaimAttempt.objects.filter(
        batch=OuterRef("pk"), outcome=ClaimAttempt.Outcome.WRITTEN
    )
    taken_back = ClaimAttempt.objects.filter(
        undoes=OuterRef("pk"), outcome=ClaimAttempt.Outcome.WRITTEN
    )
    counts = Q(state__in=(State.RUNNING, State.PAUSED)) | Exists(
        written.filter(~Exists(taken_back))
    )
    sent = EditBatch.objects.filter(
        counts, user=user, wiki=settings.WIKI.code, kind=EditBatch.Kind.ADD
    )
    return (
        sent.exclude(confirmed_at=None)
        .select_related("project__subject__person")
        .order_by("pk")
        .first()
    )


def written_rows(batch: EditBatch) -> Iterable[ClaimAttempt]:
    """What a batch wrote, for those who look at it on the wiki."""
    rows = batch.attempts.filter(outcome=ClaimAttempt.Outcome.WRITTEN)
    return rows.select_related("claim__photo__picture", "region").order_by("pk")
