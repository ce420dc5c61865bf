"""Who gets what at each address: the table that `test_matrix.py` holds the site to.

Every URL of `wikivisage.urls` has a line here, and every line a URL. A line says which methods
the URL takes, and who gets what by them. Any other method is refused with 405.
"""

from __future__ import annotations

from dataclasses import dataclass

from projects.permissions import Can

STRANGER = 1  # the column


@dataclass(frozen=True)
class Access:
    """What each role gets, in the order of `world.Who`; `private` in a private project. A
    patroller gets what a stranger gets, unless a ninth column says otherwise.

    ok: the page, or the deed, or the way back with a sentence why not (2xx, 3xx). login: told to
    log in. A number: that status, also where it tells who may do it what is missing.
    """

    public: str
    private: str = ""
    can: Can | None = None  # the right that the view asks for

    def of(self, place: int, *, private: bool = False) -> str:
        columns = ((private and self.private) or self.public).split()
        return columns[place] if place < len(columns) else columns[STRANGER]


# fmt: off
#                       nobody stranger member reviewer owner banned moderator superuser
ANYBODY = Access(       "ok    ok       ok     ok       ok    ok     ok        ok")
ACCOUNT = Access(       "login ok       ok     ok       ok    ok     ok        ok")
TO_LOG_IN = Access(     "login login    login  login    login login  login     login")
FORBIDDEN = Access(     "403   403      403    403      403   403    403       403")
ABSENT = Access(        "404   404      404    404      404   404    404       404")
INVITED = Access(       "login ok       ok     ok       ok    422    ok        ok")
# Without the state that the login began with; without the name that has to be typed.
NO_STATE = Access(      "400   400      400    400      400   400    400       400")
NO_NAME = Access(       "login 422      422    422      422   422    422       422")
# Of a member who doesn't want to be seen.
THEIR_OWN = Access(     "404   404      ok     404      404   404    ok        ok")

# The admin. Its rows change by deeds alone, so that most of its forms are for nobody at all.
MODERATORS = Access(    "login login    login  login    login login  ok        ok")
NO_MODERATOR = Access(  "login login    login  login    login login  403       403")
NO_SUCH_PAGE = Access(  "login login    login  login    login login  404       404")
ONLY_POSTS = Access(    "login login    login  login    login login  405       405")
ADMIN_LOGIN = Access(   "login 403      403    403      403   403    403       403")
ADMIN_LOGOUT = Access(  "ok    ok       ok     ok       ok    ok     405       405")

# In a project. A private one is to others as one that isn't there, and so is any to who is banned.
PAGE = Access(          "ok    ok       ok     ok       ok    404    ok        ok",
                        "login 404      ok     ok       ok    404    ok        ok", Can.VIEW)
COMING = Access(        "login ok       ok     ok       ok    404    ok        ok",
                        "login 404      ok     ok       ok    404    ok        ok", Can.VIEW)
ASKING_TO = Access(     "login ok       422    422      422   404    ok        ok",
                        "login 404      422    422      422   404    ok        ok", Can.VIEW)
ANSWERING = Access(     "login 403      ok     ok       ok    404    403       403",
                        "login 404      ok     ok       ok    404    403       403", Can.ANSWER)
REVIEWING = Access(ANSWERING.public, ANSWERING.private, Can.REVIEW)
SENDING = Access(ANSWERING.public, ANSWERING.private, Can.SEND)
MANAGING = Access(      "login 403      403    403      ok    404    403       403",
                        "login 404      403    403      ok    404    403       403", Can.MANAGE)
MANAGING_BY_NAME = Access(
                        "login 403      403    403      422   404    403       403",
                        "login 404      403    403      422   404    403       403", Can.MANAGE)
# Whose answers count: the owner says so of others, and a reviewer of the owner's.
JUDGING = Access(MANAGING.public, MANAGING.private, Can.OVERSEE)
# Data to take along; what a member said, here of one's own, of whom reviewers may see all.
MEMBERS = Access(       "login 403      ok     ok       ok    404    ok        ok",
                        "login 404      ok     ok       ok    404    ok        ok", Can.VIEW)
# A batch that the owner sent.
SENDER = Access(MANAGING.public, MANAGING.private, Can.SEND)
SENDER_OR_MODERATOR = Access(
                        "login 403      403    403      ok    404    ok        ok",
                        "login 404      403    403      ok    404    ok        ok")
OR_PATROLLER = Access(  "login 403      403    403      ok    404    ok        ok         ok",
                        "login 404      403    403      ok    404    ok        ok         404")
