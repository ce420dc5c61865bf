"""Code of an older release: `python -m tests.system.old_writer '{"app": "migration", …}' STOP_FILE`

It makes that schema and inserts rows with the models as they were then, until the file appears.
The last line is JSON: how many before the newest migration was there and after, and what is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "wikivisage.settings"
django.setup()

from django.db import connection  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402


def main(targets: list[tuple[str, str]], stop: Path) -> None:
    executor = MigrationExecutor(connection)
    newest = set(executor.loader.graph.leaf_nodes())  # of other apps, too: they come last
    model = executor.migrate(targets).apps.get_model
    user = model("projects", "User").objects.create(username="old")
    inserted = {True: 0, False: 0}
    while not stop.exists():
        arrived = newest <= set(executor.recorder.applied_migrations())
        number = sum(inserted.values())
        person = model("projects", "Person").objects.create(wiki="sandbox", qid=f"Q{number}")
        project = model("projects", "Project").objects.create(
            public_id=f"old{number}", owner=user, active_key=f"{number}"
        )
        model("projects", "Subject").objects.create(project=project, person=person, added_by=user)
        model("projects", "Membership").objects.create(project=project, user=user, role="owner")
        model("sdc", "EditBatch").objects.create(
            project=project, user=user, wiki="sandbox", code=f"{number:012x}", summary="old"
        )
        inserted[arrived] += 1
        if number == 0:
            say("inserting")
        time.sleep(0.02)
    rows = model("sdc", "EditBatch").objects.count()
    say(json.dumps({"before": inserted[False], "after": inserted[True], "rows": rows}))


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(list(json.loads(sys.argv[1]).items()), Path(sys.argv[2]))
