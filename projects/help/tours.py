"""Tours at first use: a few steps that point at what is on a page. What was seen is User.tours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

Words = Any  # a string that is translated when it is shown


@dataclass(frozen=True)
class Step:
    """`at` is a CSS selector; a step whose thing is not on the page is left out."""

    at: str
    heading: Words
    text: Words


# By the name of the page's address.
TOURS: dict[str, tuple[Step, ...]] = {
    "project": (
        Step(
            ".project-head",
            _("A project looks for one person"),
            _("Everything here is about finding this person in photos, and nobody else."),
        ),
        Step(
            "#next-button",
            _("The best next thing to do"),
            _(
                "When you do not know where to go on, take this button. It changes as the "
                "work goes on."
            ),
        ),
        Step(
            ".steps",
            _("How far it is"),
            _(
                "From the photos to what is written. You can answer while the photos are still "
                "being looked at."
            ),
        ),
    ),
    "ask": (
        Step(
            ".q-frame",
            _("One face at a time"),
            _("The marigold corners show which face of the photo is meant."),
        ),
        Step(
            ".q-pair",
            _("Compare"),
            _("Beside it the person’s portrait, and below faces that were confirmed already."),
        ),
        Step(
            ".q-answer",
            _("Is it the person?"),
            _(
                "Yes or No, by button, key or swipe. When you are not sure, say so: a wrong "
                "answer costs more than none."
            ),
        ),
        Step(
            "[data-do=undo]",
            _("Nothing is final"),
            _("Take back the last answer, and the one before, as far as you like."),
        ),
    ),
    "grid": (
        Step(
            "#tiles",
            _("Many faces at once"),
            _("Those that are likely the person are marked already. Look at each of them."),
        ),
        Step(
            "#tiles .face",
            _("Change what is wrong"),
            _(
                "A tap, or the space bar, takes the mark away or sets it. Arrow keys move from "
                "face to face."
            ),
        ),
        Step(
            "[data-do=confirm]",
            _("Confirm them all"),
            _("One press sends the whole screen. It says how many are marked."),
        ),
    ),
    "review": (
        Step(
            ".review-states",
            _("Choose what to look at"),
            _("What is left to review comes first. The numbers say how much there is of each."),
        ),
        Step(
            ".gallery",
            _("Approve or reject"),
            _("Begin with the least likely ones: mistakes are among them."),
        ),
    ),
}


def steps_of(name: str) -> list[dict[str, str]]:
    """For the page's script."""
    return [{"at": s.at, "heading": str(s.heading), "text": str(s.text)} for s in TOURS[name]]
