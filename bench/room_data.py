"""What `make bench-room` does within Django, as a program of its own, so that the code of an older
commit can do the same beside its own packages and database: run from that code's folder.

    python bench/room_data.py migrate        # and static files
    python bench/room_data.py fill 100000    # a project, its people; with vectors in the new code
    python bench/room_data.py count          # all parts of the census
    python bench/room_data.py ask            # new questions, which nobody looks at
    python bench/room_data.py queries        # of one answer, and of a screen of twenty
    python bench/room_data.py lost           # which of the UUIDs in standard input have no answer

The last line is JSON. It knows of the code only what both commits have.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from types import SimpleNamespace
from typing import Any

sys.path[0] = os.getcwd()

PEOPLE = int(os.environ.get("PEOPLE", "30")) * 4 // 3
QUESTIONS, SCREEN = 600, 20
CLUSTER = 40  # faces of one other person
SCRIPT = {"X-Background": "1"}


def migrate() -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    return {}


def fill(faces: int) -> dict[str, Any]:
    from django.db import transaction

    from bench import multitude
    from core.events import announce
    from projects.models import Project

    with transaction.atomic():  # the learner waits for it, and would drop faces without vectors
        built = multitude.build(faces, PEOPLE)
        if os.environ.get("VECTORS"):
            add_vectors(faces)
            Project.objects.filter(pk=built.project.pk).tell_learner()
            announce("questions-taken")
        ask()
    multitude.analyze()
    return {"project": built.project.public_id, "cookies": cookies(built.members)}


def cookies(users: list[Any]) -> list[dict[str, str]]:
    """Of everybody logged in, and with the token that forms have."""
    from django.conf import settings
    from django.test import Client

    found = []
    for user in users:
        client = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
        client.force_login(user)
        token = uuid.uuid4().hex
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        named = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: token}
        found.append({"cookie": "; ".join(f"{k}={v}" for k, v in named.items()), "token": token})
    return found


def add_vectors(faces: int) -> None:
    """Made-up ones: of everybody else forty faces, which look like the person more or less, so that
    there is always something worth asking."""
    import numpy as np

    from classify.models import Label, Score
    from crawler.detection import embeddings
    from crawler.engines import KINDS
    from crawler.models import Embedding, Region
    from crawler.registry.versions import version

    rng = np.random.default_rng(0)
    said = dict(Label.objects.values_list("region", "verdict"))
    likely = set(Score.objects.filter(is_match=True).values_list("region", flat=True))
    centres = rng.standard_normal((faces // CLUSTER + 2, 128)).astype(np.float32)
    engine = version(KINDS["sface"].name)
    rows = []
    for number, region in enumerate(Region.objects.order_by("pk")[:faces]):
        verdict = said.get(region.pk)
        low, high = (0.5, 1.5) if verdict == "yes" or region.pk in likely else (0, 1)
        alike = rng.uniform(low, high) * (0.7 if verdict == "no" else 1)
        vector = alike * centres[0] + centres[1 + number // CLUSTER]
        vector += rng.standard_normal(128).astype(np.float32)
        face: Any = SimpleNamespace(embedding=vector / np.linalg.norm(vector))
        rows.append(embeddings.of(region, face, engine))
    Embedding.objects.bulk_create(rows, batch_size=2000)


def ask() -> dict[str, Any]:
    """As many as the builder makes, about faces without an answer; nobody holds one."""
    from classify.models import Label, Question, Score
    from projects.models import Project

    project = Project.objects.get(subject__person__qid="Q7186")
    Question.objects.filter(subject=project.subject).delete()
    answered = Label.objects.filter(subject=project.subject).values_list("region", flat=True)
    near = list(
        Label.objects.filter(subject=project.subject, verdict="yes").values_list(
            "region", flat=True
        )[:6]
    )
    done = set(answered)
    rows = Score.objects.filter(subject=project.subject).order_by("-is_match", "pk")
    open_ = [row for row in rows.values_list("region", "photo", "is_match") if row[0] not in done]
    likely = [row for row in open_ if row[2]][: QUESTIONS // 2]
    chosen = likely + [row for row in open_ if not row[2]][: QUESTIONS - len(likely)]
    Question.objects.bulk_create(
        [
            Question(
                subject=project.subject,
                region_id=region,
                photo_id=photo,
                rank=float(rank),
                kind=Question.Kind.LIKELY if is_match else Question.Kind.OTHERS,
                screen=rank // SCREEN,
                marked=is_match,
                chance=0.9 if is_match else 0.1,
                nearest=near,
            )
            for rank, (region, photo, is_match) in enumerate(chosen)
        ]
    )
    return {"questions": len(chosen)}


def count() -> dict[str, Any]:
    from classify.learner import census
    from projects.models import Census

    census.count_all(60)
    return {"counted": Census.objects.exclude(counts={}).count()}


def queries() -> dict[str, int]:
    """Of an answer to one face and to a screen, by somebody who answered before."""
    from django.conf import settings
    from django.test import Client

    from bench.pages import Meter
    from classify.models import Question
    from projects.models import User

    asked = list(Question.objects.order_by("rank").select_related("region", "subject__project"))
    client = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
    user = User.objects.get(username="member-3")
    client.force_login(user)
    base = f"/p/{asked[0].subject.project.public_id}"

    def one() -> dict[str, Any]:
        region = asked.pop(0).region
        return {"region": region.public_id, "photo": f"photo{region.picture_id}", "verdict": "yes"}

    def screen() -> dict[str, Any]:
        shown = [asked.pop(0).region.public_id for _ in range(SCREEN)]
        return {"shown": shown, "yes": shown[:10]}

    found = {}
    for name, address, made in (("answer", "answer", one), ("screen", "grid/answer", screen)):
        for _ in range(2):  # the first time a process remembers something, and a day's tally begins
            sent = made() | {"client_uuid": str(uuid.uuid4())}
            with Meter()() as seen:
                response = client.post(f"{base}/{address}", sent, headers=SCRIPT)
            assert response.status_code == 200, response.content
        found[name] = len(seen)
    return found


def lost() -> dict[str, Any]:
    from classify.models import Answer

    sent = [uuid.UUID(line.strip()) for line in sys.stdin]
    there: set[uuid.UUID] = set()
    for start in range(0, len(sent), 1000):
        some = Answer.objects.filter(client_uuid__in=sent[start : start + 1000])
        there |= set(some.values_list("client_uuid", flat=True))
    return {"lost": len(set(sent) - there)}


if __name__ == "__main__":
    import django

    django.setup()
    what, *arguments = sys.argv[1:]
    commands: list[Any] = [migrate, fill, count, ask, queries, lost]
    print(json.dumps({each.__name__: each for each in commands}[what](*map(int, arguments))))
