"""The tasks of this app: sending, and looking again at what was sent."""

from celery import shared_task

from projects.pipeline import wake
from sdc import watching, writer


@shared_task(name="sdc.write", soft_time_limit=100, time_limit=120)
def write() -> None:
    if writer.work():
        wake("sdc.write")


@shared_task(name="sdc.watch", soft_time_limit=45, time_limit=50)
def watch() -> None:
    if watching.work():
        wake("sdc.watch")
