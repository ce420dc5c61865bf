"""Proving that the ledger and the wiki agree, and repairing what can be repaired.

Files are read 50 a call, at the pace of reads, as nobody. Our own rows are read before and after
the wiki: a file on which something moved meanwhile, or is in flight, is left to its worker.
Repairs go the ways of the workers: rows are taken with their fence, states move by
compare-and-set, and the ledger only grows. So it can run beside them, and twice.
"""

from __future__ import annotations

from functools import partial

from django.conf import settings

from projects.models import Project
from sdc.models import EditBatch
from sdc.reconcile.compare import Reconciliation
from sdc.reconcile.report import Code, Finding, Report
from sdc.reconcile.tallies import tallies_off
from wiki import pywikibot_client

__all__ = ["Code", "Finding", "Report", "reconcile"]


def reconcile(
    batch: EditBatch | None = None, project: Project | None = None, repair: bool = False
) -> Report:
    """Compare the ledger with the wiki, for a batch, a project or all. Raises WikiError.

    Call outside transactions, where pywikibot may be used (tasks and commands).
    """
    batches = EditBatch.objects.filter(wiki=settings.WIKI.code).exclude(confirmed_at=None)
    if batch is not None:
        batches = batches.filter(pk=batch.pk)
    if project is not None:
        batches = batches.filter(project=project)
    projects = Project.objects.all()
    if batch is not None or project is not None:
        projects = projects.filter(batches__in=batches).distinct()
    everything = batch is None and project is None
    with pywikibot_client.wiki_site() as site:
        report = Reconciliation(
            partial(pywikibot_client.read, site), batches, everything, repair
        ).run()
    report.findings += tallies_off(projects, repair)
    return report
