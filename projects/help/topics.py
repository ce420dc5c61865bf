"""What the help says, once: a sentence beside the thing itself, and all of it on the help page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = Any  # a string that is translated when it is shown


@dataclass(frozen=True)
class Topic:
    """`sentence` stands beside the thing; `more` follows it on the help page, in paragraphs."""

    title: Words
    sentence: Words
    more: tuple[Words, ...] = field(default=())


# Headings of the help page, and under each its topics by the name in their address.
GROUPS: tuple[tuple[Words, dict[str, Topic]], ...] = (
    (
        pgettext_lazy("heading in the help", "Starting a project"),
        {
            "project": Topic(
                _("A project"),
                _(
                    "A project looks for one person in the photos of some sources. You can "
                    "start one for anybody who has an item on Wikidata."
                ),
                (
                    _(
                        "While the photos are still being read you can already answer: the "
                        "first question comes within seconds."
                    ),
                ),
            ),
            "sources": Topic(
                _("Sources"),
                _(
                    "A source says where to look: a category with its subcategories, a search, "
                    "an uploader’s files, or files that already depict the person."
                ),
                (
                    _(
                        "The person’s own category often brings least, since its files already "
                        "say who is in them. Events that the person took part in bring more."
                    ),
                ),
            ),
            "watching": Topic(
                _("Watching a source"),
                _(
                    "A watched source is read again by itself. New uploads join the project, "
                    "and its owner hears of them."
                ),
            ),
            "pipeline": Topic(
                _("What happens to a photo"),
                _(
                    "Each photo is listed, then looked at for faces; the faces are compared, "
                    "you answer, you look it all through, and what you send is written."
                ),
                (
                    _(
                        "A photo that can’t be read is set aside with its reason; you can have it "
                        "tried again."
                    ),
                ),
            ),
        },
    ),
    (
        pgettext_lazy("heading in the help", "Answering"),
        {
            "answers": Topic(
                _("Yes, No and the rest"),
                _(
                    "Yes: the marked face is the person. No: it is somebody else. When you are "
                    "not sure, say that you can’t tell: a wrong answer costs more than none."
                ),
                (
                    _(
                        "“Not a face” is for what the program took for a face and is none. "
                        "“Background” is for somebody in the crowd behind, whom nobody would "
                        "look for in this photo. “Artwork” is for a painting, a statue or a "
                        "drawing of the person: it is kept apart from photos of the person "
                        "and from what the tool learns."
                    ),
                    _("Every answer can be undone, one after the other, as far back as you like."),
                ),
            ),
            "grid": Topic(
                _("A screen of many faces"),
                _(
                    "Faces that are likely the person are marked Yes already. Look at each, "
                    "take the mark off the wrong ones, and confirm the screen once."
                ),
                (
                    _(
                        "Whether you are asked one face or many is chosen by what saves the most "
                        "work. You can change it at any time."
                    ),
                ),
            ),
            "guess": Topic(
                _("The tool’s guess"),
                _(
                    "The guess is hidden until you ask for it, so that it does not lead you. "
                    "Look first, then compare."
                ),
            ),
            "keys": Topic(
                _("Keys and gestures"),
                _(
                    "Every answer has a key. Press ? to see them, and change those that do not "
                    "fit your keyboard."
                ),
                (
                    _(
                        "On a phone: swipe right for Yes, left for No, down to skip. There is a "
                        "button for every gesture."
                    ),
                ),
            ),
            "offline": Topic(
                _("When the network is away"),
                _(
                    "Answers that you give meanwhile are kept in your browser and sent once, as "
                    "soon as you are back."
                ),
            ),
        },
    ),
    (
        pgettext_lazy("heading in the help", "Looking it through"),
        {
            "review": Topic(
                _("Review"),
                _(
                    "All faces of the project in one gallery. Nothing is sent that a person has "
                    "not approved, here or while answering."
                ),
                (
                    _(
                        "Begin with the least likely ones: mistakes are among them. Select many "
                        "with Shift and the arrow keys, or by dragging."
                    ),
                ),
            ),
            "doubts": Topic(
                _("Second looks"),
                _(
                    "Some answers come back once: those that fit the others least, and some drawn "
                    "at random. Nobody is told which is which."
                ),
                (
                    _(
                        "From the random ones the tool counts how many answers are right, and says "
                        "so as a range."
                    ),
                ),
            ),
            "drawing": Topic(
                _("Drawing a box"),
                _(
                    "Draw a box round a face that was missed or is badly cut. It works with mouse, "
                    "finger and keyboard, and the numbers of the face are made from your box."
                ),
            ),
        },
    ),
    (
        pgettext_lazy("heading in the help", "Sending"),
        {
            "preview": Topic(
                _("Preview and Send"),
                _(
                    "The preview reads the files fresh and lists exactly what will be written. "
                    "Only the button with the number of edits on it writes, and under your name."
                ),
                (
                    _(
                        "A file that has the statement already is left alone. Nothing that "
                        "somebody else wrote is ever changed."
                    ),
                ),
            ),
            "batches": Topic(
                _("Batches"),
                _(
                    "What you send at once is a batch. Its page shows what became of each edit, "
                    "and you can pause it, stop it, or take it back."
                ),
                (
                    _(
                        "The tool looks again after a day, a week and a month. When somebody "
                        "removed a statement, you are asked to look at the face once more, and it "
                        "is not written again by itself."
                    ),
                ),
            ),
        },
    ),
    (
        pgettext_lazy("heading in the help", "Together"),
        {
            "members": Topic(
                _("Members"),
                _(
                    "Members answer; the owner also decides who is in, and changes the settings. "
                    "Invite people with a link, or let them ask to join."
                ),
            ),
            "leaderboard": Topic(
                _("Leaderboard"),
                _(
                    "It counts what stood the review, not how fast you were. Your name is "
                    "shown only if you choose so on your account page."
                ),
            ),
            "visibility": Topic(
                _("Public and private projects"),
                _(
                    "Everybody may look at a public project; a private one is seen by its members "
                    "only. What is written to the wiki is public in any case."
                ),
            ),
        },
    ),
    (
        pgettext_lazy("heading in the help", "Settings"),
        {
            "rule": Topic(
                _("What a face is compared with"),
                _(
                    "Usually with the answered faces most like it, which needs the fewest answers. "
                    "The centroid rule compares it with the mean of the confirmed faces."
                ),
            ),
            "threshold": Topic(
                _("The distance that is still a match"),
                _(
                    "Lower finds fewer faces and errs less often, higher finds more and errs more "
                    "often. The picture shows which faces fall on either side."
                ),
                (_("It belongs to the centroid rule; the other one sets itself."),),
            ),
            "minimum": Topic(
                _("The least number of confirmed faces"),
                _(
                    "Before so many faces are confirmed, the centroid rule takes none for the "
                    "person: the mean of very few faces says little."
                ),
            ),
            "region": Topic(
                _("Where the face is"),
                _(
                    "With this, the statement also says where in the picture the face is, "
                    "so that others can show it. Faces that were drawn or found have such a place."
                ),
            ),
            "artworks": Topic(
                _("Reproductions of works of art"),
                _(
                    "Some files reproduce a work, such as a painting. On these, who is depicted "
                    "often stands on the item of the work, so they are skipped unless you want "
                    "them."
                ),
            ),
        },
    ),
)
TOPICS: dict[str, Topic] = {
    name: topic for _heading, some in GROUPS for name, topic in some.items()
}
