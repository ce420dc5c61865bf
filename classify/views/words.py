"""What the pages' scripts say, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _


def ask(name: str) -> dict[str, str]:
    named = {"name": name}
    return common() | {
        "yes": _("Yes, %(name)s") % named,
        "no": _("No, not %(name)s") % named,
        "background": _("Only in the background"),
        "artwork": _("An artwork of %(name)s") % named,
        "not-a-face": _("Not a face"),
        "cant-tell": _("Can't tell"),
        "skip": _("Skipped for now"),
        "nousableface": _("%(name)s is here, without a usable face") % named,
        "draw": _("The face you drew is %(name)s") % named,
        "undone": _("Taken back"),
        "nothing": _("There is nothing to undo."),
        "question": _("Is this %(name)s? A face in {photo}.") % named,
        "needed": _("1 more Yes, and the tool looks for others by itself."),
        "neededMany": _("{n} more Yes, and the tool looks for others by itself."),
    }


def grid(name: str) -> dict[str, str]:
    named = {"name": name}
    return common() | {
        "confirm": _("Confirm {n}"),
        "nobody": _("Nobody here is %(name)s") % named,
        "others": _("1 is somebody else"),
        "othersMany": _("{n} are somebody else"),
        "else": _("1 other"),
        "elseMany": _("{n} other"),
        "screen": _("1 answer kept"),
        "screenMany": _("{n} answers kept"),
        "skipscreen": _("Skipped for now"),
        "undone": _("Taken back"),
        "nothing": _("There is nothing to undo."),
        "no": _("No"),
        "cant-tell": _("Can't tell"),
        "background": _("Background"),
        "not-a-face": _("Not a face"),
        "artwork": _("Artwork"),
    }


def common() -> dict[str, str]:
    return {
        "kept": _("1 answer kept here, will be sent once."),
        "keptMany": _("{n} answers kept here, will be sent once."),
        "offline": _("The server can't be reached."),
        "refused": _("This answer was not taken."),
    }


def review(name: str) -> dict[str, str]:
    named = {"name": name}
    return common() | {
        "approved": _("1 face approved"),
        "approvedMany": _("{n} faces approved"),
        "rejected": _("1 face rejected"),
        "rejectedMany": _("{n} faces rejected"),
        "draw": _("The box is drawn anew"),
        "nousableface": _("%(name)s is here, without a usable face") % named,
        "drawn": _("The face you drew is %(name)s") % named,
        "undone": _("Taken back"),
        "undoneMany": _("{n} answers taken back"),
        "selected": _("{n} selected"),
    }
