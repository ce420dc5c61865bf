"""The tasks of this app: sending, looking again at what was sent, and at the page that stops."""

from celery import shared_task

from projects.pipeline import wake
from sdc.rights import switch
from sdc.watch import watching
from sdc.writing import writer


@shared_task(name="sdc.write", soft_time_limit=100, time_limit=120)
def write() -> None:
    if writer.work(desk=writer.lasting_desk()):
        wake("sdc.write")


@shared_task(name="sdc.watch", soft_time_limit=45, time_limit=50)
def watch() -> None:
    if watching.work():
        wake("sdc.watch")


@shared_task(name="sdc.switch", soft_time_limit=45, time_limit=50)
def look_at_stop_page() -> None:
    switch.look()
