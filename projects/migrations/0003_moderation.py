"""The right to moderate, and a deny-list that follows files whose names change."""

import re
from typing import Any

from django.db import migrations, models

PREFIX = {"file": r"^(file|image)\s*:\s*", "category": r"^category\s*:\s*"}


def write_alike(apps: Any, schema_editor: Any) -> None:
    """Each entry as new ones are written; of those that become equal the oldest stays."""
    entries = apps.get_model("projects", "DenyEntry").objects
    for entry in entries.order_by("pk"):
        value = normal(entry.kind, entry.value)
        if value == entry.value:
            continue
        if entries.filter(wiki=entry.wiki, kind=entry.kind, value=value).exists():
            entry.delete()
        else:
            entries.filter(pk=entry.pk).update(value=value)


def normal(kind: str, value: str) -> str:
    text = " ".join(value.replace("_", " ").split())
    if kind == "person":
        return text.upper()
    name = re.sub(PREFIX[kind], "", text, flags=re.IGNORECASE)
    name = name[:1].upper() + name[1:]
    return f"File:{name}"[:255] if kind == "file" else name


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_careful_writing")]

    operations = [
        migrations.AlterModelOptions(
            name="project", options={"permissions": [("moderate", "Can do what moderators do")]}
        ),
        migrations.AddField(
            model_name="denyentry",
            name="page_id",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(write_alike, migrations.RunPython.noop),
    ]
