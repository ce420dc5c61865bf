"""`manage.py reconcile`: do the ledger and the wiki agree? See sdc/reconciling/."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from projects.models import Project
from sdc.models import EditBatch
from sdc.reconcile import Code, Finding, Report, reconcile
from wiki.http import WikiError

SHOWN = 100  # findings that are listed one by one


class Command(BaseCommand):
    help = (
        "Compares the ledger of edits with the wiki, and says what does not agree. Exits with 0"
        " when all agrees (after the repairs), else with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", metavar="CODE", help="only this batch")
        parser.add_argument("--project", metavar="ID", help="only this project, by its address")
        parser.add_argument("--repair", action="store_true", help="put right what can be")
        parser.add_argument("--json", action="store_true", help="the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = reconcile(
                batch=_named(EditBatch, "code", options["batch"]),
                project=_named(Project, "public_id", options["project"]),
                repair=options["repair"],
            )
        except WikiError as error:
            raise CommandError(f"The wiki could not be read ({error}). Try again later.") from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report), indent=2))
        else:
            self._tell(report)
        if not report.agrees:
            raise SystemExit(1)

    def _tell(self, report: Report) -> None:
        for code, count in Counter(finding.code for finding in report.findings).most_common():
            self.stdout.write(f"{count:6}  {code:14}{code.label}")
        for finding in report.findings[:SHOWN]:
            self.stdout.write(_line(finding))
        if (more := len(report.findings) - SHOWN) > 0:
            self.stdout.write(f"        … and {more} more: --json has them all")
        what = f"{report.edits} edits on {report.files} files"
        if report.agrees:
            self.stdout.write(f"ledger and wiki agree: {what}")
            return
        left = sum(not finding.settled for finding in report.findings)
        self.stdout.write(f"ledger and wiki do not agree: {left} findings among {what}")


def _named(model: Any, field: str, value: str | None) -> Any:
    if value is None:
        return None
    found = model.objects.filter(**{field: value}).first()
    if found is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {value}")
    return found


def _line(finding: Finding) -> str:
    what = "note" if finding.is_note else "repaired" if finding.repaired else "open"
    file = f"M{finding.page_id}" if finding.page_id else ""
    parts = (file, finding.qid, finding.guid, finding.detail)
    return f"{what:>8}  {finding.code:14}" + " ".join(filter(None, parts))


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "agrees": report.agrees,
        "edits": report.edits,
        "files": report.files,
        "findings": [
            asdict(finding) | {"code": finding.code.value, "note": finding.is_note}
            for finding in report.findings
        ],
        "codes": {code.value: code.label for code in Code},
    }
