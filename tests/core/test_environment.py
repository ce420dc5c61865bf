"""Mistakes in the environment are said at start, one clear sentence each."""

import os
import subprocess
import sys

import pytest

from wikivisage.env import Environment


def test_values_are_read_and_defaults_stand_in() -> None:
    env = Environment({"PORT": " 8010 ", "DEBUG": "yes", "HOSTS": "a, b,,"})
    assert env.integer("PORT", 8000) == 8010
    assert env.integer("OTHER", 7) == 7
    assert env.flag("DEBUG") is True
    assert env.items("HOSTS") == ["a", "b"]
    assert env.errors == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eight", "PORT must be a number, but is 'eight'."),
        ("PORT", "0", "PORT must be between 1 and 65535, but is 0."),
        ("WIKI", "moon", "WIKI must be one of sandbox, commons, but is 'moon'."),
        ("DEBUG", "maybe", "DEBUG must be yes or no, but is 'maybe'."),
        ("DATABASE_URL", "oracle://x", "DATABASE_URL must begin with sqlite:// or mysql://."),
        ("SEALING_KEYS", "1:abc", "SEALING_KEYS must look like"),
        ("SEALING_KEYS", "1:YWJj", "Each key in SEALING_KEYS must be 32 bytes long"),
        ("REDIS_URL", "http://x", "REDIS_URL must begin with redis://"),
        ("OAUTH_CLIENT_SECRET", "", ""),
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
    import re
    from pathlib import Path

    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', Path("wikivisage/settings.py").read_text()))
    read |= set(re.findall(r'_secret\("(\w+)"', Path("wikivisage/settings.py").read_text()))
    explained = set(re.findall(r"^#?(\w+)=", Path(".env.example").read_text(), re.MULTILINE))
    assert read == explained
