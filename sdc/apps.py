from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SDCConfig(AppConfig):
    name = "sdc"
    verbose_name = _("Claims and edits")
