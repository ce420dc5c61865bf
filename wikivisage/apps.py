from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig


class WikiVisageConfig(AppConfig):
    name = "wikivisage"
    verbose_name = "WikiVisage"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out
        from django.db.models.signals import post_migrate

        from classify import source_removal
        from crawler import denylist as crawler
        from crawler import photo_pauses
        from crawler.listing import sources
        from projects.members.services import role_changed
        from projects.privacy import pauses
        from projects.privacy.denylist_changes import list_changed
        from sdc.erasure import tokens
        from sdc.writing import pauses as writing
        from wikivisage.messages import pseudo
        from wikivisage.moderation import moderator_group
        from wikivisage.ops import checks

        # Django sends it for one app after the other; by then ours have their permissions
        auth = apps.get_app_config("auth")
        post_migrate.connect(moderator_group.make_group, sender=auth)
        role_changed.connect(weigh_answers_anew)
        user_logged_out.connect(tokens.logged_out)
        list_changed.connect(crawler.list_changed)
        list_changed.connect(ask_no_more)
        list_changed.connect(writing.deny)
        pauses.photos_asked.connect(photo_pauses.count)
        pauses.pause_begun.connect(photo_pauses.begin)
        pauses.pause_ended.connect(photo_pauses.end)
        pauses.pause_ended.connect(writing.go_on)
        sources.staying.connect(source_removal.answered)
        sources.gone.connect(source_removal.forget)
        pseudo.register()
        assert checks  # registered by being imported


class ModerationConfig(AdminConfig):
    default_site = "wikivisage.moderation.admin_site.ModerationSite"


def weigh_answers_anew(*, project: Any, user: Any, was: Any, **_: Any) -> None:
    """A reviewer's word outranks a member's, and theirs that of who is no member (any more)."""
    from classify.labels import Voice, reweigh

    reweigh(project, user, Voice.of(was.role, was.state, was.counts))


def ask_no_more(*, entry: Any, listed: bool, **_: Any) -> None:
    """Questions on a file that is left alone vanish at once."""
    from classify.asking.queue import drop_denied

    drop_denied()
