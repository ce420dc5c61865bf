"""`manage.py doctor` on a system that works, and on what an operator may have forgotten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from core.models import WikiPace
from projects.models import User, WikiCredential
from sandbox import RunningSandbox
from tests.environment import free_port
from tests.operation.test_health import all_seen
from wiki.http import WikiError
from wikivisage.ops import probes
from wikivisage.ops.probes import FAIL, OK, WARN, Finding

pytestmark = pytest.mark.django_db
EVIL = "<script>Alice</script>"


def found(look: Any) -> dict[str, Finding]:
    return {finding.about: finding for finding in look()}


def settings_said() -> str:
    return "\n".join(f"{each.status} {each.says}" for each in probes.configuration())


@pytest.mark.engine
def test_where_all_is_well_it_says_so(sandbox: RunningSandbox, alice: User) -> None:
    """Alice's tokens are sealed; the wiki, its properties and the consumer are the sandbox's."""
    all_seen()
    out = StringIO()
    call_command("doctor", json=True, stdout=out)
    said = json.loads(out.getvalue())
    assert {each["about"] for each in said} >= {
        *("settings", "database", "migrations", "keys", "broker", "cache", "workers infer"),
        *("beat", "disk", "folders", "memory", "static files", "engine", "clock", "wiki"),
        *("properties", "consumer", "stop page"),
    }
    assert [each for each in said if each["status"] == FAIL] == []


def test_keys_that_are_gone_are_missed(alice: User, settings: Any) -> None:
    settings.SEALING_KEYS = {7: b"7" * 32}
    finding = found(probes.keys)["keys"]
    assert (finding.status, finding.says) == (FAIL, "Something is sealed with keys not held: 1.")
    settings.SEALING_KEYS = {1: b"7" * 32}
    says = found(probes.keys)["keys"].says
    assert says == "2 of 2 sealed values don't open: a key is not what it was."
    settings.SEALING_KEYS = {2: b"2" * 32}
    WikiCredential.objects.all().delete()
    says = "What is sealed can be opened (held: key number 2)."
    assert found(probes.keys)["keys"].says == says
    settings.SEALING_KEYS = {1: b"short"}
    assert found(probes.keys)["keys"].status == FAIL


def test_workers_that_are_away_or_old(settings: Any) -> None:
    all_seen()
    settings.VERSION = "next"
    said = found(probes.workers_and_beat)
    assert said["beat"].status == OK
    assert said["versions"].status == WARN
    WikiPace.objects.filter(lane="worker:write").delete()
    WikiPace.objects.filter(lane="beat").delete()
    said = found(probes.workers_and_beat)
    do = "Start it, or see its log: celery -A celery_app worker -Q write"
    assert said["workers write"].do == do
    assert {said["beat"].status, said["workers write"].status} == {WARN}


def test_what_the_wiki_does_not_know(sandbox: RunningSandbox, settings: Any) -> None:
    settings.OAUTH_CLIENT_ID = "nobody"
    assert found(probes.consumer)["consumer"].status == FAIL
    settings.WIKI = type(settings.WIKI)(**vars(settings.WIKI) | {"depicts": "P999999"})
    said = found(probes.wiki)
    assert (said["clock"].status, said["wiki"].status) == (OK, OK)
    assert said["properties"].says == "The wiki knows no such property: P999999."


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("OAUTH_CLIENT_ID", "nobody"),
        ("OAUTH_CLIENT_SECRET", "wrong"),
        ("SITE_URL", "https://elsewhere.example.org"),
    ],
)
def test_what_is_wrong_with_the_consumer_is_seen_without_a_login(
    setting: str, value: str, sandbox: RunningSandbox, settings: Any
) -> None:
    assert found(probes.consumer)["consumer"].status == OK
    setattr(settings, setting, value)
    finding = found(probes.consumer)["consumer"]
    assert finding.status == FAIL
    assert setting in finding.do


def test_a_wiki_that_is_busy_says_nothing_of_the_consumer(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("http", {"path": "/commons/w/rest.php"}, status=503)
    with pytest.raises(WikiError, match="http-503"):
        list(probes.consumer())


@pytest.mark.process
def test_a_wiki_that_does_not_answer_is_named(settings: Any, tmp_path: Path) -> None:
    """By a process of its own, whose log is what an operator sees."""
    nobody = f"http://127.0.0.1:{free_port()}"
    environment = os.environ | {"SANDBOX_URL": nobody, "DATA_DIR": str(tmp_path), "REDIS_URL": ""}
    environment |= {"DATABASE_URL": f"sqlite://{tmp_path}/db.sqlite3", "OAUTH_CLIENT_ID": "some"}
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "doctor", "--json"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Retrying" not in told.stderr
    said = {each["about"]: each for each in json.loads(told.stdout)}
    assert said["clock"]["status"] == WARN
    for about, path in (("wiki", "/commons/w/api.php"), ("consumer", "/oauth2/access_token")):
        assert said[about]["status"] == FAIL
        assert f"does not answer at {nobody}" in said[about]["says"]
        assert path in said[about]["says"]


def refusal(**changed: Any) -> Finding:
    """What is said where MariaDB's own driver is told no."""
    mysql = pytest.importorskip("MySQLdb")
    own = connection.settings_dict
    reached = {"host": own["HOST"], "user": own["USER"], "password": own["PASSWORD"]}
    if own["PORT"]:
        reached["port"] = int(own["PORT"])
    with pytest.raises(mysql.OperationalError) as told:
        mysql.connect(**reached | changed)
    return probes._refused(told.value)


