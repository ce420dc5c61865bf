"""All settings, read from the environment; `.env.example` explains each.

Defaults are the embedded mode: SQLite, a broker of files, the sandbox wiki beside it.
"""

import base64
import logging
import os
import secrets
import ssl
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from wiki import sites
from wikivisage import pipeline
from wikivisage.ops import logs
from wikivisage.runtime.env import Environment

django_stubs_ext.monkeypatch()  # lets ModelAdmin[Model] and the like be written at run time

env = Environment()

BASE_DIR = Path(__file__).resolve().parent.parent
WIKI_CODE = env.choice("WIKI", "sandbox", ("sandbox", "commons"))
# The sandbox and the real wiki keep their data apart.
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var" / WIKI_CODE))).absolute()
with env.folder("DATA_DIR", DATA_DIR):
    DATA_DIR.mkdir(parents=True, exist_ok=True)

PORT = env.integer("PORT", 8000, 1, 65535)
SANDBOX_PORT = env.integer("SANDBOX_PORT", PORT + 1, 1, 65535)
# Without an address of another one, `manage.py run` starts a sandbox of its own.
OWN_SANDBOX = WIKI_CODE == "sandbox" and not env.text("SANDBOX_URL")
SANDBOX_URL = env.web_address("SANDBOX_URL", f"http://127.0.0.1:{SANDBOX_PORT}")
WIKI = replace(
    sites.commons() if WIKI_CODE == "commons" else sites.sandbox(SANDBOX_URL),
    depicts=env.property_id("DEPICTS_PROPERTY", "P180"),
    region=env.property_id("REGION_PROPERTY", "P2677"),
    artwork=env.property_id("ARTWORK_PROPERTY", "P6243"),
)


def _secret(name: str, default_file: str, length: int = 32) -> str:
    """A secret from the environment or, in the embedded mode, made once and kept with the data."""
    value = env.text(name)
    if value:
        return value
    path = DATA_DIR / default_file
    with env.folder("DATA_DIR", DATA_DIR):
        try:
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(base64.b64encode(secrets.token_bytes(length)).decode())
        except FileExistsError:
            pass
        try:
            value = path.read_text("ascii").strip()
        except UnicodeDecodeError:
            env.errors.append(f"{path} is damaged: put back your copy of it, or set {name}.")
    return value


def _sealing_keys(text: str) -> dict[int, bytes]:
    """`2:<base64>,1:<base64>`: the first seals, all open; a bare key is number 1."""
    keys = {}
    for part in text.split(",") if text else ():
        number, _, key = part.strip().rpartition(":")
        try:
            keys[int(number or 1)] = base64.b64decode(key, validate=True)
            bytes([int(number or 1)])
        except ValueError:
            env.errors.append("SEALING_KEYS must look like 1:<base64>, or 2:<base64>,1:<base64>.")
    if any(len(key) != 32 for key in keys.values()):
        env.errors.append("Each key in SEALING_KEYS must be 32 bytes long before base64.")
    return keys


SECRET_KEY = _secret("SECRET_KEY", "secret.key", 48)
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")  # older ones, whose cookies still open
SEALING_KEYS = _sealing_keys(_secret("SEALING_KEYS", "sealing.key"))
DEBUG = env.flag("DEBUG")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
SITE_URL = env.web_address("SITE_URL", f"http://127.0.0.1:{PORT}")
HTTPS = SITE_URL.startswith("https://")
if (HTTPS or WIKI_CODE == "commons") and len(SECRET_KEY) < 32:
    env.errors.append("SECRET_KEY must have at least 32 random characters on a real site.")
if DEBUG and (HTTPS or WIKI_CODE == "commons"):
    env.errors.append("DEBUG shows what is secret to whoever meets an error: not on a real site.")

# Applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "wikivisage.apps.WikiVisageConfig",
    "core",
    "projects",
    "crawler",
    "classify",
    "sdc",
    "wikivisage.apps.ModerationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.mediawiki",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "django_guid",
]
MIDDLEWARE = [
    "wikivisage.middleware.headers.Headers",
    "wikivisage.ops.logs.RequestId",
    "django_guid.middleware.guid_middleware",
    "wikivisage.ops.metrics.Requests",
    "wikivisage.middleware.bodies.Bodies",  # before all that may read a body
    "wikivisage.ops.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "projects.live.polling.Polls",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.i18n.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.ratelimit.Posts",
    "wikivisage.middleware.form_recovery.KeptForms",
]
ROOT_URLCONF = "wikivisage.urls"
WSGI_APPLICATION = "wikivisage.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "projects.context.wiki",
                "sdc.context.writing",
                "wikivisage.context.workers",
            ]
        },
    }
]

# Database ---------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _certificates(parts: SplitResult) -> dict[str, object]:
    """Options of the driver by which it encrypts, for nobody but the server of that name."""
    told = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = told.pop("ssl_ca", "")
    if told or parts.fragment or (parts.query and not path):
        env.errors.append("DATABASE_URL may end with ?ssl_ca=/path/of/certificates.pem only.")
    if not path:
        return {}
    if not os.access(path, os.R_OK):
        env.errors.append("ssl_ca in DATABASE_URL must be a file that can be read.")
    return {"ssl": {"ca": path}, "ssl_mode": "VERIFY_IDENTITY"}


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and (parts.query or parts.fragment):
        env.errors.append("DATABASE_URL of SQLite is a path alone, without ? and #.")
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path) or str(DATA_DIR / "wikivisage.sqlite3"),
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    if parts.scheme in ("mysql", "mariadb"):
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            # shorter than the server keeps an idle connection (ToolsDB: 600 s)
            "CONN_MAX_AGE": env.integer("DB_CONN_MAX_AGE", 300, 0, 86_400),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                # The driver would wait for minutes, and Prometheus asks for ten seconds only.
                "connect_timeout": 3,
                "charset": "utf8mb4",
                "collation": "utf8mb4_nopad_bin",
                "isolation_level": "read committed",
                # EXISTS is asked row by row, so that a page ends at its last row: made into IN, it
                # would be answered for all rows first.
                # Who waited that long for a lock is tried again (core.transactions).
                "init_command": "SET sql_mode='STRICT_TRANS_TABLES', "
                "optimizer_switch='exists_to_in=off', innodb_lock_wait_timeout=5",
                **_certificates(parts),
            },
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_nopad_bin"},
        }
    env.errors.append("DATABASE_URL must begin with sqlite:// or mysql://.")
    return {}


# Of all web processes together: as `manage.py run` and the Dockerfile start them, or what
# deploy/toolforge/start says. Each may hold a connection.
WEB_THREADS = env.integer("WEB_THREADS", 16, 1, 1000)
DATABASES = {"default": _database(env.address("DATABASE_URL", "sqlite://"))}

# Celery -----------------------------------------------------------------------------------
REDIS_URL = env.address("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    env.errors.append("REDIS_URL must begin with redis://, rediss:// or unix://.")
BROKER_DIR = DATA_DIR / "broker"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT = "wikivisage.runtime.redis_broker:Transport"
    if REDIS_URL.startswith("rediss://"):  # kombu would encrypt for whoever answers
        CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "visibility_timeout": 600,
        "global_keyprefix": env.text("REDIS_PREFIX", "wikivisage:"),
        # A page that wakes a worker must not wait for a Redis that is away or silent.
        "socket_connect_timeout": 2,
        "socket_timeout": 3,
        "max_retries": 0,
        "connect_retries_timeout": 1,
    }
