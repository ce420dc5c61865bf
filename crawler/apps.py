from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Photos and faces")

    def ready(self) -> None:
        from crawler import selectors
        from crawler.listing import source_stats
        from crawler.registry.versions import write_versions
        from projects.live import census

        census.register_size(selectors.has_at_least_photos)
        census.register(selectors.photo_counts, selectors.aside_counts)
        census.register(source_stats.photos_by_source, source_stats.leaving_count)

        post_migrate.connect(write_versions, sender=self, dispatch_uid="engine-versions")
