from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = _("Projects and people")

    def ready(self) -> None:
        from projects import transactions

        connection_created.connect(transactions.watch_connection)
