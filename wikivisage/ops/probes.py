"""What `manage.py doctor` looks at: all that runs, a finding each, with what to do about it."""

from __future__ import annotations

import logging
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import STATICFILES_STORAGE_ALIAS, settings
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core import checks
from django.core.files.storage import storages
from django.db import DatabaseError, connection, models

from core.encryption import Unsealable, unseal
from crawler.engines import load
from crawler.registry import selection
from projects.accounts import tokens
from sdc.models import Edit, EditBatch
from sdc.sending_rights import stop_page as sending_rights_stop_page
from sdc.writing.reasons import Reason
from wiki import http
from wiki.http import WikiError
from wikivisage.ops import health, heartbeats, schema_history
from wikivisage.ops.rotate_keys import SEALED, Column, Sealed

OK, WARN, FAIL = "ok", "warn", "fail"
SAMPLE = 200  # of each kind of what is sealed; of vectors there are millions
SMALL_SHM = 32_000_000
OTHER_PROCESSES = 6  # crawl, infer, write, default, and two parents that ask the database
MARIADB_SAYS = (
    *("version", "collation_database", "max_connections", "max_user_connections"),
    *("wait_timeout", "tx_isolation", "transaction_isolation"),
)
# What MariaDB says by a number when it does answer; all else is no answer.
WHY: dict[object, tuple[str, str]] = {
    1044: ("The database may not be used by this user.", "GRANT it, or see DATABASE_URL."),
    1045: ("The database server refuses the user or its password.", "See DATABASE_URL."),
    1698: ("The database server refuses the user or its password.", "See DATABASE_URL."),
    1049: ("The server has no database of this name.", "CREATE DATABASE, or see DATABASE_URL."),
    1040: ("The server has no connection left.", "Start fewer web threads or processes."),
    1226: ("This user has no connection left.", "Start fewer web threads or processes."),
    2005: ("The host name of the database is unknown here.", "Start it, or see DATABASE_URL."),
}
# Warnings of Django's that a public site must not have.
GRAVE = {"security.W009", "security.W018", "security.W020"}
# What https brings by itself, and what makes no sense without; SITE_URL is looked at apart.
OF_HTTPS = {"security.W004", "security.W008", "security.W012", "security.W016"}
# Of all hosts of a domain, most of which may be others'.
OF_THE_DOMAIN = {"security.W005", "security.W021"}


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    about: str
    status: str
    says: str
    do: str = ""


Findings = Iterator[Finding]


def examine(*, quick: bool = False) -> Findings:
    """Run all checks, one after the other."""
    for look in HERE + (() if quick else ELSEWHERE):
        yield from run_check(look)


def run_check(look: Callable[[], Findings]) -> Findings:
    """Run one check. What breaks in it is a finding, too."""
    about = look.__name__.replace("_", " ")
    try:
        yield from look()
    except DatabaseError as error:
        words = f"The database could not be asked ({type(error).__name__})."
        yield Finding(about, FAIL, words, "See what is said of the database and migrations.")
    except WikiError as error:
        where = "".join(f" at {address}" for address in getattr(error, "__notes__", []))
        words = f"The wiki does not answer{where} ({error.code})."
        yield Finding(about, FAIL, words, "Look whether this machine reaches it, and its status.")
    except Exception as error:  # a mistake of this program must not hide the other findings
        log.debug("the check of %s failed", about, exc_info=True)
        words = f"This could not be checked: {type(error).__name__}."
        yield Finding(about, FAIL, words, "Report it, with what LOG_LEVEL=DEBUG shows of it.")


def configuration() -> Findings:
    public = settings.HTTPS or settings.WIKI.code == "commons"
    ignored = OF_THE_DOMAIN | (set() if settings.HTTPS else OF_HTTPS)
    found = checks.run_checks(include_deployment_checks=True)
    found = [each for each in found if not each.is_silenced() and each.id not in ignored]
    for message in found:
        grave = message.is_serious() or (public and message.id in GRAVE)
        says = f"{message.msg.splitlines()[0]} ({message.id})"
        yield Finding("settings", FAIL if grave else WARN, says, str(message.hint or ""))
    if not found:
        yield Finding("settings", OK, "Nothing is forgotten.")