# What was sent is public on the wiki: whoever may not see the project is led to its edits alone.
SENT_PAGE = Access(ANYBODY.public, ANYBODY.public, Can.VIEW)
SENT_SENDER = Access(   "login 403      403    403      ok    403    403       403")
SENT_PATROLLER = Access("login 403      403    403      ok    403    ok        ok         ok")
# fmt: on


@dataclass(frozen=True)
class Rule:
    """What a URL takes. `sent` is what its form or query needs to get beyond *there is no such
    thing*; `{…}` and the values of `named` are keys of `world.Made.names`."""

    get: Access | None = None
    post: Access | None = None
    sent: tuple[tuple[str, str], ...] = ()
    named: tuple[tuple[str, str], ...] = ()


def get(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(get=access, sent=tuple(sent.items()), named=tuple((named or {}).items()))


def post(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(post=access, sent=tuple(sent.items()), named=tuple((named or {}).items()))


def both(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(access, access, tuple(sent.items()), tuple((named or {}).items()))


SENT = {"code": "batch"}
DRAFT = {"code": "draft", "attempt_id": "draft_attempt"}

RULES = {
    # The site
    "home": get(ANYBODY),
    "projects": get(ANYBODY),
    "answer-now": get(ANYBODY),
    "how": get(ANYBODY),
    "help": get(ANYBODY),
    "about": get(ANYBODY),
    "privacy": get(ANYBODY),
    "leaderboard": get(ANYBODY),
    "style": get(ANYBODY),
    "offline": get(ANYBODY),
    "manifest": get(ANYBODY),
    "service-worker": get(ANYBODY),
    "robots": get(ANYBODY),
    "sitemap": get(ANYBODY),
    "favicon": get(ANYBODY),
    "health": get(ANYBODY),
    "health-live": get(ANYBODY),
    "health-ready": get(ANYBODY),
    "metrics": get(ANYBODY),  # of this machine, as here, or with the token
    "object": both(ANYBODY),
    "objection": get(ANYBODY, {"code": "objection"}),  # who knows the code
    "theme": post(ANYBODY),
    "language": post(ANYBODY),
    "contributor": get(THEIR_OWN),
    # Coming and going. Of allauth these only; nobody has a password.
    "login": Rule(get=ANYBODY, post=FORBIDDEN),
    "account_login": Rule(get=ANYBODY, post=FORBIDDEN),
    "accounts/login/": get(TO_LOG_IN),
    "account_logout": both(ANYBODY),
    "account_inactive": get(ANYBODY),
    "mediawiki_login": both(ANYBODY),
    "mediawiki_callback": get(NO_STATE),
    "local-login": post(ABSENT),
    # One's account
    "account": get(ACCOUNT),
    "account-visibility": post(ACCOUNT),
    "sessions": get(ACCOUNT),
    "sessions-end": post(ACCOUNT),
    "my-edits": get(ACCOUNT),
    "keys": both(ACCOUNT),
    "account-delete": Rule(get=ACCOUNT, post=NO_NAME),
    "account-data": get(ACCOUNT),
    "tours": post(ACCOUNT),
    "notifications": get(ACCOUNT),
    "notifications-read": post(ACCOUNT),
    "notifications-wanted": post(ACCOUNT),
    "notification": get(ACCOUNT),
    "join": Rule(ACCOUNT, INVITED, (("code", "{invite}"),)),
    "join-code": both(INVITED, {"code": "invite"}),
    # A new project
    "project-new": both(ACCOUNT),
    "person-search": get(ACCOUNT),
    "category-search": get(ACCOUNT),
    "place-count": get(ACCOUNT),
    "new-sum": post(ACCOUNT),
    "admission": both(ACCOUNT),
    # A project
    "project": get(PAGE),
    "project-status": get(PAGE),
    "project-figures": get(PAGE),
    "project-settings": both(MANAGING),
    "project-state": post(MANAGING),
    "project-delete": Rule(get=MANAGING, post=MANAGING_BY_NAME),
    "project-wake": post(ANSWERING),
    "crop": get(PAGE),
    "set-aside": get(PAGE),
    "photo-retry": post(ANSWERING),
    "photo-leave-out": post(ANSWERING),
    "box-let-go": post(ANSWERING, {"region_id": "drawn"}),
    "sources": get(PAGE),
    "source-add": post(MANAGING),
    "source-suggestions": get(MANAGING),
    "source-change": post(MANAGING),
    "recrawl": post(MANAGING),
    # Its people
    "members": get(PAGE),
    "member": get(MEMBERS),
    "member-statements": get(MEMBERS),
    "member-counts": post(JUDGING),
    "member-change": post(MANAGING, user="{user_id}", deed="remove"),
    "member-names": get(PAGE),
    "hand-over": both(MANAGING, sure="on"),
    "hand-over-to": get(MANAGING),
    "invite-new": post(MANAGING),
    "invite-revoke": post(MANAGING, code="{invite}"),
    "project-join": post(COMING),
    "project-ask": Rule(get=COMING, post=ASKING_TO),
    "project-leave": post(ANSWERING),
    # Answering
    "ask": get(PAGE),
    "question-next": get(ANSWERING),
    "questions-keep": get(ANSWERING),
    "grid": get(PAGE),
    "grid-next": get(ANSWERING),
    "grid-answer": post(ANSWERING),
    "grid-skip": post(ANSWERING),
    "answer": post(ANSWERING),
    "skip": post(ANSWERING),
    "undo": post(ANSWERING),
    "draw": post(ANSWERING),
    "no-usable-face": post(ANSWERING),
    "not-here": post(ANSWERING),
    "tray": get(ANSWERING),
    "threshold": get(MANAGING),
    # Reviewing
    "review": get(PAGE),
    "review-face": get(PAGE),
    "review-compare": get(PAGE, region="{region_id} {other_region}"),
    "review-else": get(REVIEWING, region="{region_id}"),
    "review-answer": post(REVIEWING),
    "review-reassign": post(REVIEWING),
    "again": get(PAGE),
    "again-next": get(REVIEWING),
    "again-keep": get(REVIEWING),
    "again-answer": post(REVIEWING),
    "again-rest": post(REVIEWING),
    "second-looks": get(PAGE),
    "second-look": post(REVIEWING),
    "second-look-undo": post(REVIEWING),
    # Sending
    "preview": both(SENDING),
    "preview-choose": post(SENDING),
    "attempt-exclude": post(SENDING, DRAFT),
    "attempt-ask": post(SENDING, DRAFT),
    "batch-confirm": post(SENDING, DRAFT),
    "batch-looked": post(SENDING, DRAFT),
    "batch-hand-over": post(SENDING, DRAFT),
    "batch-take-back-hand-over": post(SENDING, DRAFT),
    "batches": get(PAGE),
    "batch": get(SENT_PAGE, SENT),
    "batch-status": get(PAGE, SENT),
    "batch-pause": post(SENDER, SENT),
    "batch-resume": post(SENDER, SENT),
    "batch-stop": post(OR_PATROLLER, SENT),
    "batch-check": post(SENDER_OR_MODERATOR, SENT),
    "batch-undo": both(OR_PATROLLER, SENT, reason="wrong"),
    "edit-undo": both(OR_PATROLLER, SENT | {"attempt_id": "sent_attempt"}, reason="wrong"),
    # The same for everybody, by its code alone
    "sent-batch": get(ANYBODY, SENT),
    "sent-batch-stop": post(SENT_PATROLLER, SENT),
    "sent-batch-pause": post(SENT_SENDER, SENT),
    "sent-batch-resume": post(SENT_SENDER, SENT),
    "sent-batch-undo": both(SENT_PATROLLER, SENT, reason="wrong"),
    "sent-edit-undo": both(SENT_PATROLLER, SENT | {"attempt_id": "sent_attempt"}, reason="wrong"),
    # Taking along
    "export": get(MEMBERS),
    "export-labels": get(MEMBERS),
    "export-labels-json": get(MEMBERS),
    "export-claims": get(MEMBERS),
    "export-claims-json": get(MEMBERS),
    "export-quickstatements": get(MEMBERS),
    # The admin, a line for each kind of page; `*` is a model
    "admin:index": both(MODERATORS),
    "admin:app_list": both(MODERATORS),
    "admin:switch": Rule(get=ONLY_POSTS, post=MODERATORS),
    "admin:login": both(ADMIN_LOGIN),
    "admin:logout": Rule(get=ADMIN_LOGOUT, post=ANYBODY),
    "admin:jsi18n": Rule(get=MODERATORS, post=ONLY_POSTS),
    "admin:autocomplete": Rule(get=NO_MODERATOR, post=ONLY_POSTS),
    "admin:view_on_site": both(MODERATORS),
    "admin:*_changelist": both(MODERATORS),
    "admin:*_change": Rule(get=MODERATORS, post=NO_MODERATOR),
    "admin:*_add": both(NO_MODERATOR),
    "admin:*_delete": both(NO_MODERATOR),
    "admin:*_history": both(MODERATORS),
    "admin:projects_denyentry_*": both(MODERATORS),
    "admin/*/<path:object_id>/": both(MODERATORS),
    "admin/(?P<url>.*)$": both(NO_SUCH_PAGE),
}
