"""The task of the queue `write`."""

from celery import shared_task

from projects.pipeline import wake
from sdc import writer


@shared_task(name="sdc.write", soft_time_limit=100, time_limit=120)
def write() -> None:
    if writer.work():
        wake("sdc.write")
