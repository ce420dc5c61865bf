"""Rows of append-only tables don't move from one owner to another, either."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("sdc", "0003_moderators"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="edit",
            options={"base_manager_name": "objects"},
        ),
    ]