else:
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT = "wikivisage.runtime.broker:Transport"
    with env.folder("DATA_DIR", DATA_DIR):
        for folder in ("queue", "control"):
            (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
PIPELINE_TASKS = pipeline.TASKS
PIPELINE_WAKES = pipeline.WAKES
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in ("crawl", "detect", "infer", "write", "default")
]
CELERY_TASK_ROUTES = {task: {"queue": queue} for task, queue in pipeline.TASKS.items()}
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # else beat sends a task of Celery's own, to clean up results
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_LOST_WAIT = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # or whoever reaches the broker could end workers
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.integer("WORKER_MAX_MEMORY_MB", 600, 200, 8000) * 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TIMEZONE = "UTC"
# Shorter than work may take, for tests in which workers die and freeze.
LEASE_PERCENT = env.integer("LEASE_PERCENT", 100, 5, 100)
CELERY_BEAT_SCHEDULER = "wikivisage.runtime.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")
CELERY_BEAT_SCHEDULE = {
    task: {
        "task": task,
        "schedule": seconds,
        "options": {"expires": max(seconds, 10), "headers": {"by_beat": "yes"}},
    }
    for task, seconds in pipeline.HEARTBEAT.items()
}
# Of open vectors and what is thought of them, in the worker that learns; a face takes 0.8 KB.
LEARNING_MEMORY_MB = env.integer("LEARNING_MEMORY_MB", 300, 1, 64000)
WORKER_ADDRESS_SPACE_MB = env.integer("WORKER_ADDRESS_SPACE_MB", 3000, 1000, 64000)

# Caches -----------------------------------------------------------------------------------
# What a process remembers stays in it: nothing is unpickled that another could have put there.
# What all count together (core.ratelimit) are whole numbers, in Redis or in files.
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "counts": {
        "BACKEND": "core.counters.RedisCounters",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{env.text('REDIS_PREFIX', 'wikivisage:')}counts",
        "OPTIONS": {
            "serializer": "core.counters.WholeNumbers",
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "health_check_interval": 30,
            "retry": Retry(NoBackoff(), 1),  # a connection that was dropped
        },
    }
    if REDIS_URL
    else {
        "BACKEND": "core.counters.FileCounters",
        "LOCATION": str(DATA_DIR / "counts"),
        "OPTIONS": {"MAX_ENTRIES": 2000},
    },
}

# Looking at pictures ----------------------------------------------------------------------
CPUS = os.cpu_count() or 1
# Whose vectors new projects get; what is there is embedded anew in the background.
ENGINE = env.choice("ENGINE", "sface", ("sface", "dlib"))
DETECT_PROCESSES = env.integer("DETECT_PROCESSES", max(1, min(CPUS, 4)), 1, 64)
DETECT_WIDTH = 960  # a real thumbnail step; what Photo.thumb_url points to
DETECT_UPSAMPLE = env.integer("DETECT_UPSAMPLE", 1, 0, 2)
PICTURES_AHEAD = env.integer("PICTURES_AHEAD", 2, 0, 20)  # downloaded while one is looked at
MAX_PICTURES_A_PROJECT = env.integer("MAX_PICTURES_A_PROJECT", 4, 1, 64)
MAX_PROJECTS_AT_ONCE = env.integer("MAX_PROJECTS_AT_ONCE", 3, 1, 64)
PICTURE_MAX_PIXELS = env.integer("PICTURE_MAX_PIXELS", 25_000_000, 100_000)
PICTURE_MAX_BYTES = env.integer("PICTURE_MAX_BYTES", 20_000_000, 100_000)
PICTURE_SECONDS = env.integer("PICTURE_SECONDS", 30, 5, 600)  # crowds of 20 take 2
# Files that already depict the person and that no other source brings: examples of the person.
DEPICTS_MAX = env.integer("DEPICTS_MAX", 50, 0, 1000)
CROPS_DIR = DATA_DIR / "crops"
CROPS_MAX_MB = env.integer("CROPS_MAX_MB", 500, 10)

# People in the pictures -------------------------------------------------------------------
# Vectors and crops of faces that nobody said to be the person go so many days after a project's
# last activity, and all of a completed project; sealed texts of objections after their end.
RETENTION_DAYS = env.integer("RETENTION_DAYS", 90, 1, 3650)
# Of whom fewer wikis have a page, and there is no portrait, moderators decide first.
SITELINKS_LEAST = env.integer("SITELINKS_LEAST", 3, 0, 1000)

