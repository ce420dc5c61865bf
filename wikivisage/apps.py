from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class WikiVisageConfig(AppConfig):
    name = "wikivisage"
    verbose_name = "WikiVisage"

    def ready(self) -> None:
        from crawler import denying as crawler
        from projects.denying import list_changed
        from projects.people import role_changed

        role_changed.connect(weigh_answers_anew)
        list_changed.connect(crawler.list_changed)
        list_changed.connect(ask_no_more)


class ModerationConfig(AdminConfig):
    default_site = "wikivisage.moderation.ModerationSite"


def weigh_answers_anew(*, project: Any, user: Any, **_: Any) -> None:
    """A reviewer's word outranks a member's, and theirs that of who is no member (any more)."""
    from classify.labels import reweigh

    reweigh(project, user)


def ask_no_more(*, entry: Any, listed: bool, **_: Any) -> None:
    """Questions on a file that is left alone vanish at once."""
    from classify.questions import drop_denied

    drop_denied()
