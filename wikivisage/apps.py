from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class WikiVisageConfig(AppConfig):
    name = "wikivisage"
    verbose_name = "WikiVisage"

    def ready(self) -> None:
        from projects.people import role_changed

        role_changed.connect(weigh_answers_anew)


class ModerationConfig(AdminConfig):
    default_site = "wikivisage.moderation.ModerationSite"


def weigh_answers_anew(*, project: Any, user: Any, **_: Any) -> None:
    """A reviewer's word outranks a member's, and theirs that of who is no member (any more)."""
    from classify.labels import reweigh

    reweigh(project, user)