# Talking to the wiki ----------------------------------------------------------------------
VERSION = "0.1.0"
CONTACT = env.header("CONTACT", "https://commons.wikimedia.org/wiki/Commons:Depicts")
SOURCE_URL = env.text("SOURCE_URL")  # where the source code of this very site can be had
USER_AGENT = f"WikiVisage/{VERSION} ({CONTACT})"
TOOL_NAME = env.text("TOOL_NAME", "wikivisage")  # in EditGroups' links
READS_A_MINUTE = env.integer("READS_A_MINUTE", 190 if WIKI_CODE == "commons" else 6000, 1)
PICTURES_A_MINUTE = env.integer("PICTURES_A_MINUTE", 190 if WIKI_CODE == "commons" else 6000, 1)

# Writing to the wiki ----------------------------------------------------------------------
# Of a user, if the wiki allows it: what semi-automatic tools are asked for in test runs, where
# others see the edits.
EDITS_A_MINUTE = env.integer("EDITS_A_MINUTE", 60 if WIKI_CODE == "sandbox" else 6, 1, 6000)
BATCH_MAX = env.integer("BATCH_MAX", 500, 1, 5000)
EDIT_SUMMARY = env.template("EDIT_SUMMARY", "{person}, {how} ({batch})", ("person", "how", "batch"))
# What {how} becomes, by the machine's part in a statement: patrollers filter by it.
SUMMARY_SUGGESTED = env.words("SUMMARY_SUGGESTED", "suggested by face recognition, confirmed by me")
SUMMARY_BY_HAND = env.words("SUMMARY_BY_HAND", "named by hand")
if SUMMARY_SUGGESTED == SUMMARY_BY_HAND:
    env.errors.append("SUMMARY_SUGGESTED and SUMMARY_BY_HAND must differ: patrollers filter by it.")
UNDO_SUMMARY = env.template(
    "UNDO_SUMMARY", "{person}: taking back an edit of this tool ({batch})", ("person", "batch")
)
# Who may send: the others hand their claims to a member who may.
FIRST_BATCH = env.integer("FIRST_BATCH", 10, 0, 5000)  # edits, then looked at; 0: no such limit
SENDER_MIN_EDITS = env.integer("SENDER_MIN_EDITS", 50, 0)
SENDER_AUTOCONFIRMED = env.flag("SENDER_AUTOCONFIRMED", True)
# A face is small in a crowd when so many faces are in the picture and its height is less.
CROWD_FACES = env.integer("CROWD_FACES", 6, 2)
SMALL_FACE_PERCENT = env.integer("SMALL_FACE_PERCENT", 8, 0, 100)  # of the picture's height
# When a statement is looked at again. Nobody sends whose share of removed ones is too high.
WATCH_AFTER_HOURS = env.numbers("WATCH_AFTER_HOURS", "24,168,720")
REMOVED_SHARE_PERCENT = env.integer("REMOVED_SHARE_PERCENT", 10, 1, 100)
REMOVED_LEAST = env.integer("REMOVED_LEAST", 5, 1)  # fewer removed ones say nothing
# A page of the wiki: writing stops while there is anything on it.
STOP_PAGE = env.text("STOP_PAGE", "Commons:WikiVisage/Stop" if WIKI_CODE == "sandbox" else "")

# Login ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = [
    "projects.accounts.backends.AccountBackend",
    # which sessions from before name
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
OAUTH_CLIENT_ID = env.text(
    "OAUTH_CLIENT_ID", "wikivisage-sandbox" if WIKI.code == "sandbox" else ""
)
OAUTH_CLIENT_SECRET = env.text(
    "OAUTH_CLIENT_SECRET", "sandbox-secret" if WIKI.code == "sandbox" else ""
)
if bool(OAUTH_CLIENT_ID) != bool(OAUTH_CLIENT_SECRET):
    env.errors.append("OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET go together: set both or neither.")
CAN_LOG_IN = bool(OAUTH_CLIENT_ID)
# Without a consumer: whoever sits at this very machine may do everything but send.
LOCAL_LOGIN = env.flag("LOCAL_LOGIN") and not CAN_LOG_IN
# Names on the wiki of those who moderate here; they get the admin at their next login.
MODERATORS = ["Mona"] if WIKI.code == "sandbox" else []
if env.has("MODERATORS"):  # be it to nobody
    MODERATORS = env.items("MODERATORS")
