"""`make bench-rescore`: from an answer to the next prepared screens, in large projects.

Made-up faces of 10,000, 100,000 and 1,000,000 (unit vectors of 128 numbers in clusters of forty,
a face a photo), 200 confirmed and 200 rejected; then screens of twenty answers. Measured is what
the worker does with what it keeps in memory, but for the database: telling the model, judging
all faces, choosing the screens ahead. The look-alikes are found once, beforehand, in the
background of a real project, and timed apart. At last a fifth of all faces is answered, 20,000 at
most, and some of these answers are taken back, one by one: that is compared with learning all of
them anew. One thread. QUICK=1 leaves the million out. The last line is JSON.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wikivisage.settings")

import json
import resource
import time
from dataclasses import asdict
from multiprocessing import get_context
from typing import Any

import django
import numpy as np

from classify.learning.distances import Floats, Ints

SIZES = (10_000, 100_000, 1_000_000)
CLUSTER = 40
SCREENS = 20
MANY, UNDONE = 20_000, 10  # answers that are learned in one go; those of them that are taken back


def faces(number: int) -> Floats:
    rng = np.random.default_rng(number)
    centres = rng.standard_normal((number // CLUSTER, 128)).astype(np.float32)
    vectors = np.repeat(centres, CLUSTER, axis=0)
    for start in range(0, number, 100_000):
        block = vectors[start : start + 100_000]
        block += rng.standard_normal(block.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def measure(number: int) -> dict[str, float]:
    django.setup()
    from classify.learner import predict
    from classify.learner.cache import Mind
    from classify.learner.project_arrays import Faces, Words
    from classify.learning import Model, Prior
    from crawler.engines import KINDS
    from crawler.models import EngineVersion
    from crawler.registry.versions import describe_embedder
    from projects.models import Person, Project, Subject

    rng = np.random.default_rng(0)
    kind = KINDS["sface"]
    vectors = faces(number)
    started = time.perf_counter()
    prior = Prior.of(kind.metric, kind.prior)
    model = Model.of(prior, vectors, np.arange(number))
    found = time.perf_counter() - started
    del vectors
    every, none = np.arange(number), np.zeros(number, bool)
    known = Faces(
        keys=every,
        region_ids=every,
        photo_ids=every,
        picture_ids=every,
        trusted=~none,
        portrait=none,
        depicted=none,
        years=np.full((number, 2), np.nan),
        hashes=np.zeros((number, 16), np.uint8),
        hashed=none,
    )
    engine = EngineVersion(**asdict(describe_embedder(kind)))
    mind = Mind(0, engine, known, model, 0, np.full(number, -1, np.int64))
    project = Project()
    project.subject = Subject(project=project, person=Person())
    person = every < 20 * CLUSTER  # one who looks like twenty different people
    said = none.copy()

    def step(rows: Ints) -> Ints:
        """Answer these faces; the rows of the next screen."""
        said[rows] = True
        yes, no = said & person, said & ~person
        words = Words(yes, no, said, none, yes, said, none, people=int(yes.sum()), statements=0)
        mind.tell(project, words)
        thoughts = predict.Thoughts.of(mind, words, project)
        asks = list(predict.screens(mind, thoughts, thoughts.askable, people=1))
        return asks[0].rows if asks else rng.choice(np.flatnonzero(~said), 20, False)

    told = np.concatenate([rng.choice(20 * CLUSTER, 200, False), rng.integers(1000, number, 200)])
    started = time.perf_counter()
    rows = step(np.unique(told))
    whole = time.perf_counter() - started
    times = []
    for _ in range(SCREENS):
        started = time.perf_counter()
        rows = step(rows)
        times.append(time.perf_counter() - started)
    words = rng.choice(np.flatnonzero(~said), min(number // 5, MANY), False)
    started = time.perf_counter()
    model.tell(words, person[words])
    many = time.perf_counter() - started
    back = []
    for row in np.concatenate([words[: UNDONE // 2], rows[person[rows]][: UNDONE // 2]]):
        started = time.perf_counter()
        model.scorer.forget(np.array([row]))
        back.append(time.perf_counter() - started)
    return {
        "many_s": many,
        "undo_ms": 1000 * float(np.median(back)),
        "lookalikes_s": found,
        "rebuild_s": whole,
        "rescore_ms": 1000 * float(np.median(times)),
        "slowest_ms": 1000 * max(times),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    sizes = SIZES[:2] if os.environ.get("QUICK") else SIZES
    found: dict[int, dict[str, float]] = {}
    for size in sizes:
        with get_context("spawn").Pool(1) as alone:  # so that memory is of this size only
            found[size] = alone.apply(measure, (size,))
        each = found[size]
        print(
            f"{size:9,} faces: {each['rescore_ms']:.1f} ms from 20 answers to the next screen "
            f"(slowest {each['slowest_ms']:.1f}), all anew {each['rebuild_s']:.1f} s, "
            f"look-alikes once {each['lookalikes_s']:.1f} s, {each['rss_mb']:.0f} MB\n"
            f"{'':9}  {min(size // 5, MANY):,} answers in {each['many_s']:.1f} s; one of them "
            f"taken back in {each['undo_ms']:.1f} ms, "
            f"{1000 * each['many_s'] / each['undo_ms']:.0f} times quicker than all anew",
            flush=True,
        )
    last: dict[str, Any] = {"rescore_ms_100k": round(found[100_000]["rescore_ms"], 1)}
    if 1_000_000 in found:
        last["rescore_ms_1m"] = round(found[1_000_000]["rescore_ms"], 1)
        last["rss_mb_1m"] = round(found[1_000_000]["rss_mb"])
    print(json.dumps(last))


if __name__ == "__main__":
    main()
