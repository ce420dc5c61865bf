"""The tasks of this app: sending, looking again at what was sent, and at the page that stops."""

from celery import shared_task

from core.events import wake
from sdc.sending_rights import stop_page
from sdc.watch import recheck
from sdc.writing import scheduler


@shared_task(name="sdc.write", soft_time_limit=100, time_limit=120)
def write() -> None:
    if scheduler.work(desk=scheduler.lasting_desk()):
        wake("sdc.write")


@shared_task(name="sdc.watch", soft_time_limit=45, time_limit=50)
def watch() -> None:
    if recheck.work():
        wake("sdc.watch")


@shared_task(name="sdc.switch", soft_time_limit=45, time_limit=50)
def look_at_stop_page() -> None:
    stop_page.look()