def keys() -> Findings:
    wrong = [number for number, key in settings.SEALING_KEYS.items() if len(key) != 32]
    if wrong or not settings.SEALING_KEYS:
        yield Finding("keys", FAIL, "There is no key of 32 bytes.", "Set SEALING_KEYS.")
        return
    sealed = [each for column in SEALED for each in _sample(column)]
    lacking = {each.value[1] for each in sealed} - set(settings.SEALING_KEYS)
    closed = sum(not _opens(each) for each in sealed)
    if lacking:
        numbers = ", ".join(map(str, sorted(lacking)))
        do = "Add them again to SEALING_KEYS, after the first one; manage.py rekey lets them go."
        yield Finding("keys", FAIL, f"Something is sealed with keys not held: {numbers}.", do)
    elif closed:
        says = f"{closed} of {len(sealed)} sealed values don't open: a key is not what it was."
        do = "Set SEALING_KEYS to what they were sealed with; see docs/backup.md."
        yield Finding("keys", FAIL, says, do)
    else:
        held = ", ".join(f"number {number}" for number in settings.SEALING_KEYS)
        yield Finding("keys", OK, f"What is sealed can be opened (held: key {held}).")


def database() -> Findings:
    begun = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield _refused(error)
        return
    took = (time.monotonic() - begun) * 1000
    if connection.vendor == "mysql":
        yield from _mariadb(took)
    else:
        yield from _sqlite(took)
    part = health.migrations()
    command = "" if part.says == schema_history.SENTENCE else "manage.py migrate"
    yield Finding("migrations", _word(part), part.says, command)


def broker() -> Findings:
    part = health.broker()
    if part.status != OK:
        yield Finding("broker", FAIL, part.says, "Start it; see REDIS_URL.")
    elif settings.REDIS_URL:
        yield from _redis()
    else:
        yield Finding("broker", OK, "A broker of files, for one machine.")


def cache() -> Findings:
    part = health.cache_works()
    yield Finding("cache", _word(part), part.says, "See CACHES in the settings.")


def workers_and_beat() -> Findings:
    for queue, part in health.of_queues().items():
        do = f"Start it, or see its log: celery -A celery_app worker -Q {queue}"
        yield Finding(f"workers {queue}", _word(part), part.says, do)
    part = health.beat()
    yield Finding("beat", _word(part), part.says, "Start one: celery -A celery_app beat")
    if others := heartbeats.other_versions():
        queues = ", ".join(others)
        says = f"Workers run another version of the code: {queues}."
        yield Finding("versions", WARN, says, "Start them again.")


def disk() -> Findings:
    part = health.disk()
    free = shutil.disk_usage(settings.DATA_DIR).free / 1e9
    do = "Free some, or lower CROPS_MAX_MB."
    yield Finding("disk", _word(part), f"{part.says} ({free:.1f} GB)", do)
    # Path.home(): libraries make files there, pywikibot at its import
    folders = (settings.DATA_DIR, Path(tempfile.gettempdir()), Path.home())
    for folder in dict.fromkeys(folders):
        try:
            with tempfile.TemporaryFile(dir=folder):
                yield Finding("folders", OK, f"{folder} can be written to.")
        except OSError as error:
            says = f"{folder} can't be written to ({type(error).__name__})."
            yield Finding("folders", FAIL, says, "Give it to the user that runs this.")
    shm = Path("/dev/shm")  # noqa: S108 - its size is looked at
    if shm.exists() and shutil.disk_usage(shm).free < SMALL_SHM:
        says = "Less than 32 MB are free in /dev/shm, where processes share semaphores."
        yield Finding("shared memory", WARN, says, "Raise shm_size, or look what lies there.")


