"""Rows of append-only tables don't move from one owner to another, either."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0003_moderation"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="contribution",
            options={"base_manager_name": "objects"},
        ),
    ]
