"""What the answering pages send: checked before a service sees it.

Faces and photos are looked up inside the project, so that an id of another project is as
wrong as one that never was.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.db.models import FilteredRelation, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from classify.answers import Given
from classify.models import Verdict
from core.prepared_queries import prepared
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Project

SMALLEST = 0.01  # of the picture's width and height: a drawn face is no speck
OVERWRITTEN = _(
    "Another picture was uploaded under this name since you opened it. Load the page again to"
    " draw on the new one."
)
MOST_WAITED = 86_400  # seconds: an answer of yesterday may come today
READ_WITH: Any = ("photo", "face")
MOST_AT_ONCE = 1000  # faces that one review form may hold


class PublicId(forms.CharField):
    """The public id of a face or a photo, as it stands in addresses."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=16, **options)


class ProjectForm(forms.Form):
    """A form about something of one project, sent once under one UUID made by the page."""

    client_uuid = forms.UUIDField()
    waited = forms.FloatField(required=False)  # seconds in the browser, without network

    def __init__(self, project: Project, data: QueryDict) -> None:
        super().__init__(data)
        self.project = project
        self.sent = data

    def clean_waited(self) -> float:
        return float(min(max(self.cleaned_data["waited"] or 0, 0), MOST_WAITED))

    def clean_photo(self) -> Photo:
        photo = (
            Photo.objects.filter(
                project_photos__project=self.project, public_id=self.cleaned_data["photo"]
            )
            .select_related("picture")
            .first()
        )
        if photo is None:
            raise forms.ValidationError(_("This photo is not in this project."), "unknown")
        return photo

    def face(self, public_id: str) -> Region:
        faces = faces_of(self.project, [public_id])
        if not faces:
            raise forms.ValidationError(_("This face is not in this project."), "unknown")
        return _unreplaced(faces[0])


class FaceForm(ProjectForm):
    """One face of one photo."""

    photo = PublicId()
    region = PublicId()

    @cached_property
    def shown(self) -> list[Any]:
        """What shows the face, read in one query for both fields."""
        return shown_in(self.project, self.sent.getlist("region")[-1:])

    def clean_photo(self) -> Photo:
        """The one that shows the face; the error is that of a photo by itself."""
        for each in self.shown:
            photo: Photo = each.photo
            if photo.public_id == self.cleaned_data["photo"]:
                return photo
        return super().clean_photo()

    def clean_region(self) -> Region:
        if not self.shown:
            raise forms.ValidationError(_("This face is not in this project."), "unknown")
        return _unreplaced(self.shown[0].face)

    def clean(self) -> None:
        photo, region = self.cleaned_data.get("photo"), self.cleaned_data.get("region")
        if photo and region and photo.picture_id != region.picture_id:
            raise forms.ValidationError(_("This face is not in this photo."), "unknown")


class AnswerForm(FaceForm):
    verdict = forms.ChoiceField(choices=Verdict.choices)


class PhotoForm(ProjectForm):
    photo = PublicId()


class BoxForm(ProjectForm):
    """A box drawn on a photo, in 0–1 of the upright picture; `replaces` is the face redrawn, and
    `picture` the sha1 of what was drawn on, as the page had it."""

    photo = PublicId()
    picture = forms.CharField(required=False, max_length=40)
    replaces = PublicId(required=False)
    x = forms.FloatField(min_value=0, max_value=1)
    y = forms.FloatField(min_value=0, max_value=1)
    w = forms.FloatField(min_value=SMALLEST, max_value=1)
    h = forms.FloatField(min_value=SMALLEST, max_value=1)

    def clean_replaces(self) -> Region | None:
        public_id = self.cleaned_data["replaces"]
        return self.face(public_id) if public_id else None

    def clean(self) -> None:
        if any(side not in self.cleaned_data for side in "xywh"):
            return
        x, y, w, h = (float(self.cleaned_data[side]) for side in "xywh")  # finite by FloatField
        rounding = 1e-6
        if x + w > 1 + rounding or y + h > 1 + rounding:
            raise forms.ValidationError(_("The box must lie inside the photo."), "outside")
        self.cleaned_data["box"] = (x, y, min(w, 1 - x), min(h, 1 - y))
        photo, old = self.cleaned_data.get("photo"), self.cleaned_data.get("replaces")
        seen = self.cleaned_data.get("picture")
        if photo and seen and photo.picture.sha1 != seen:
            raise forms.ValidationError(OVERWRITTEN, "changed")
        if photo and old and photo.picture_id != old.picture_id:
            raise forms.ValidationError(_("This face is not in this photo."), "unknown")


