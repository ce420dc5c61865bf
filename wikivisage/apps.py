from django.apps import AppConfig


class WikiVisageConfig(AppConfig):
    name = "wikivisage"
    verbose_name = "WikiVisage"