def memory() -> Findings:
    cap = settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD // 1000
    mapped = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 < mapped < settings.WORKER_ADDRESS_SPACE_MB * 1024 * 1024:
        says = "This machine allows less address space than WORKER_ADDRESS_SPACE_MB."
        yield Finding("memory", WARN, says, "Raise ulimit -v, or lower that setting.")
        return
    # With Redis the workers stand in containers of their own, whose limits are not this one's.
    limit = 0 if settings.REDIS_URL else _container_limit()
    needed = cap * settings.DETECT_PROCESSES
    if limit and needed > limit:
        says = f"Detecting may take {needed} MB, but there are {limit} MB."
        yield Finding("memory", WARN, says, "Lower DETECT_PROCESSES or WORKER_MAX_MEMORY_MB.")
        return
    yield Finding("memory", OK, f"A worker process is replaced beyond {cap} MB.")


def static_files() -> Findings:
    do = "manage.py collectstatic --noinput"
    try:
        collected = _collected_files()
    except (OSError, ValueError, AttributeError):
        path = settings.STATIC_ROOT / ManifestFilesMixin.manifest_name
        yield Finding("static files", FAIL, f"{path} can't be read.", f"Remove it, then {do}")
        return
    if collected is None:
        yield Finding("static files", OK, "Served from where they are written (DEBUG).")
        return
    folder = settings.BASE_DIR / "static"
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    lacking = [name for name in names if name not in collected]
    if lacking or not collected:
        says = f"{len(lacking)} static files are not collected."
        yield Finding("static files", FAIL, says, do)
    else:
        yield Finding("static files", OK, f"{len(names)} files are collected.")


def translations() -> Findings:
    found = [path for folder in settings.LOCALE_PATHS for path in Path(folder).rglob("*.po")]
    lacking = sorted({path.parts[-3] for path in found if not path.with_suffix(".mo").exists()})
    if lacking:
        says = f"Not compiled: {', '.join(lacking)}."
        yield Finding("translations", WARN, says, "manage.py messages")
    else:
        yield Finding("translations", OK, "All are compiled.")


def engines() -> Findings:
    name = selection.default_name()
    try:
        load(name)
    except Exception as error:  # whatever a library raises whose weights are not there
        says = f"The engine {name} can't be loaded ({type(error).__name__})."
        yield Finding("engine", FAIL, says, "Install the requirements again.")
    else:
        yield Finding("engine", OK, f"The engine {name} is there with its weights.")


def wiki() -> Findings:
    with _asking(settings.WIKI.commons_api) as address:
        try:
            response = http.fetch("GET", address, params=_siteinfo())
        except WikiError:
            says = "It was compared with nothing, since the wiki does not answer."
            yield Finding("clock", WARN, says, "See what is said of the wiki.")
            raise
        yield _clock(response.headers.get("Date", ""))
        try:
            body = http.read_answer(response)
        except WikiError as error:
            if error.code != "maxlag":
                raise
            yield Finding("wiki", WARN, "The wiki is behind (maxlag): writing waits.", "Wait.")
        else:
            name = body["query"]["general"]["sitename"].text("The wiki", longest=100)
            yield Finding("wiki", OK, f"{name} answers and is not behind.")
    wanted = (settings.WIKI.depicts, settings.WIKI.region, settings.WIKI.artwork)
    with _asking(settings.WIKI.wikidata_api) as address:
        body = http.api(address, action="wbgetentities", ids=wanted, props="info")
    entities = body["entities"]
    known = {qid for qid, entity in entities.fields().items() if "missing" not in entity}
    lacking = [each for each in wanted if each not in known]
    if lacking:
        says = f"The wiki knows no such property: {', '.join(lacking)}."
        yield Finding("properties", FAIL, says, "See DEPICTS_PROPERTY and the like.")
    else:
        yield Finding("properties", OK, "The properties that are written exist.")


