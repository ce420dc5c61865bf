"""A crowded review: some hundreds of faces that were found, thought of and partly answered."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from itertools import count

import numpy as np
from django.conf import settings
from PIL import Image

from classify import labels
from classify.models import Answer, Learner, Origin, Score
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from crawler.pictures import crops
from projects.models import Membership, Project, User

_numbers = count(50_000_000)
WAYS = (Origin.GRID, Origin.GRID, Origin.ASK, Origin.REVIEW)


def add_faces(project: Project, n: int, models: Sequence[Photo] = ()) -> list[Region]:
    """n faces, one a photo, the likeliest first: 160 px, 90 px and 30 px high, of 1890 and later.

    `models` are photos that the wiki has; theirs is what the new ones show.
    """
    numbers = [next(_numbers) for _ in range(n)]
    sizes = [(each.picture.width, each.picture.height) for each in models] or [(1000, 800)]
    pictures = Picture.objects.bulk_create(
        Picture(
            sha1=f"{number:040x}",
            width=sizes[at % len(sizes)][0],
            height=sizes[at % len(sizes)][1],
            mime="image/jpeg",
            state=WorkState.DONE,
            faces=1,
        )
        for at, number in enumerate(numbers)
    )
    photos = Photo.objects.bulk_create(
        Photo(
            wiki=settings.WIKI.code,
            page_id=number,
            title=models[at % len(models)].title if models else f"File:Face {at}.jpg",
            thumb_path=models[at % len(models)].thumb_path if models else "",
            picture=picture,
            taken_from=date(1890 + at % 45, 1, 1),
        )
        for at, (number, picture) in enumerate(zip(numbers, pictures, strict=True))
    )
    ProjectPhoto.objects.bulk_create(ProjectPhoto(project=project, photo=photo) for photo in photos)
    regions = Region.objects.bulk_create(
        Region(
            picture=picture,
            origin=Region.Origin.DETECTOR,
            x=0.3,
            y=0.2,
            w=0.2,
            h=0.25,
            face_px=(160, 90, 30)[at % 3],
            phash=f"{(number * 2654435761**5) % 2**128:032x}",
        )
        for at, (number, picture) in enumerate(zip(numbers, pictures, strict=True))
    )
    Project.objects.filter(pk=project.pk).tell_learner()
    project.refresh_from_db()
    Score.objects.bulk_create(
        Score(
            subject=project.subject,
            photo=photo,
            region=region,
            unlikely=at / n / 2,
            is_match=True,
            revision=project.revision,
        )
        for at, (photo, region) in enumerate(zip(photos, regions, strict=True))
    )
    Learner.objects.update_or_create(
        project=project, defaults={"revision": project.revision, "confirmed": 9, "faces": n}
    )
    for region in regions:
        _crop(region)
    return regions


def say(project: Project, user: User, regions: Sequence[Region], verdict: str) -> None:
    """Answers to these faces, in several ways, and the labels that they make."""
    Membership.objects.get_or_create(project=project, user=user)
    photos = {
        photo.picture_id: photo for photo in Photo.objects.filter(picture__regions__in=regions)
    }
    Answer.objects.bulk_create(
        Answer(
            subject=project.subject,
            photo=photos[region.picture_id],
            region=region,
            user=user,
            verdict=verdict,
            origin=WAYS[at % len(WAYS)],
        )
        for at, region in enumerate(regions)
    )
    keys = [region.pk for region in regions]
    labels.relabel(project, keys)
    Score.objects.filter(subject=project.subject, region__in=keys).update(is_match=False)


def _crop(region: Region) -> None:
    """A picture of its own, so that no page asks the wiki for one."""
    tint = np.random.default_rng(region.pk).integers(60, 200, 3)
    small = np.linspace(0.6, 1.2, 16)[:, None, None] * tint * np.ones((16, 16, 1))
    out = io.BytesIO()
    Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize((160, 160)).save(out, "JPEG")
    path = crops.path_of(region)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())
