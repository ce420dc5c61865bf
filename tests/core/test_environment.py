"""Mistakes in the environment are said at start, one clear sentence each."""

import os
import re
import subprocess
import sys
from urllib.parse import quote

import pytest

from wikivisage.runtime.env import Environment


def test_values_are_read_and_defaults_stand_in() -> None:
    env = Environment({"PORT": " 8010 ", "DEBUG": "yes", "HOSTS": "a, b,,"})
    assert env.integer("PORT", 8000) == 8010
    assert env.integer("OTHER", 7) == 7
    assert env.flag("DEBUG") is True
    assert env.items("HOSTS") == ["a", "b"]
    assert env.errors == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eight", "PORT must be a number, but is 'eight'."),
        ("PORT", "0", "PORT must be between 1 and 65535, but is 0."),
        ("WIKI", "moon", "WIKI must be one of sandbox, commons, but is 'moon'."),
        ("DEBUG", "maybe", "DEBUG must be yes or no, but is 'maybe'."),
        ("SITE_URL", "http://[::1", "SITE_URL must be an address like http://127.0.0.1:"),
        ("SITE_URL", "faces.example.org", "SITE_URL must be an address like http://127.0.0.1:"),
        ("SANDBOX_URL", "http://wiki:x", "SANDBOX_URL must be an address like http://127.0.0.1:"),
        ("DATABASE_URL", "oracle://x", "DATABASE_URL must begin with sqlite:// or mysql://."),
        ("DATABASE_URL", "mysql://wv@db/wv?sslmode=require", "may end with ?ssl_ca=/path"),
        ("DATABASE_URL", "mysql://wv@db/wv?ssl_ca=/nowhere.pem", "ssl_ca in DATABASE_URL must be"),
        ("DATABASE_URL", "sqlite:///x?mode=ro", "DATABASE_URL of SQLite is a path alone"),
        ("SEALING_KEYS", "1:abc", "SEALING_KEYS must look like"),
        ("SEALING_KEYS", "1:YWJj", "Each key in SEALING_KEYS must be 32 bytes long"),
        ("REDIS_URL", "http://x", "REDIS_URL must begin with redis://"),
        ("OAUTH_CLIENT_SECRET", "", ""),
        ("LOG_LEVEL", "chatty", "LOG_LEVEL must be one of CRITICAL, "),
        ("LOG_LEVEL", "warning", ""),
        ("CONTACT", "me@example.org\nX-Forwarded-For: 10.0.0.1", "CONTACT must be one line"),
        ("CONTACT", "Łucja", "CONTACT must be one line in Latin letters"),
        ("DATA_DIR", "/dev/null/data", "DATA_DIR must be a folder in which files can be made"),
        ("EDIT_SUMMARY", "{person} ({batch})", "EDIT_SUMMARY must hold {person} and {how} and"),
        ("SUMMARY_BY_HAND", "[[named]] by hand", "SUMMARY_BY_HAND must be plain words"),
        (
            "SUMMARY_BY_HAND",
            "suggested by face recognition, confirmed by me",
            "SUMMARY_SUGGESTED and SUMMARY_BY_HAND must differ",
        ),
        ("DATA_DIR", "/proc", "DATA_DIR must be a folder in which files can be made"),
    ],
)
def test_a_start_with_a_mistake_says_so(name: str, value: str, sentence: str) -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert sentence in started.stderr
    assert bool(started.returncode) == bool(sentence)
    assert "Traceback" not in started.stderr
    assert started.stderr.count(" must ") <= 1


@pytest.mark.parametrize("password", ["se/cret", "se#cret", "se?cret", "12/cret", "a@b/cret", "["])
@pytest.mark.parametrize(
    ("name", "address"),
    [("DATABASE_URL", "mysql://wv:{}@db.example.org/wv"), ("REDIS_URL", "redis://:{}@redis/0")],
)
def test_a_password_must_be_percent_encoded_and_is_never_shown(
    name: str, address: str, password: str
) -> None:
    env = Environment({name: address.format(password)})
    assert env.address(name) == ""
    assert len(env.errors) == 1
    assert env.errors[0].startswith(f"{name} can't be read: percent-encode")
    assert not {"cret", "example", "12"} & set(re.findall(r"\w+", env.errors[0]))
    encoded = address.format(quote(password, safe=""))
    env = Environment({name: encoded})
    assert env.address(name) == encoded
    assert env.errors == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "address"),
    [("DATABASE_URL", "mysql://wv:se/cretpw@db/wv"), ("REDIS_URL", "redis://:se/cretpw@redis/0")],
)
def test_a_start_with_such_a_password_says_so(name: str, address: str) -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | {name: address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode
    assert f"{name} can't be read: percent-encode" in started.stderr
    assert "Traceback" not in started.stderr
    assert "cret" not in started.stderr.replace("SECRET", "")


@pytest.mark.process
@pytest.mark.parametrize("site", [{"WIKI": "commons"}, {"SITE_URL": "https://wv.example.org"}])
def test_a_real_site_does_not_start_with_a_short_secret_key(site: dict[str, str]) -> None:
    for key, sentence in (("short", "SECRET_KEY must have at least 32"), ("x" * 32, "")):
        started = subprocess.run(
            [sys.executable, "manage.py", "check"],
            env=os.environ | site | {"SECRET_KEY": key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert sentence in started.stderr
        assert bool(started.returncode) == bool(sentence)


@pytest.mark.process
def test_all_mistakes_are_said_at_once() -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | {"PORT": "x", "WIKI": "moon"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PORT must" in started.stderr
    assert "WIKI must" in started.stderr


def test_every_setting_is_explained() -> None:
    """`.env.example` names each variable that the settings read."""
    from pathlib import Path

    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', Path("wikivisage/settings.py").read_text()))
    read |= set(re.findall(r'_secret\("(\w+)"', Path("wikivisage/settings.py").read_text()))
    ours, _, of_compose = Path(".env.example").read_text().partition("# --- Docker Compose only")
    assert read == set(re.findall(r"^#?(\w+)=", ours, re.MULTILINE))
    explained = set(re.findall(r"^#?(\w+)=", of_compose, re.MULTILINE))
    used = set(re.findall(r"\$\{(\w+)", Path("docker-compose.yml").read_text()))
    assert used - read == explained - {"COMPOSE_PROFILES"}
