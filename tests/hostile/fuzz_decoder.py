"""The fuzz target of the decoder: `test_one_input(data)`.

    make fuzz SEED=7 SECONDS=60

changes the files of the corpus at random, in a child under the worker's limits, and counts how
they end; the last line is JSON. An input that hangs, kills the child or lets anything but a known
reason escape is kept in a file and makes it fail; `seed` and its number make it again.

Under atheris, where that is installed (`pip install atheris`), or as a target of OSS-Fuzz:

    python -m tests.hostile.fuzz_decoder --atheris [options of libFuzzer]
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import django
import numpy as np
from django.apps import apps

import tests.environment  # noqa: F401  # before Django reads its settings

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wikivisage.settings")
    django.setup()

from django.conf import settings

from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from tests.hostile import corpus
from tests.hostile.limited import DIED, HUNG, ends

REASONS = {corpus.BROKEN, corpus.NOT_A_PICTURE, corpus.TOO_LARGE}
MEMORY = "memory"
BYTES = (0, 1, 2, 0x7F, 0x80, 0xC0, 0xD8, 0xDA, 0xFE, 0xFF)  # that formats give a meaning to
MOST = 0xFFFFFFFF
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, MOST)
LARGEST = 200_000  # bytes of a file that is worth changing


def test_one_input(data: bytes) -> str:
    """How the decoder ends: "looked", a reason, or "memory". Anything else is a finding."""
    try:
        pixels = pictures_fetch.decode(data)
    except Unusable as error:
        if error.code not in REASONS or not error.permanent:
            raise
        return error.code
    except MemoryError:
        return MEMORY
    height, width, colours = pixels.shape
    assert (pixels.dtype, colours) == (np.dtype(np.uint8), 3)
    assert 0 < height * width <= pictures_fetch.LOOK_PIXELS * 1.05, f"{width} x {height}"
    return corpus.LOOKED


def changed(bodies: Sequence[bytes], seed: int, number: int) -> bytes:
    """The input of that number: one of the files with some damage."""
    rng = random.Random(f"{seed}:{number}")
    data = bytearray(rng.choice(bodies))
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        _change(data, rng, bodies)
    return bytes(data)


def _change(data: bytearray, rng: random.Random, bodies: Sequence[bytes]) -> None:
    # What is at the beginning says what all the rest means.
    at = rng.randrange(min(len(data), rng.choice([64, 1024, LARGEST])) or 1)
    length = rng.choice([1, 2, 4, 16, 256, 4096])
    match rng.randrange(7):
        case 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        case 1:
            data[at : at + 1] = bytes([rng.choice(BYTES)])
        case 2:
            data[at : at + length] = bytes([rng.choice(BYTES)]) * length
        case 3:
            del data[at : at + length]
        case 4:
            data[at:at] = data[at : at + length] * rng.choice([1, 2, 50])
        case 5:
            other = rng.choice(bodies)
            start = rng.randrange(len(other) or 1)
            data[at : at + length] = other[start : start + length]
        case 6:
            form, most = rng.choice([("<H", 0xFFFF), (">H", 0xFFFF), ("<I", MOST), (">I", MOST)])
            number = struct.pack(form, min(rng.choice(NUMBERS), most))
            data[at : at + len(number)] = number


def seeds(seed: int) -> list[bytes]:
    """Pictures to change; what is none would stay so."""
    made = [case for case in corpus.make(seed, count=0) if case.kind not in corpus.OTHERS]
    return [case.body for case in made if len(case.body) < LARGEST]


def fuzz(seed: int, seconds: float, count: int = sys.maxsize) -> dict[str, object]:
    """Inputs for so many seconds, or so many of them: what is printed as JSON."""
    bodies, begun = seeds(seed), time.monotonic()
    made = partial(changed, bodies, seed)
    outcomes: Counter[str] = Counter()
    found: list[str] = []
    memory = 0
    for end in ends(
        lambda number: test_one_input(made(number)),
        count,
        patience=settings.PICTURE_SECONDS,
        until=begun + seconds,
    ):
        outcomes[end.outcome.partition(":")[0]] += 1
        memory = max(memory, end.memory)
        if end.outcome.startswith((HUNG, DIED, "escaped")):
            found.append(
                f"{end.number}: {end.outcome} ({_keep(made(end.number), seed, end.number)})"
            )
    return {
        "seed": seed,
        "inputs": outcomes.total(),
        "outcomes": dict(outcomes.most_common()),
        "found": found,
        "peak_mb": memory,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _keep(data: bytes, seed: int, number: int) -> Path:
    path = Path(tempfile.gettempdir(), f"wikivisage-fuzz-{seed}-{number}.bin")
    path.write_bytes(data)
    return path


def main() -> int:
    if "--atheris" in sys.argv:
        sys.argv.remove("--atheris")
        import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

        atheris.instrument_all()
        atheris.Setup(sys.argv, test_one_input)
        atheris.Fuzz()
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    result = fuzz(seed, float(os.environ.get("SECONDS") or 60))
    sys.stdout.write(json.dumps(result) + "\n")
    return 1 if result["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
