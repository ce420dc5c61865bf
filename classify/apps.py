from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassifyConfig(AppConfig):
    name = "classify"
    verbose_name = _("Answers")

    def ready(self) -> None:
        from classify import certainty, galleries, selectors, years  # noqa: F401  # parts