class UndoForm(ProjectForm):
    """`target`, any number of them: the UUIDs that the answers to take back were sent under."""

    def __init__(self, project: Project, data: QueryDict) -> None:
        super().__init__(project, data)
        self.targets: list[UUID] = []

    def clean(self) -> None:
        named = self.sent.getlist("target")
        if len(named) > MOST_AT_ONCE:
            raise forms.ValidationError(_("Too many answers at once."), "too-many")
        self.targets = [forms.UUIDField().clean(each) for each in named]


class ReviewForm(ProjectForm):
    """One word for the faces that were ticked (`region`) or for all that were `shown`.

    Each face's answer has a UUID of its own: `uuid`, in the same order, else made of the form's.
    """

    # what a button of the review says -> the verdict, and the field that names the faces
    DEEDS = {
        "approve": (Verdict.YES, "region"),
        "reject": (Verdict.NO, "region"),
        "approve-all": (Verdict.YES, "shown"),
        "background": (Verdict.BACKGROUND, "region"),
        "artwork": (Verdict.ARTWORK, "region"),
        "not-a-face": (Verdict.NOT_A_FACE, "region"),
        "cant-tell": (Verdict.CANT_TELL, "region"),
    }
    COPIES = "with-"  # before the id of a ticked face: the copies that lie under it
    deed = forms.ChoiceField(choices=[(deed, deed) for deed in DEEDS])

    @property
    def verdict(self) -> str:
        return self.DEEDS[self.cleaned_data["deed"]][0]

    def clean(self) -> None:
        if self.errors:
            return
        named = self._named(self.DEEDS[self.cleaned_data["deed"]][1])
        if not named:
            raise forms.ValidationError(_("Choose a face first."), "nothing")
        if len(named) > MOST_AT_ONCE:
            raise forms.ValidationError(_("Too many faces at once."), "too-many")
        faces = faces_of(self.project, named)
        if len(faces) != len(named):
            raise forms.ValidationError(_("This face is not in this project."), "unknown")
        own = self.sent.getlist("uuid") or [
            str(uuid5(self.cleaned_data["client_uuid"], public_id)) for public_id in named
        ]
        if len(own) != len(named):
            raise forms.ValidationError(_("One UUID a face, please."), "invalid")
        uuids = [forms.UUIDField().clean(each) for each in own]
        # a box that somebody has drawn anew meanwhile is no longer a face to judge
        self.cleaned_data["faces"] = [
            (face, each) for face, each in zip(faces, uuids, strict=True) if not face.replaced_by_id
        ]

    def _named(self, field: str) -> list[str]:
        """Each once. A word for a stack counts for each of its copies; a script names them all."""
        ticked = self.sent.getlist(field)
        copies = [
            one
            for public_id in (ticked if field == "region" else ())
            for one in self.sent.getlist(self.COPIES + public_id)
        ]
        return list(dict.fromkeys(ticked + copies))


class ReassignForm(ReviewForm):
    """Faces that are somebody else; `other` is the public id of that person's project, or empty
    where nobody knows who it is."""

    DEEDS = {"else": (Verdict.NO, "region")}
    deed = forms.ChoiceField(choices=[("else", "else")])
    other = forms.CharField(required=False, max_length=16)

    def clean_other(self) -> Project | None:
        public_id = self.cleaned_data["other"]
        if not public_id:
            return None
        found = Project.objects.with_subject().filter(public_id=public_id).first()
        if found is None:
            raise forms.ValidationError(_("There is no such project."), "unknown")
        return found


