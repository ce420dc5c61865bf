from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Photos and faces")

    def ready(self) -> None:
        from crawler import brought, selectors  # noqa: F401  # their parts of the census
