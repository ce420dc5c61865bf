from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Photos and faces")

    def ready(self) -> None:
        from crawler import selectors  # noqa: F401  # their parts of the census
        from crawler.listing import source_stats  # noqa: F401
        from crawler.registry.versions import write_versions

        post_migrate.connect(write_versions, sender=self, dispatch_uid="engine-versions")
