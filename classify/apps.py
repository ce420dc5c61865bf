from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassifyConfig(AppConfig):
    name = "classify"
    verbose_name = _("Answers")

    def ready(self) -> None:
        from classify import selectors  # noqa: F401  # their parts of the census
        from classify.audit import estimates  # noqa: F401
        from classify.review import galleries, years  # noqa: F401
