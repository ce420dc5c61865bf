"""The group of the moderators."""

from typing import Any

from django.conf import settings
from django.db import migrations

GROUP = "moderators"


def make(apps: Any, schema_editor: Any) -> None:
    """Create the group; wikivisage.moderator_group gives it its rights after the migrations."""
    apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)


def let_in_who_moderated(apps: Any, schema_editor: Any) -> None:
    """Until now whoever was staff moderated; their next login looks at the settings again."""
    group = apps.get_model("auth", "Group").objects.get(name=GROUP)
    group.user_set.add(*apps.get_model("projects", "User").objects.filter(is_staff=True))


def unmake(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.filter(name=GROUP).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("sdc", "0001_squashed_0002_careful_writing"),
        ("classify", "0001_squashed_0005_frames"),
        ("crawler", "0001_squashed_0005_learning"),
        ("projects", "0001_squashed_0006_words"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(make, unmake),
        migrations.RunPython(let_in_who_moderated, migrations.RunPython.noop),
    ]