class ScreenForm(ProjectForm):
    """A grid of faces: all that were `shown`, of which `yes` are the person, the others not.

    `word`, one for each in the same order or none at all, is another verdict than these two,
    or empty. `all` is the verdict on all faces without such a word, whatever is marked.
    `rest=open`: once one is marked, nothing is said of the others; they are `untold`.
    Each face's answer has a UUID of its own: `uuid`, in the same order, else made of the form's.
    """

    WORDS = (Verdict.CANT_TELL, Verdict.BACKGROUND, Verdict.NOT_A_FACE, Verdict.ARTWORK)
    MOST = 100  # faces on one screen

    all = forms.ChoiceField(required=False, choices=Verdict.choices)
    rest = forms.ChoiceField(required=False, choices=[("open", "open")])

    @property
    def given(self) -> list[tuple[Given, str]]:
        """What services.answer_screen takes. A face that is gone meanwhile (its box drawn anew,
        its photo withdrawn) is none to judge."""
        return [
            (Given(region, photo, own, self.cleaned_data["waited"]), verdict)
            for (region, photo), verdict, own in self._faces
            if verdict and not region.replaced_by_id and photo.state == Photo.State.LIVE
        ]

    @property
    def untold(self) -> list[Region]:
        return [region for (region, _photo), verdict, _own in self._faces if not verdict]

    @property
    def regions(self) -> list[Region]:
        return [region for (region, _photo), *_said in self._faces]

    def clean(self) -> None:
        if self.errors:
            return
        shown = self.sent.getlist("shown")
        self._check_names(shown)
        words = self._aligned("word", shown) or [""] * len(shown)
        if any(word and word not in self.WORDS for word in words):
            raise forms.ValidationError(_("That is not an answer we know."), "unknown-verdict")
        named = [forms.UUIDField().clean(each) for each in self._aligned("uuid", shown)]
        if len(set(named)) != len(named):
            raise forms.ValidationError(_("One UUID a face, please."), "invalid")
        made_up = [uuid5(self.cleaned_data["client_uuid"], public_id) for public_id in shown]
        found = sorted(shown_in(self.project, shown), key=lambda each: _best_last(each.photo))
        best = {each.face.public_id: (each.face, each.photo) for each in found}
        if len(best) != len(shown):
            raise forms.ValidationError(_("This face is not in this project."), "unknown")
        faces = [best[public_id] for public_id in shown]
        verdicts = [word or self._mark(each) for word, each in zip(words, shown, strict=True)]
        self._faces = list(zip(faces, verdicts, named or made_up, strict=True))

    def _check_names(self, shown: list[str]) -> None:
        if not shown:
            raise forms.ValidationError(_("There is no face on this screen."), "nothing")
        if len(shown) > self.MOST:
            raise forms.ValidationError(_("Too many faces at once."), "too-many")
        if len(set(shown)) != len(shown):
            raise forms.ValidationError(_("A face is on a screen once."), "invalid")
        if not set(self.sent.getlist("yes")) <= set(shown):
            raise forms.ValidationError(_("This face is not on this screen."), "unknown")

    def _aligned(self, name: str, shown: list[str]) -> list[str]:
        values = self.sent.getlist(name)
        if values and len(values) != len(shown):
            raise forms.ValidationError(_("One value a face, please."), "invalid")
        return values

    def _mark(self, public_id: str) -> str:
        marked = self.sent.getlist("yes")
        unmarked = "" if marked and self.cleaned_data["rest"] else Verdict.NO
        return self.cleaned_data["all"] or (Verdict.YES if public_id in marked else unmarked)


def faces_of(project: Project, public_ids: list[str]) -> list[Region]:
    """These faces, as far as a photo of the project shows them, in the order asked for."""
    found = Region.objects.filter(
        public_id__in=public_ids, picture__photos__project_photos__project=project
    ).distinct()
    by_id = {region.public_id: region for region in found}
    return [by_id[public_id] for public_id in public_ids if public_id in by_id]


def shown_in(project: Project, public_ids: list[str]) -> list[Any]:
    """What shows these faces: each photo of the project (`photo`) with each of them (`face`)."""
    return _shown_in(project.pk, public_ids)


@prepared
def _shown_in(project: Any, public_ids: Any) -> QuerySet[Any]:
    named = Q(photo__picture__regions__public_id__in=public_ids)
    shown = ProjectPhoto.objects.annotate(
        face=FilteredRelation("photo__picture__regions", condition=named)
    )
    return shown.filter(project=project, face__isnull=False).select_related(*READ_WITH)


def _best_last(photo: Photo) -> tuple[bool, int]:
    """The oldest live page, as in scores."""
    return photo.state == Photo.State.LIVE, -photo.pk


def _unreplaced(face: Region) -> Region:
    if face.replaced_by_id:
        raise forms.ValidationError(_("Somebody has drawn this box anew."), "replaced")
    return face


def photos_of(project: Project, regions: list[Region]) -> dict[int, Photo]:
    """Picture key -> the photo of the project that shows it best."""
    photos = Photo.objects.filter(
        project_photos__project=project, picture_id__in={region.picture_id for region in regions}
    )
    return {photo.picture_id: photo for photo in sorted(photos, key=_best_last)}
