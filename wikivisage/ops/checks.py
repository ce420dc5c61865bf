"""Django's system checks of what an operator sets: `manage.py check --deploy --tag wikivisage`.

They look at settings alone; what runs is looked at by `manage.py doctor`, which shows these, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TAG = "wikivisage"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOBODY = "Commons:Depicts"  # in CONTACT as it is set by default


@register(TAG, deploy=True)
def site(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_site())


@register(TAG, deploy=True)
def manners(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_manners()) if settings.WIKI.code == "commons" else []


@register(TAG, deploy=True)
def operation(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_operation())


def _site() -> Iterator[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not settings.HTTPS and host not in LOOPBACK:
        yield Error(
            "SITE_URL is not https: sessions and tokens can be read on the way.",
            hint="Set SITE_URL=https://… and let a proxy end TLS.",
            id="wikivisage.E001",
        )
    hosts = settings.ALLOWED_HOSTS
    if "*" in hosts:
        yield Warning(
            "ALLOWED_HOSTS lets any host name in.",
            hint="Name the host of SITE_URL alone.",
            id="wikivisage.W001",
        )
    elif not any(host == each or (each[:1] == "." and f".{host}".endswith(each)) for each in hosts):
        yield Error(
            "The host of SITE_URL is not in ALLOWED_HOSTS: every page is answered with 400.",
            hint=f"ALLOWED_HOSTS={host}",
            id="wikivisage.E002",
        )
    if settings.LOCAL_LOGIN and settings.HTTPS:
        yield Error(
            "LOCAL_LOGIN lets whoever reaches this site in as its owner.",
            hint="Unset LOCAL_LOGIN where others can reach the site.",
            id="wikivisage.E003",
        )
    if settings.WIKI.code == "commons" and settings.PSEUDO_LOCALES:
        yield Warning(
            "PSEUDO_LOCALES offers made-up languages to everybody.",
            hint="Unset PSEUDO_LOCALES and DEBUG.",
            id="wikivisage.W002",
        )


def _manners() -> Iterator[CheckMessage]:
    if NOBODY in settings.CONTACT or not ("@" in settings.CONTACT or "://" in settings.CONTACT):
        yield Error(
            "CONTACT, which stands in the User-Agent, does not say how to reach you.",
            hint="Set CONTACT to a page about this site and an address, as Wikimedia asks.",
            id="wikivisage.E004",
        )
    if not settings.SOURCE_URL:
        yield Warning(
            "SOURCE_URL is not set: the page about this site can't lead to its source.",
            hint="Set SOURCE_URL; the licence asks you to offer the source of what you run.",
            id="wikivisage.W003",
        )
    if not settings.CAN_LOG_IN:
        yield Warning(
            "There is no OAuth consumer: nobody can log in, and the wiki is only read.",
            hint="Set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET (README).",
            id="wikivisage.W004",
        )
    if not settings.MODERATORS and not settings.MODERATOR_GROUPS:
        yield Warning(
            "Nobody moderates.",
            hint="Set MODERATORS or MODERATOR_GROUPS.",
            id="wikivisage.W005",
        )
    if not settings.STOP_PAGE:
        yield Warning(
            "There is no page of the wiki by which its administrators can stop this tool.",
            hint="Set STOP_PAGE.",
            id="wikivisage.W006",
        )


def _operation() -> Iterator[CheckMessage]:
    if settings.HTTPS and not os.environ.get("SEALING_KEYS"):
        yield Warning(
            "SEALING_KEYS is not set: the key lies beside the data that it seals.",
            hint="Move it from DATA_DIR/sealing.key into the environment; keep a copy.",
            id="wikivisage.W007",
        )
    if settings.HTTPS and not settings.METRICS_TOKEN:
        yield Warning(
            "METRICS_TOKEN is not set: /metrics answers nobody.",
            hint="Set it to 32 random characters, and in Prometheus as the bearer token.",
            id="wikivisage.W008",
        )
    elif settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 16:
        yield Warning(
            "METRICS_TOKEN is short enough to be guessed.",
            hint="Set it to 32 random characters.",
            id="wikivisage.W009",
        )
    if settings.LEARNING_MEMORY_MB * 1000 > 0.6 * settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD:
        yield Warning(
            "LEARNING_MEMORY_MB is more than the worker that learns may hold with all the rest.",
            hint="Raise WORKER_MAX_MEMORY_MB to twice of it.",
            id="wikivisage.W010",
        )
