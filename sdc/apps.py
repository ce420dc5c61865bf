from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SDCConfig(AppConfig):
    name = "sdc"
    verbose_name = _("Claims and edits")

    def ready(self) -> None:
        from sdc.preview import eligibility  # noqa: F401  # its parts of the census
        from sdc.watch import findings  # noqa: F401