def consumer() -> Findings:
    if not settings.CAN_LOG_IN:
        yield Finding("consumer", WARN, "No OAuth consumer is set.", "See the README.")
        return
    # A code that is none: the wiki looks at id, secret and callback before it.
    form = {
        "grant_type": "authorization_code",
        "code": "doctor",
        "client_id": settings.OAUTH_CLIENT_ID,
        "client_secret": settings.OAUTH_CLIENT_SECRET,
        "redirect_uri": f"{settings.SITE_URL}/accounts/mediawiki/login/callback/",
    }
    with _asking(f"{settings.WIKI.rest}/oauth2/access_token") as address:
        response = http.fetch("POST", address, data=form)
        try:
            tokens.read_token_answer(response.status_code, response.content)
        except tokens.NeedsLogin:
            yield _switched_off() or Finding(
                "consumer", OK, "The wiki knows the OAuth consumer and its secret."
            )
        except WikiError as error:
            if error.code != tokens.WRONG_CLIENT:
                raise
            says = "The wiki does not know the consumer, its secret, or its callback."
            do = "See OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, SITE_URL and its approval."
            yield Finding("consumer", FAIL, says, do)


def _switched_off() -> Finding | None:
    """Whether the wiki let this tool write nothing since it last refused to. Nobody can ask it
    without a user's token; the batches know."""
    refused = EditBatch.objects.filter(wiki=settings.WIKI.code, reason=Reason.TOOL_OFF)
    last = refused.aggregate(at=models.Max("finished_at"))["at"]
    if last is None or Edit.objects.filter(wiki=settings.WIKI.code, at__gt=last).exists():
        return None
    says = f"The wiki refuses what the OAuth consumer sends, since {last:%Y-%m-%d %H:%M} UTC."
    do = "It may be disabled: see Special:OAuthListConsumers on the wiki, and ask there."
    return Finding("consumer", FAIL, says, do)


def stop_page() -> Findings:
    if not settings.STOP_PAGE:
        return
    with _asking(settings.WIKI.commons_api):
        said = sending_rights_stop_page.read_page()
    if said.words:
        do = "Read it, answer there, and blank it when the matter is settled."
        yield Finding("stop page", WARN, "The wiki's stop page says stop: nothing is written.", do)
    else:
        yield Finding("stop page", OK, "The wiki's stop page is blank.")


Look = Callable[[], Findings]
HERE: tuple[Look, ...] = (
    *(configuration, database, keys, broker, cache, workers_and_beat),
    *(disk, memory, static_files, translations),
)
ELSEWHERE: tuple[Look, ...] = (engines, wiki, consumer, stop_page)


@contextmanager
def _asking(address: str) -> Iterator[str]:
    """Who hears that the wiki doesn't answer is told which address was tried."""
    try:
        yield address
    except WikiError as error:
        error.add_note(address)
        raise


def _collected_files() -> dict[str, str] | None:
    """Return the collected files by their names in the repository; None where none need be.

    Raises OSError, ValueError or AttributeError, as Django's storage does, for a damaged list.
    """
    storage = storages[STATICFILES_STORAGE_ALIAS]  # the lazy object would hide AttributeError
    if not isinstance(storage, ManifestFilesMixin):
        return None
    collected: object = storage.hashed_files
    if not isinstance(collected, dict):
        raise ValueError
    return collected


def _word(part: health.Part) -> str:
    return {health.OK: OK, health.DEGRADED: WARN, health.FAILED: FAIL}[part.status]


def _siteinfo() -> dict[str, str | int]:
    asked: dict[str, str | int] = {"action": "query", "meta": "siteinfo", "maxlag": 5}
    return asked | {"format": "json", "formatversion": 2, "errorformat": "plaintext"}


def _clock(date: str) -> Finding:
    try:
        theirs = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return Finding("clock", WARN, "The wiki does not say what time it is.", "Use NTP.")
    if theirs.tzinfo is None:  # `-0000` or no zone that is known: HTTP has UTC alone
        theirs = theirs.replace(tzinfo=UTC)
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > 5:
        do = "Let NTP set it: leases and logins depend on it."
        return Finding("clock", FAIL if apart > 60 else WARN, f"It is {apart:.0f} s off.", do)
    return Finding("clock", OK, "It agrees with the wiki's.")


