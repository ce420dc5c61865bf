"""Models that belong to no single app."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Reached(models.Model):
    """Holds the home page's figures on a server of many photos, as a worker last counted them (see
    `wikivisage.pages.site_stats`). There is one row."""

    ONLY = 1  # its primary key

    figures = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # fields of `Together`
    counted_at = models.DateTimeField(null=True, blank=True)  # or when a worker began to

    def __str__(self) -> str:
        return f"{self.counted_at}"
