"""Screens made by hand, so that a test knows what is on them."""

from __future__ import annotations

from collections.abc import Sequence

from classify.models import Question
from crawler.models import Photo, Region
from projects.models import Project


def lay_out(
    project: Project,
    screens: Sequence[Sequence[Region]],
    kind: str = Question.Kind.LIKELY,
    marked: bool = True,
    nearest: Sequence[Region] = (),
) -> None:
    """Ask about these faces, a list for each screen, and about no others."""
    Question.objects.filter(subject=project.subject).delete()
    for number, faces in enumerate(screens):
        ask_about(project, faces, number, kind, marked, nearest)


def ask_about(
    project: Project,
    faces: Sequence[Region],
    number: int,
    kind: str = Question.Kind.LIKELY,
    marked: bool = True,
    nearest: Sequence[Region] = (),
) -> None:
    """One more screen, the `number`th."""
    for place, face in enumerate(faces):
        Question.objects.create(
            subject=project.subject,
            region=face,
            photo=Photo.objects.filter(picture=face.picture_id).earliest("id"),
            rank=100 * number + place,
            screen=number,
            kind=kind,
            marked=marked,
            nearest=[each.pk for each in nearest],
        )
