"""The group of the moderators, with what they look at and the one list that they write."""

from typing import Any

from django.conf import settings
from django.db import migrations

GROUP = "moderators"
LOOK_AT = {
    "projects": ("user", "person", "project", "source", "membership", "invite", "denyentry",
                 "auditevent"),
    "crawler": ("photo", "picture", "projectphoto", "region"),
    "classify": ("answer", "label", "score"),
    "sdc": ("claim", "editbatch", "claimattempt", "edit", "watch", "writingstop"),
}  # fmt: skip
DO = [("projects", "project", "moderate", "Can do what moderators do")] + [
    ("projects", "denyentry", f"{deed}_denyentry", f"Can {deed} deny entry")
    for deed in ("add", "change", "delete")
]


def make(apps: Any, schema_editor: Any) -> None:
    """Django makes permissions after all migrations, so those that the group has are made here."""
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    rights = [
        (app, model, f"view_{model}", f"Can view {apps.get_model(app, model)._meta.verbose_name}")
        for app, models in LOOK_AT.items()
        for model in models
    ]
    group.permissions.set([_permission(apps, *right) for right in rights + DO])


def _permission(apps: Any, app: str, model: str, codename: str, name: str) -> Any:
    types = apps.get_model("contenttypes", "ContentType").objects
    kind, _new = types.get_or_create(app_label=app, model=model)
    permissions = apps.get_model("auth", "Permission").objects
    found, _new = permissions.get_or_create(
        content_type=kind, codename=codename, defaults={"name": name}
    )
    return found


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