# Groups of the wiki whose members moderate here, too, for example sysop.
MODERATOR_GROUPS = env.items("MODERATOR_GROUPS")
SOCIALACCOUNT_PROVIDERS = {
    "mediawiki": {
        "REST_API": WIKI.rest,
        "USERPAGE_TEMPLATE": WIKI.commons + "/wiki/User:{username}",
        "USER_AGENT": USER_AGENT,
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": [],
        "APPS": [{"client_id": OAUTH_CLIENT_ID, "secret": OAUTH_CLIENT_SECRET, "key": ""}]
        if CAN_LOG_IN
        else [],
    }
}
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_STORE_TOKENS = False  # ours are sealed, in WikiCredential
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_ADAPTER = "projects.accounts.login.WikiAccountAdapter"
ACCOUNT_ADAPTER = "projects.accounts.login.AccountAdapter"
# Logins are counted by core.ratelimit: allauth would count by address.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
# Who is logged in may log in again: the wiki may have forgotten them, see projects.accounts.tokens.
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False

# Security ---------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, *WIKI.image_hosts],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *WIKI.login_hosts],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS and env.flag("SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Proxies of ours in front, of whose X-Forwarded-For limits take the client's address.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, 0, 10)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "projects.accounts.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# No other host under the same domain can set a cookie of that name.
HOST_ONLY = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{HOST_ONLY}wikivisage_{WIKI.code}_{PORT}"
CSRF_COOKIE_NAME = f"{HOST_ONLY}wikivisage_csrf_{WIKI.code}_{PORT}"
X_FRAME_OPTIONS = "DENY"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # our style and scripts are for our pages
DEFAULT_EXCEPTION_REPORTER = "wikivisage.ops.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "wikivisage.ops.error_reports.NoValues"
CSRF_FAILURE_VIEW = "wikivisage.pages.about.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # of a whole request: see wikivisage.middleware.bodies
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
# Nothing takes a file: nobody is looked for by a picture.
FILE_UPLOAD_HANDLERS = ["wikivisage.middleware.bodies.NoFiles"]

# Language, time, static files ---------------------------------------------------------------
LANGUAGE_CODE = "en"
REAL_LANGUAGES = [
    ("en", "English"),
    ("nb", "norsk bokmål"),
    ("es", "español"),
    ("fr", "français"),
]
# Made-up ones that prove the layout: longer words, and from right to left (messages.pseudo).
PSEUDO_LOCALES = env.flag("PSEUDO_LOCALES", DEBUG or WIKI_CODE == "sandbox")
MADE_UP_LANGUAGES = [("en-xa", "[Ëñĝļîšĥ ļõñĝ]"), ("ar-xb", "[Ëñĝļîšĥ ŕţļ]")]
LANGUAGES = REAL_LANGUAGES + (MADE_UP_LANGUAGES if PSEUDO_LOCALES else [])
LANGUAGE_COOKIE_NAME = f"wikivisage_language_{WIKI.code}_{PORT}"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "wikivisage.formats"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
TESTING = "pytest" in sys.modules
# Looks after pages without network; off where its cache would only be in the way.
SERVICE_WORKER = not DEBUG and not TESTING
if DEBUG or TESTING:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True

# Logs: one line each, nothing personal ------------------------------------------------------
# JSON where many processes' logs are gathered, a line in the embedded mode.
LOG_FORMAT = env.choice("LOG_FORMAT", "json" if REDIS_URL or HTTPS else "line", logs.FORMATS)
LOGGING = logs.config(
    LOG_FORMAT,
    env.choice("LOG_LEVEL", "INFO", tuple(logging.getLevelNamesMapping())),
    chatty=LOG_FORMAT == "json" or bool(env.text("LOG_LEVEL")),
    texts=DEBUG,
)
DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-ID", "EXPOSE_HEADER": False}
# Who may read /metrics: who knows this; without it, in the embedded mode, this machine.
METRICS_TOKEN = env.text("METRICS_TOKEN")

if env.errors:
    raise ImproperlyConfigured("\n".join(["The environment is not right:", *env.errors]))
