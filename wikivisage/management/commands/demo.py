"""`manage.py demo`: a first project on the sandbox's photos, so that no page is empty."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from projects.creation import services as creation
from projects.creation.source_lookup import Place
from projects.models import Project, Source, User

# Accounts, items and categories of sandbox/data/world.toml.
OWNER = {"sub": "70000105", "wiki_username": "Ingrid S."}
PERSON = "Q937"
PLACES = [Place(Source.Kind.CATEGORY, "Albert Einstein", 2), Place(Source.Kind.DEPICTS, PERSON)]


class Command(BaseCommand):
    help = "Makes the demo project in the sandbox, unless there is any project already."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WIKI.code != "sandbox":
            raise CommandError("The demo belongs to the sandbox wiki: WIKI=sandbox")
        if Project.objects.exists():
            return
        owner, _ = User.objects.get_or_create(
            issuer=settings.WIKI.issuer,
            sub=OWNER["sub"],
            defaults={
                "username": f"mw-{OWNER['sub']}",
                "wiki_username": OWNER["wiki_username"],
            },
        )
        project = creation.create_project(owner, PERSON, PLACES, joining=Project.Joining.OPEN)
        self.stdout.write(
            f"demo     a first project: {project}, {settings.SITE_URL}{project.get_absolute_url()}"
        )