def test_a_database_whose_name_nobody_knows() -> None:
    finding = refusal(host="nobody.invalid", user="wv", password="", port=3306)
    assert finding.says == "The host name of the database is unknown here."


@pytest.mark.mariadb
def test_each_no_of_mariadb_has_its_line() -> None:
    refused = "The database server refuses the user or its password."
    assert refusal(user="nobody", password="x").says == refused
    assert refusal(database="not_there").says == "The server has no database of this name."
    name = f"wv_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE USER {name} IDENTIFIED BY 'right'")
        try:
            assert refusal(user=name, password="wrong").says == refused
            finding = refusal(user=name, password="right", database="mysql")
            assert finding.says == "The database may not be used by this user."
        finally:
            cursor.execute(f"DROP USER {name}")


def test_connections_are_reckoned_by_what_it_says(settings: Any) -> None:
    settings.WEB_THREADS, settings.DETECT_PROCESSES = 8, 3
    assert probes._connections(17).status == OK
    finding = probes._connections(16)
    assert finding.status == WARN
    assert "up to 17 may be open, if WEB_THREADS=8, DETECT_PROCESSES=3 and 6" in finding.says


def test_a_clock_that_is_off_and_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probes._clock("Wed, 21 Oct 2015 07:28:00 GMT").status == FAIL
    assert probes._clock(EVIL).status == WARN
    # as a proxy may make it of two: no zone that is known
    for date in ("Wed, 21 Oct 2015 07:28:00 -0000", "Wed, 21 Oct 2015 07:28:00 GMT, Wed, 21 Oct"):
        assert probes._clock(date).status == FAIL
    for date in ("Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999 07:28:00 GMT", ""):
        assert probes._clock(date).status == WARN
    monkeypatch.setattr("wikivisage.ops.health.LITTLE_ROOM", 10**18)
    assert found(probes.disk)["disk"].status == WARN


def test_a_home_that_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries make files there; without it each crawl fails."""
    monkeypatch.setenv("HOME", "/dev/null/wikivisage")
    said = [each for each in probes.disk() if each.status == FAIL]
    assert [each.says for each in said] == [
        "/dev/null/wikivisage can't be written to (NotADirectoryError)."
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"SITE_URL": "http://faces.example.org"}, "fail SITE_URL is not https"),
        ({"SITE_URL": "https://faces.example.org"}, "fail The host of SITE_URL is not in ALLOWED"),
        ({"ALLOWED_HOSTS": ["*"]}, "warn ALLOWED_HOSTS lets any host name in"),
        ({"HTTPS": True, "LOCAL_LOGIN": True}, "fail LOCAL_LOGIN lets whoever"),
        ({"HTTPS": True, "DEBUG": True}, "fail You should not have DEBUG set to True"),
        ({"HTTPS": True, "SECRET_KEY": "short"}, "fail Your SECRET_KEY has less than 50"),
        ({"METRICS_TOKEN": "short"}, "warn METRICS_TOKEN is short enough"),
        ({"LEARNING_MEMORY_MB": 600}, "warn LEARNING_MEMORY_MB is more than"),
    ],
)
def test_each_forgotten_setting_has_its_line(
    change: dict[str, Any], line: str, settings: Any
) -> None:
    assert line not in settings_said()
    for name, value in change.items():
        setattr(settings, name, value)
    assert line in settings_said()


DAMAGED = [b"garbage", b"", b"\xff\xfe", b"[]", b'{"paths":7}', b'{"version":"1.1","paths":7}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_list_of_static_files_is_told(
    content: bytes, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "staticfiles.json").write_bytes(content)
    settings.STATIC_ROOT = tmp_path
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    finding = found(probes.static_files)["static files"]
    assert (finding.status, finding.says) == (FAIL, f"{tmp_path}/staticfiles.json can't be read.")
    assert finding.do == "Remove it, then manage.py collectstatic --noinput"


@pytest.mark.process
def test_whatever_is_damaged_it_ends_without_a_traceback(tmp_path: Path) -> None:
    """By a process of its own, whose output is what an operator sees."""

    def examine(**environment: str) -> str:
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", "doctor", "--quick"],
            cwd=django_settings.BASE_DIR,
            env=os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
            | {"SECRET_KEY": "", "SEALING_KEYS": ""} | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert told.returncode == 1
        assert "Traceback" not in told.stdout
        return told.stdout

    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text("garbage")
    assert f"fail  static files     {tmp_path}/static/staticfiles.json can't be read." in examine()
    assert "SITE_URL must be an address like http" in examine(SITE_URL="http://[::1")
    for name in ("secret.key", "sealing.key"):
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"\xff" * 32)
        assert f"{tmp_path}/{name} is damaged: put back your copy of it, or set " in examine()
        (tmp_path / name).write_bytes(kept)


@pytest.mark.django_db
def test_a_check_that_fails_by_itself_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # not by pytest-django's `settings`: Django would forget the made-up languages for good
    monkeypatch.setattr(django_settings, "LOCALE_PATHS", [7])
    found = {each.about: each for each in probes.examine(quick=True)}
    assert found["translations"].status == FAIL
    assert found["translations"].says == "This could not be checked: TypeError."
    assert found["database"].status == OK
    assert found["static files"].status == OK
    assert caplog.records == []
