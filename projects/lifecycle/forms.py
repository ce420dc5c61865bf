"""What an owner may set in a project, and stopping or ending it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.events import announce
from core.transactions import atomic
from projects.creation.forms import OwnNameField
from projects.ledger import audit
from projects.models import Project, User

NEAREST, FARTHEST = 0.3, 0.8  # what the threshold may be
LEAST, MOST = 1, 100  # confirmed faces before anything is inferred
LEARNING = {"rule", "threshold", "min_confirmed", "bootstrap_counts"}  # the learner must see these
WRITING = {"write_region", "include_artworks"}  # a preview made before is not what will be sent


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
