"""`manage.py doctor`: is anything forgotten, or not running?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import Any

from django.core.management import BaseCommand

from wikivisage.ops import probes


class Command(BaseCommand):
    help = (
        "Checks settings, keys, database, broker, workers, disk, wiki and login; says what to do."
    )
    requires_system_checks = []  # they are findings here

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list of all findings")
        parser.add_argument("--quick", action="store_true", help="ask nobody but our own servers")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in probes.examine(quick=options["quick"]):
            findings.append(finding)
            if not options["json"]:
                self.show(finding)
        if options["json"]:
            told = [dataclasses.asdict(finding) for finding in findings]
            self.stdout.write(json.dumps(told, indent=1))
        if any(finding.status == probes.FAIL for finding in findings):
            sys.exit(1)

    def show(self, finding: probes.Finding) -> None:
        line = f"{finding.status:<5} {finding.about:<16} {finding.says}"
        if finding.status != probes.OK and finding.do:
            line += f"  ->  {finding.do}"
        self.stdout.write(line)
