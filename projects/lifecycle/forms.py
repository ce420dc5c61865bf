"""What an owner may set in a project, and stopping or ending it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from projects.creation.forms import OwnNameField
from projects.ledger import audit
from projects.models import Project, User
from projects.privacy import denylist

NEAREST, FARTHEST = 0.3, 0.8  # what the threshold may be
LEAST, MOST = 1, 100  # confirmed faces before anything is inferred
LEARNING = {"rule", "threshold", "min_confirmed", "bootstrap_counts"}  # the learner must see these
WRITING = {"write_region", "include_artworks"}  # a preview made before is not what will be sent

# From which states these come: what is archived is opened again, neither paused nor completed.
COMES_FROM: dict[str, tuple[str, ...]] = {
    Project.State.PAUSED: (Project.State.ACTIVE, Project.State.COMPLETED),
    Project.State.COMPLETED: (Project.State.ACTIVE, Project.State.PAUSED),
}


class Slider(forms.NumberInput):
    input_type = "range"


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    threshold = forms.FloatField(
        label=gettext_lazy("Distance that is still a match"),
        help_text=gettext_lazy(
            "0.6 is the usual value on the scale of dlib’s authors; other engines are stretched to "
            "it. Lower finds fewer faces and errs less often."
        ),
        min_value=NEAREST,
        max_value=FARTHEST,
        widget=Slider(attrs={"step": "0.01"}),
    )
    min_confirmed = forms.IntegerField(
        label=gettext_lazy("Confirmed faces before anything is inferred"),
        min_value=LEAST,
        max_value=MOST,
    )

    name = OwnNameField()

    class Meta:
        model = Project
        fields = (
            "name",
            "visibility",
            "joining",
            "rule",
            "threshold",
            "min_confirmed",
            "bootstrap_counts",
            "write_region",
            "include_artworks",
        )
        widgets = dict.fromkeys(("visibility", "joining", "rule"), forms.RadioSelect)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        private = data.get("visibility") == Project.Visibility.PRIVATE
        if private and data.get("joining") == Project.Joining.OPEN:
            self.add_error(
                "joining", _("A private project can't be found, so one joins it by invitation.")
            )
        return data

    @atomic
    def store(self, by: User) -> None:
        """Save what changed, write down who changed it, and let the learner see it."""
        project, target = self.instance, f"project:{self.instance.pk}"
        before = Project.objects.select_for_update().get(pk=project.pk)
        changed = {
            name: self.cleaned_data[name]
            for name in self.changed_data
            if self.cleaned_data[name] != getattr(before, name)
        }
        if not changed:
            return
        Project.objects.filter(pk=project.pk).update(**changed)
        if (LEARNING | WRITING) & changed.keys():
            Project.objects.filter(pk=project.pk).tell_learner()
            announce("answers-given")
        if "name" in changed:
            audit(by, "project.renamed", project, target, name=changed.pop("name"))
        if changed:
            audit(by, "project.settings", project, target, **changed)


def set_state(project: Project, by: User | None, state: str) -> None:
    """Pause, resume, complete, archive or open again. An archived project keeps its answers;
    reopening it takes its place as the owner's one live project for this person, if that is free.
    """
    if state in (Project.State.ACTIVE, Project.State.COMPLETED):
        denylist.refuse_project(project)
    live = state != Project.State.ARCHIVED
    key = f"{project.owner_id}:{project.subject.person_id}" if live else None
    # not one that was handed over since `project` was read: its place is the new owner's
    rows = Project.objects.filter(pk=project.pk, owner=project.owner_id).exclude(state=state)
    if state in COMES_FROM:
        rows = rows.filter(state__in=COMES_FROM[state])
    try:
        _change_state(rows, project, by, state, key)
    except IntegrityError:
        raise Refused(
            "has-another", _("You have another live project for this person. Archive that first.")
        )


@atomic
def _change_state(
    rows: QuerySet[Project], project: Project, by: User | None, state: str, key: str | None
) -> None:
    if rows.update(state=state, active_key=key):
        audit(by, f"project.{state}", project, f"project:{project.pk}")
        if state == Project.State.ACTIVE:
            announce("project-resumed")
