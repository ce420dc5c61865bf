"""What an owner may set in a project, and stopping or ending it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects import denials
from projects.ledger import audit
from projects.models import Project, User
from projects.pipeline import announce
from projects.refusal import Refused

LEARNING = {"rule", "threshold", "min_confirmed", "bootstrap_counts"}  # the learner must see these
WRITING = {"write_region", "include_artworks"}  # a preview made before is not what will be sent


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    threshold = forms.FloatField(
        label=gettext_lazy("Distance that is still a match"),
        help_text=gettext_lazy(
            "0.6 is the usual value on the scale of dlib’s authors; other engines are stretched to "
            "it. Lower finds fewer faces and errs less often."
        ),
        min_value=0.3,
        max_value=0.8,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )
    min_confirmed = forms.IntegerField(
        label=gettext_lazy("Confirmed faces before anything is inferred"),
        min_value=1,
        max_value=100,
    )

    class Meta:
        model = Project
        fields = (
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

    def store(self, by: User) -> None:
        """Save what changed, write down who changed it, and let the learner see it."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        if not changed:
            return
        project = self.instance
        with transaction.atomic():
            Project.objects.filter(pk=project.pk).update(**changed)
            if (LEARNING | WRITING) & changed.keys():
                Project.objects.filter(pk=project.pk).tell_learner()
                announce("answers-given")
            audit(by, "project.settings", project, f"project:{project.pk}", **changed)


def set_state(project: Project, by: User, state: str) -> None:
    """Pause, resume or archive. An archived project keeps its answers; reopening it takes its
    place as the owner's one live project for this person, if that is free."""
    if state == Project.State.ACTIVE:
        denials.refuse_project(project)
    live = state != Project.State.ARCHIVED
    key = f"{project.owner_id}:{project.person_id}" if live else None
    rows = Project.objects.filter(pk=project.pk).exclude(state=state)
    if state == Project.State.PAUSED:  # an archived project is reopened, never paused
        rows = rows.filter(state=Project.State.ACTIVE)
    try:
        with transaction.atomic():
            if rows.update(state=state, active_key=key):
                audit(by, f"project.{state}", project, f"project:{project.pk}")
                if state == Project.State.ACTIVE:
                    announce("project-resumed")
    except IntegrityError:
        raise Refused(
            "has-another", _("You have another live project for this person. Archive that first.")
        )
