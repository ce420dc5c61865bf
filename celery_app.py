"""The Celery app: five queues, no results, messages that only wake."""

import os
import resource
import warnings
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wikivisage.settings")

# Said at each start in a container or on a rented machine, where root is all there is.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")

app = Celery("wikivisage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def limit_memory(**kwargs: Any) -> None:
    """A picture that asks for too much memory gets a MemoryError, not the whole machine."""
    from django.conf import settings

    limit = settings.WORKER_ADDRESS_SPACE_MB * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
