from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig


class WikiVisageConfig(AppConfig):
    name = "wikivisage"
    verbose_name = "WikiVisage"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out
        from django.db.models.signals import post_migrate

        from classify import leaving
        from crawler import denying as crawler
        from crawler import pausing, sourcing
        from projects import pauses
        from projects.denying import list_changed
        from projects.people import role_changed
        from sdc.erasure import tokens
        from sdc.writing import paused as writing
        from wikivisage import checks, moderator_group, pseudo

        # Django sends it for one app after the other; by then ours have their permissions
        auth = apps.get_app_config("auth")
        post_migrate.connect(moderator_group.make_group, sender=auth)
        role_changed.connect(weigh_answers_anew)
        user_logged_out.connect(tokens.logged_out)
        list_changed.connect(crawler.list_changed)
        list_changed.connect(ask_no_more)
        list_changed.connect(writing.deny)
        pauses.photos_asked.connect(pausing.count)
        pauses.pause_begun.connect(pausing.begin)
        pauses.pause_ended.connect(pausing.end)
        pauses.pause_ended.connect(writing.go_on)
        sourcing.staying.connect(leaving.answered)
        sourcing.gone.connect(leaving.forget)
        pseudo.register()
        assert checks  # registered by being imported


class ModerationConfig(AdminConfig):
    default_site = "wikivisage.moderation.ModerationSite"


def weigh_answers_anew(*, project: Any, user: Any, was: Any, **_: Any) -> None:
    """A reviewer's word outranks a member's, and theirs that of who is no member (any more)."""
    from classify.labels import Voice, reweigh

    reweigh(project, user, Voice.of(was.role, was.state, was.counts))


def ask_no_more(*, entry: Any, listed: bool, **_: Any) -> None:
    """Questions on a file that is left alone vanish at once."""
    from classify.questions import drop_denied

    drop_denied()