def _sample(column: Column) -> list[Sealed]:
    """Sealed values from all over the table, with the number of their key at least."""
    ends = column.rows.aggregate(first=models.Min("pk"), last=models.Max("pk"))
    if ends["first"] is None:
        return []
    step = max(1, (ends["last"] - ends["first"]) // SAMPLE)
    rows = column.rows.filter(pk__in=range(ends["first"], ends["last"] + 1, step))
    return [each for each in column.values(rows) if len(each.value) > 1]


def _opens(sealed: Sealed) -> bool:
    try:
        unseal(sealed.value, sealed.context)
    except Unsealable:
        return False
    return True


def _refused(error: Exception) -> Finding:
    code = error.args[0] if error.args else 0
    says, do = WHY.get(code, ("The database does not answer.", "Start it; see DATABASE_URL."))
    return Finding("database", FAIL, says, do)


def _mariadb(took: float) -> Findings:
    with connection.cursor() as cursor:
        cursor.execute("SHOW VARIABLES WHERE Variable_name IN %s", [MARIADB_SAYS])
        said = dict(cursor.fetchall())
    isolation = said.get("transaction_isolation") or said.get("tx_isolation", "")
    yield Finding("database", OK, f"MariaDB {said['version']} answers in {took:.0f} ms.")
    if said["collation_database"] != "utf8mb4_nopad_bin":
        do = "ALTER DATABASE … CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, before migrate."
        says = f"New tables would have the collation {said['collation_database']}."
        yield Finding("collation", WARN, says, do)
    if isolation.upper() != "READ-COMMITTED":
        do = "See OPTIONS of the database in the settings."
        yield Finding("isolation", FAIL, f"Transactions are {isolation}.", do)
    allowed = int(said["max_user_connections"]) or int(said["max_connections"])
    yield _connections(allowed)
    kept = connection.settings_dict["CONN_MAX_AGE"]
    if kept is None or kept >= int(said["wait_timeout"]):
        do = "Keep connections for less long than the server does (CONN_MAX_AGE)."
        says = f"The server ends idle connections after {said['wait_timeout']} s."
        yield Finding("idle connections", WARN, says, do)


def _connections(allowed: int) -> Finding:
    """By the settings of this very process, as it can't see how many others were started."""
    web, detect = settings.WEB_THREADS, settings.DETECT_PROCESSES
    needed = web + detect + OTHER_PROCESSES
    says = (
        f"{allowed} connections are allowed; up to {needed} may be open, if WEB_THREADS={web}, "
        f"DETECT_PROCESSES={detect} and {OTHER_PROCESSES} others are what runs."
    )
    do = "Start fewer web threads or processes, or set CONN_MAX_AGE to 0."
    return Finding("connections", WARN if needed > allowed else OK, says, do)


def _sqlite(took: float) -> Findings:
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode not in ("wal", "memory"):
        do = "Keep it on a disk of this machine: WAL does not work on network file systems."
        yield Finding("database", FAIL, f"SQLite runs in {mode} mode.", do)
    elif settings.WIKI.code == "commons" and settings.HTTPS:
        do = "Use MariaDB where many people work at the same time (DATABASE_URL)."
        yield Finding("database", WARN, f"SQLite answers in {took:.0f} ms.", do)
    else:
        yield Finding("database", OK, f"SQLite answers in {took:.0f} ms.")


def _redis() -> Findings:
    with health.broker_client() as client:
        try:
            policy = str(client.info("memory").get("maxmemory_policy", "unknown"))
        except redis.ResponseError:  # a shared one may not say
            policy = "unknown"
    if policy not in ("noeviction", "unknown"):
        do = "maxmemory-policy noeviction, if it is yours. Beat sends again what was dropped."
        yield Finding("broker", WARN, f"Redis may drop messages when it is full ({policy}).", do)
    else:
        yield Finding("broker", OK, f"Redis answers (eviction: {policy}).")
    prefix = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"])
    host = urlsplit(settings.REDIS_URL).hostname or ""
    shared = "." in host and not host.startswith("127.")
    if shared and len(prefix) < 20:
        do = "Set REDIS_PREFIX to something long and secret: others could read and send messages."
        yield Finding("broker prefix", WARN, "The prefix of our keys can be guessed.", do)


def _container_limit() -> int:
    """MB that this container may use; 0 where there is no limit."""
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return 0
    return int(text) // 1_000_000 if text.isdigit() else 0
