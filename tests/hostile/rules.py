"""Who gets what at each address: the table that `test_matrix.py` holds the site to.

Every URL of `wikivisage.urls` has a line here, and every line a URL. A line says which methods
the URL takes, and who gets what by them. Any other method is refused with 405. Of a POST it also
says which limit counts it and which row of the audit log it writes, or why none; a POST that says
neither fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
class Because:
    """Why a POST writes no row of the audit log."""

    reason: str


@dataclass(frozen=True)
class Rule:
    """What a URL takes. `sent` is what its form or query needs to get beyond *there is no such
    thing*; `{…}` and the values of `named` are keys of `world.Made.names`.

    `limit` is the line of `core.ratelimit.LIMITS` that counts a POST. `audit` is the action that
    a POST writes into the audit log once it succeeds, as it does for the role `by` (the one who
    may do most) with the form `done`.
    """

    get: Access | None = None
    post: Access | None = None
    sent: tuple[tuple[str, str], ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    limit: str = "post"
    audit: str | Because | None = None
    by: str = ""
    done: tuple[tuple[str, str], ...] = ()

    def limited_by(self, limit: str) -> Rule:
        return replace(self, limit=limit)

    def writes(self, action: str, by: str = "", **done: str) -> Rule:
        return replace(self, audit=action, by=by, done=tuple(done.items()))

    def writes_none(self, reason: str, **done: str) -> Rule:
        return replace(self, audit=Because(reason), done=tuple(done.items()))


def get(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(get=access, sent=tuple(sent.items()), named=tuple((named or {}).items()))


def post(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(post=access, sent=tuple(sent.items()), named=tuple((named or {}).items()))


def both(access: Access, named: dict[str, str] | None = None, **sent: str) -> Rule:
    return Rule(access, access, tuple(sent.items()), tuple((named or {}).items()))


ANSWER_ROW = "The Answer row says who and when; an undo is a row of its own."
SKIP_ROW = "The Skip row says who and when, and only that person is asked later."
OF_ONES_OWN = "It changes only what this person sees, or shows of themselves."
SESSION = "A session begins or ends; the list of sessions says so."
DRAFT_ONLY = "A draft is seen by whoever makes it, and its rows say what was chosen."
READS = "It changes nothing."

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
    "object": both(ANYBODY)
    .limited_by("objection")
    .writes("objection.lodged", by="nobody", kind="category", about="Category:X", message="Why"),
    "objection": get(ANYBODY, {"code": "objection"}),  # who knows the code
    "theme": post(ANYBODY).writes_none(OF_ONES_OWN, theme="dark"),
    "language": post(ANYBODY).writes_none(OF_ONES_OWN, language="en"),
    "contributor": get(THEIR_OWN),
    # Coming and going. Of allauth these only; nobody has a password.
    "login": Rule(get=ANYBODY, post=FORBIDDEN),
    "account_login": Rule(get=ANYBODY, post=FORBIDDEN),
    "accounts/login/": get(TO_LOG_IN),
    "account_logout": both(ANYBODY).writes_none(SESSION),
    "account_inactive": get(ANYBODY),
    "mediawiki_login": both(ANYBODY).limited_by("login").writes_none(SESSION),
    "mediawiki_callback": get(NO_STATE),
    "local-login": post(ANYBODY).limited_by("login").writes_none(SESSION),
    # One's account
    "account": get(ACCOUNT),
    "account-visibility": post(ACCOUNT).writes_none(OF_ONES_OWN, show="on"),
    "sessions": get(ACCOUNT),
    "sessions-end": post(ACCOUNT).writes_none(SESSION, others="on"),
    "my-edits": get(ACCOUNT),
    "keys": both(ACCOUNT).writes_none(OF_ONES_OWN),
    "account-delete": Rule(get=ACCOUNT, post=NO_NAME).writes(
        "account.deleted", by="stranger", name="{me}"
    ),
    "account-data": get(ACCOUNT),
    "tours": post(ACCOUNT).writes_none(OF_ONES_OWN, again="on"),
    "notifications": get(ACCOUNT),
    "notifications-read": post(ACCOUNT).writes_none(OF_ONES_OWN),
    "notifications-wanted": post(ACCOUNT).writes_none(OF_ONES_OWN),
    "notification": get(ACCOUNT),
    "join": Rule(ACCOUNT, INVITED, (("code", "{invite}"),))
    .limited_by("join")
    .writes("member.joined", by="stranger", code="{invite}", join="on"),
    "join-code": both(INVITED, {"code": "invite"})
    .limited_by("join")
    .writes("member.joined", by="stranger", join="on"),
    # A new project
    "project-new": both(ACCOUNT)
    .limited_by("lookup")
    .writes(
        "project.created",
        by="stranger",
        do="start",
        person="Q7186",
        public="on",
        anybody="on",
        row="category:Marie Curie",
        use="category:Marie Curie",
    ),
    "person-search": get(ACCOUNT),
    "category-search": get(ACCOUNT),
    "place-count": get(ACCOUNT),
    "new-sum": post(ACCOUNT).limited_by("lookup").writes_none(READS),
    "admission": both(ACCOUNT)
    .limited_by("project")
    .writes("admission.asked", by="stranger", note="please"),
    # A project
    "project": get(PAGE),
    "project-status": get(PAGE),
    "project-figures": get(PAGE),
    "project-settings": both(MANAGING).writes(
        "project.settings",
        visibility="private",
        joining="invite",
        rule="centroid",
        threshold="0.5",
        min_confirmed="7",
    ),
    "project-state": post(MANAGING).writes("project.paused", deed="pause"),
    "project-delete": Rule(get=MANAGING, post=MANAGING_BY_NAME).writes(
        "project.deleted", name="{project}"
    ),
    "project-wake": post(ANSWERING).writes("project.woken"),
    "crop": get(PAGE),
    "set-aside": get(PAGE),
    "photo-retry": post(ANSWERING).limited_by("retry").writes("photos.retried"),
    "photo-leave-out": post(ANSWERING).limited_by("leave-out").writes("photo.left-out"),
    "box-release": post(ANSWERING, {"region_id": "drawn"})
    .limited_by("release-box")
    .writes("box.released"),
    "put-back-all": post(MANAGING).writes("omissions.put-back", user="{user_id}"),
    "sources": get(PAGE),
    "source-add": post(MANAGING)
    .limited_by("lookup")
    .writes("source.added", add="Category:Neil Armstrong", kind="category"),
    "source-suggestions": get(MANAGING),
    "source-change": post(MANAGING).writes("source.watched", do="watch"),
    "recrawl": post(MANAGING).writes("project.recrawled"),
    # Its people
    "members": get(PAGE),
    "member": get(MEMBERS),
    "member-statements": get(MEMBERS),
    "member-counts": post(JUDGING).writes("member.counts-not", counts="no"),
    "member-change": post(MANAGING, user="{user_id}", deed="remove").writes(
        "member.removed", user="{user_id}", deed="remove"
    ),
    "member-names": get(PAGE),
    "hand-over": both(MANAGING, sure="on").writes("project.handed-over", sure="on"),
    "hand-over-to": get(MANAGING),
    "invite-new": post(MANAGING).limited_by("invite").writes("invite.created", days="7", uses="50"),
    "invite-revoke": post(MANAGING, code="{invite}").writes("invite.revoked", code="{invite}"),
    "project-join": post(COMING).limited_by("join").writes("member.joined", by="stranger"),
    "project-ask": Rule(get=COMING, post=ASKING_TO)
    .limited_by("join")
    .writes("member.asked", by="stranger", note="please"),
    "project-leave": post(ANSWERING).writes("member.left", by="member"),
    # Answering
    "ask": get(PAGE),
    "question-next": get(ANSWERING),
    "questions-keep": get(ANSWERING),
    "grid": get(PAGE),
    "grid-next": get(ANSWERING),
    "grid-answer": post(ANSWERING).limited_by("answer").writes_none(ANSWER_ROW),
    "grid-skip": post(ANSWERING).limited_by("answer").writes_none(SKIP_ROW),
    "answer": post(ANSWERING).limited_by("answer").writes_none(ANSWER_ROW),
    "skip": post(ANSWERING).limited_by("answer").writes_none(SKIP_ROW),
    "undo": post(ANSWERING).limited_by("answer").writes_none(ANSWER_ROW),
    "draw": post(ANSWERING)
    .limited_by("answer")  # and by "redraw" where it replaces a box
    .writes(
        "region.redrawn",
        photo="{photo_id}",
        replaces="{region_id}",
        client_uuid="{uuid}",
        x="0.1",
        y="0.1",
        w="0.2",
        h="0.2",
    ),
    "no-usable-face": post(ANSWERING).limited_by("answer").writes_none(ANSWER_ROW),
    "not-here": post(ANSWERING).limited_by("answer").writes_none(ANSWER_ROW),
    "redrawn-undo": post(MANAGING).writes("regions.put-back"),
    "tray": get(ANSWERING),
    "threshold": get(MANAGING),
    # Reviewing
    "review": get(PAGE),
    "review-face": get(PAGE),
    "review-compare": get(PAGE, region="{region_id} {other_region}"),
    "review-else": get(REVIEWING, region="{region_id}"),
    "review-answer": post(REVIEWING).limited_by("answer").writes_none(ANSWER_ROW),
    "review-reassign": post(REVIEWING).limited_by("answer").writes_none(ANSWER_ROW),
    "again": get(PAGE),
    "again-next": get(REVIEWING),
    "again-keep": get(REVIEWING),
    "again-answer": post(REVIEWING).limited_by("answer").writes_none(ANSWER_ROW),
    "again-rest": post(REVIEWING).writes_none("It asks for more looks, and changes no answer."),
    "second-looks": get(PAGE),
    "second-look": post(REVIEWING).writes_none(
        "The Watch row says who looked and when, and the answer is a row of its own."
    ),
    "second-look-undo": post(REVIEWING).writes_none(ANSWER_ROW),
    # Sending
    "preview": both(SENDING).limited_by("send").writes_none(DRAFT_ONLY),
    "preview-choose": post(SENDING).writes_none(DRAFT_ONLY),
    "attempt-exclude": post(SENDING, DRAFT).writes_none(DRAFT_ONLY),
    "attempt-ask": post(SENDING, DRAFT).writes("claim.asked-again"),
    "batch-confirm": post(SENDING, DRAFT).limited_by("send").writes("batch.confirmed"),
    "batch-looked": post(SENDING, DRAFT).writes("writer.looked-at"),
    "batch-hand-over": post(SENDING, DRAFT).writes("batch.handed-over"),
    "batch-take-back-hand-over": post(SENDING, DRAFT).writes("batch.hand-over-taken-back"),
    "batches": get(PAGE),
    "batch": get(SENT_PAGE, SENT),
    "batch-status": get(PAGE, SENT),
    "batch-pause": post(SENDER, SENT).writes("batch.paused"),
    "batch-resume": post(SENDER, SENT).writes("batch.resumed"),
    "batch-stop": post(OR_PATROLLER, SENT).writes("batch.stopped", by="moderator"),
    "batch-check": post(SENDER_OR_MODERATOR, SENT).writes_none("It has the wiki read sooner."),
    "batch-undo": both(OR_PATROLLER, SENT, reason="wrong")
    .limited_by("send")
    .writes("batch.undone"),
    "edit-undo": both(OR_PATROLLER, SENT | {"attempt_id": "sent_attempt"}, reason="wrong")
    .limited_by("send")
    .writes("batch.undone", by="moderator"),
    # The same for everybody, by its code alone
    "sent-batch": get(ANYBODY, SENT),
    "sent-batch-status": get(ANYBODY, SENT),
    "sent-batch-stop": post(SENT_PATROLLER, SENT).limited_by("send").writes("batch.stopped"),
    "sent-batch-pause": post(SENT_SENDER, SENT).limited_by("send").writes("batch.paused"),
    "sent-batch-resume": post(SENT_SENDER, SENT).limited_by("send").writes("batch.resumed"),
    "sent-batch-undo": both(SENT_PATROLLER, SENT, reason="wrong")
    .limited_by("send")
    .writes("batch.undone"),
    "sent-edit-undo": both(SENT_PATROLLER, SENT | {"attempt_id": "sent_attempt"}, reason="wrong")
    .limited_by("send")
    .writes("batch.undone"),
    # Taking along
    "export": get(MEMBERS),
    "export-labels": get(MEMBERS),
    "export-labels-json": get(MEMBERS),
    "export-claims": get(MEMBERS),
    "export-claims-json": get(MEMBERS),
    "export-quickstatements": get(MEMBERS),
    # The admin, a line for each kind of page; `*` is a model
    "admin:index": both(MODERATORS).writes_none(READS),
    "admin:app_list": both(MODERATORS).writes_none(READS),
    "admin:switch": Rule(get=ONLY_POSTS, post=MODERATORS).writes(
        "writing.stopped", reason="Vandals", sure="on"
    ),
    "admin:login": both(ADMIN_LOGIN),
    "admin:logout": Rule(get=ADMIN_LOGOUT, post=ANYBODY).writes_none(SESSION),
    "admin:jsi18n": Rule(get=MODERATORS, post=ONLY_POSTS),
    "admin:autocomplete": Rule(get=NO_MODERATOR, post=ONLY_POSTS),
    "admin:view_on_site": both(MODERATORS).writes_none(READS),
    "admin:*_changelist": both(MODERATORS).writes_none(
        "Each action writes its own row: see ACTIONS in test_audit.py."
    ),
    "admin:*_change": Rule(get=MODERATORS, post=NO_MODERATOR),
    "admin:*_add": both(NO_MODERATOR),
    "admin:*_delete": both(NO_MODERATOR),
    "admin:*_history": both(MODERATORS).writes_none(READS),
    "admin:projects_denyentry_*": both(MODERATORS).writes_none(READS),
    "admin:projects_denyentry_add": both(MODERATORS).writes(
        "deny.added", kind="category", value="Category:Nobody", reason="asked to"
    ),
    "admin:projects_denyentry_change": both(MODERATORS).writes("deny.reworded", reason="other"),
    "admin:projects_denyentry_delete": both(MODERATORS).writes(
        "deny.removed", reason="in error", post="yes"
    ),
    "admin/*/<path:object_id>/": both(MODERATORS).writes_none(READS),
    "admin/(?P<url>.*)$": both(NO_SUCH_PAGE),
}
