"""Why something was not written, or waits: one closed list, each with words for people.

A code stands in `ClaimAttempt.reason`, `ClaimAttempt.error` and `EditBatch.reason`.
"""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    # what the file or our own records say, before anything is sent
    ALREADY_THERE = "already-there", _("Already there")
    CLAIMED = "claimed", _("Another project was first")
    SENDING = "sending", _("Being sent already")
    MOVED = "moved", _("Renamed meanwhile")
    REDIRECT = "redirect", _("Now a redirect")
    DELETED = "deleted", _("Deleted from the wiki")
    NOT_A_FILE = "not-a-file", _("No file there")
    CHANGED = "changed", _("A new version was uploaded")
    UNREADABLE = "unreadable", _("The wiki's answer made no sense")
    PROTECTED = "protected", _("Protected page")
    HELD = "held", _("Held by a moderator")
    REMOVED = "removed", _("Removed by somebody")
    TAKEN_BACK = "taken-back", _("Taken back")
    REJECTED = "rejected", _("Rejected by a moderator")
    DENIED = "denied", _("Left alone on request")
    OBJECTED = "objected", _("Paused: somebody objected")
    ARTWORK = "artwork", _("Reproduction of an artwork")
    EDITED = "edited", _("Edited since the preview")
    ANSWER_CHANGED = "answer-changed", _("No longer answered Yes")
    # what the file says before something is taken back
    GONE_ALREADY = "gone-already", _("Removed by somebody before")
    NOT_AS_WRITTEN = "not-as-written", _("Changed by somebody")
    RESTORED = "restored", _("Put back by somebody")
    # the wiki asks for patience
    MAXLAG = "maxlag", _("The wiki is catching up")
    RATELIMITED = "ratelimited", _("Too fast for the wiki")
    READONLY = "readonly", _("The wiki is read-only")
    CONFLICT = "conflict", _("Edited at the same moment")
    TROUBLE = "trouble", _("The wiki has trouble")
    NETWORK = "network", _("No connection to the wiki")
    # the wiki refuses this user or this tool
    BLOCKED = "blocked", _("Blocked on the wiki")
    NOT_PERMITTED = "not-permitted", _("Not permitted")
    LOGIN = "login", _("Log in again")
    MISCONFIGURED = "misconfigured", _("This site’s registration on the wiki is wrong")
    TOOL_OFF = "tool-off", _("The wiki does not let this tool in")
    BAD_TAGS = "bad-tags", _("Unknown change tag")
    TURNED_AWAY = "turned-away", _("Turned away by the wiki's servers")
    # the wiki refuses this one statement
    PARTLY_BLOCKED = "partly-blocked", _("Blocked from this page")
    FILTERED = "filtered", _("Stopped by a filter")
    GONE = "gone", _("Nothing to add it to")
    NO_SUCH_ITEM = "no-such-item", _("The item is gone")
    BAD_STATEMENT = "bad-statement", _("Statement not accepted")
    TOKEN = "edit-token", _("The edit token was refused")
    CRASHED = "crashed", _("Sending ended early")
    UNKNOWN = "unknown", _("Refused for another reason")
    # people
    PAUSED = "paused", _("Paused by a person")
    STOPPED = "stopped", _("Stopped by a person")
    NOT_A_MEMBER = "not-a-member", _("No longer a member")
    PROJECT_PAUSED = "project-paused", _("The project is paused")
    ARCHIVED = "archived", _("The project was archived")
    ALL_STOPPED = "all-stopped", _("All writing is stopped")
    USER_STOPPED = "user-stopped", _("You may not send for now")
    PROJECT_STOPPED = "project-stopped", _("This project may not send for now")
    HANDED_OVER = "handed-over", _("Handed to a member who may send")
    # first steps are small
    NEWCOMER = "newcomer", _("A new account")
    FIRST_GOES = "first-goes", _("Your first batch is being sent")
    LOOK_FIRST = "look-first", _("Look at your first edits")

    @property
    def sentence(self) -> str | Promise:
        """What happened and what to do, for the person who sends."""
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str | Promise] = {
    Reason.ALREADY_THERE: _("The file already says so. Nothing was written."),
    Reason.CLAIMED: _("Another project has this person on this file. Nothing to do."),
    Reason.SENDING: _("It is part of a batch that is being sent. Nothing to do."),
    Reason.MOVED: _("The file got another name. Look whether it still shows what you said."),
    Reason.REDIRECT: _("This page only leads to another file, which may be a copy."),
    Reason.DELETED: _("The page is gone. Should it come back, it can be sent then."),
    Reason.NOT_A_FILE: _("The page holds no file, so there is nothing to describe."),
    Reason.CHANGED: _(
        "The picture is not the one that was looked at. “Look for new photos” finds it."
    ),
    Reason.UNREADABLE: _("What the wiki says of this file can't be read. See the next preview."),
    Reason.PROTECTED: _("Only administrators may edit it. You can ask on its talk page."),
    Reason.HELD: _("A moderator looks into it. It can be sent once it is released."),
    Reason.REMOVED: _("Somebody took it out on the wiki. It stays out."),
    Reason.TAKEN_BACK: _("It was written and taken back again. It stays out."),
    Reason.REJECTED: _("A moderator looked at it and said no. It stays out."),
    Reason.ARTWORK: _("It shows a work of art. The project's settings say whether to add those."),
    Reason.GONE_ALREADY: _("The statement was not there any more. Nothing was removed."),
    Reason.NOT_AS_WRITTEN: _("It is no longer as we wrote it, so it is left alone."),
    Reason.RESTORED: _("It was removed, and somebody put it back on the wiki. That stands."),
    Reason.DENIED: _("This person or file is on the list of those that we leave alone."),
    Reason.OBJECTED: _(
        "Somebody objected. A moderator decides within a week; unless it is left alone then, it"
        " goes on by itself."
    ),
    Reason.EDITED: _("Another statement there makes it worth a second look. See the next preview."),
    Reason.ANSWER_CHANGED: _("The answer was taken back or changed. Nothing was written."),
    Reason.MAXLAG: _("Its servers lag behind and ask all tools to wait. It goes on by itself."),
    Reason.RATELIMITED: _("Your account made many edits in a short time. It goes on by itself."),
    Reason.READONLY: _("Nobody can edit for the moment. It goes on by itself."),
    Reason.CONFLICT: _("Somebody edited the file at the same moment. It is tried again."),
    Reason.TROUBLE: _("The wiki answered with a fault of its own. It is tried again."),
    Reason.NETWORK: _("No answer came. The file is read first, then it is tried again."),
    Reason.BLOCKED: _("Your account is blocked from editing; your talk page there says why."),
    Reason.NOT_PERMITTED: _("Your account, or this tool in your name, may not edit there."),
    Reason.LOGIN: _("The wiki no longer takes our sign-in for you. Log in, then resume."),
    Reason.MISCONFIGURED: _(
        "It is not about your account. Those who run this site were told; it goes on by itself "
        "once they have mended it."
    ),
    Reason.TOOL_OFF: _(
        "It is not about your account. Those who run this site were told. What was not sent by "
        "then can be sent in another batch."
    ),
    Reason.BAD_TAGS: _("The wiki does not know a change tag of this tool. Tell its operator."),
    Reason.TURNED_AWAY: _("The servers before the wiki refuse this tool for now. We try later."),
    Reason.PARTLY_BLOCKED: _("Your account may not edit this page. The others go on."),
    Reason.FILTERED: _("A filter of the wiki did not let it through. The others go on."),
    Reason.GONE: _("The wiki finds no file to add it to. Nothing was written."),
    Reason.NO_SUCH_ITEM: _("The person's item was deleted or merged. Nothing was written."),
    Reason.BAD_STATEMENT: _("The wiki does not accept it as it is. Nothing was written."),
    Reason.TOKEN: _("It was refused twice. It can be sent again in another batch."),
    Reason.CRASHED: _("Our worker stopped several times. The file was read: nothing is there."),
    Reason.UNKNOWN: _("The wiki gave a reason we don't know yet. Nothing was written."),
    Reason.PAUSED: _("Resume it whenever you like."),
    Reason.STOPPED: _("What was not sent by then can be sent in another batch."),
    Reason.NOT_A_MEMBER: _("Whoever sends must be a member of the project."),
    Reason.PROJECT_PAUSED: _("It goes on by itself once the project does."),
    Reason.ALL_STOPPED: _("It goes on by itself once moderators let the tool write again."),
    Reason.USER_STOPPED: _("A moderator has to look first. It goes on by itself after that."),
    Reason.PROJECT_STOPPED: _("A moderator has to look first. It goes on by itself after that."),
    Reason.HANDED_OVER: _("A member whose account may send was asked to."),
    Reason.NEWCOMER: _("Your account is new on the wiki. Hand it over to a member who may send."),
    Reason.FIRST_GOES: _("See how it ends and look at its edits; then comes the next."),
    Reason.LOOK_FIRST: _("Look at them on the wiki and say that they are right; then comes more."),
    Reason.ARCHIVED: _("What was not sent by then can be sent once the project is open again."),
}


_KNOWN = {reason.value: reason for reason in Reason}


def title(code: str) -> str:
    """The short words for a code, or the code itself should it be unknown."""
    return str(_KNOWN[code].label) if code in _KNOWN else code


def sentence(code: str) -> str:
    return str(_KNOWN[code].sentence) if code in _KNOWN else ""


# What ails the site itself, so that its operator and the moderators have to hear of it.
OF_THE_SITE = frozenset({Reason.MISCONFIGURED, Reason.TOOL_OFF})
