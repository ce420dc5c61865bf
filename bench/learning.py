"""`make bench-learning`: how many human actions a correct tag costs, and how right the tags are.

The product's own learning code on simulated projects (bench/pools.py), beside the centroid rule.
A person answers: a single question is one action, so is a look at one match in a gallery, and a
grid is one action and one more for each mark that is wrong. Of those seen most often, a tap on one
face of the person is the action, and says nothing of the others; else "none of them" is. Every
tag is seen by a person.
ENCODINGS: the folder of the files; QUICK=1: one seed, and the hard files only.
The last line is JSON, of the hard SFace file from a portrait.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import pools
from bench.pools import Encodings, Pool
from classify import learning
from classify.learning import intervals as learning_intervals
from classify.learning.choose_screen import Kind
from classify.learning.distances import Ints, Mask
from classify.learning.intervals import Interval
from classify.learning.model import Model
from classify.learning.review import SecondLooks

QUICK = bool(os.environ.get("QUICK"))
SEEDS = 1 if QUICK else 4
LARGE_SEEDS = 2 * SEEDS  # there are few large projects
RATIOS = (5, 10, 20)
LEAST, MANY = 20, 50  # photos of a person to make a project for; of a larger one
CENTROID_RULE = {"euclidean": 0.6, "cosine": 0.363}  # each engine's usual threshold
AFTER = 5  # confirmed faces before there is a centroid
SINGLE_SLIP, GRID_SLIP = 0.01, 0.03
LEFT_SCREENS = 3  # screens drawn at random from what is left, to say how much is
SIZE = 20


class Person:
    """Who answers; one who errs takes the marks of a screen for right now and then."""

    def __init__(self, truth: Mask, rng: np.random.Generator, errs: bool = False) -> None:
        self.truth = truth
        self.rng = rng
        self.errs = errs
        self.actions = 0

    def single(self, row: int) -> bool:
        self.actions += 1
        slipped = self.errs and self.rng.random() < SINGLE_SLIP
        return bool(self.truth[row] ^ slipped)

    def screen(self, rows: Ints, marks: Mask) -> Mask:
        wrong = marks != self.truth[rows]
        missed = self.errs & (self.rng.random(len(rows)) < GRID_SLIP)
        corrected = wrong & ~missed
        self.actions += 1 + int(corrected.sum())
        said: Mask = marks ^ corrected
        return said

    def one_of(self, rows: Ints) -> tuple[Ints, Mask]:
        """Which of those seen most often a word is said of, and which: a tap on the first face of
        the person that is noticed, or No to all."""
        self.actions += 1
        missed = self.errs & (self.rng.random(len(rows)) < GRID_SLIP)
        noticed = rows[self.truth[rows] & ~missed]
        if len(noticed):
            return noticed[:1], np.array([True])
        return rows, np.zeros(len(rows), bool)


@dataclass
class Result:
    """One project. Shares are of its own faces."""

    actions: int
    tags: int  # faces said to be the person, the portrait not counted
    right: int
    recall: float  # of the person's faces in the project
    recall_end_to_end: float  # those that the detector misses counted as missed
    unreviewed: float | None = None  # of what a rule accepts, the share that is right before review
    extra: int = 0  # actions for second looks
    seconds: list[float] = field(default_factory=list)  # a step: from an answer to the next screen
    approved: Interval | None = None  # the share of right ones, as stated
    left: Interval | None = None  # the person's faces in what nobody looked at, as stated
    left_faces: int = 0
    true_left: int = 0
    # The same, had one stopped earlier: stated and true, after each screen.
    left_before: list[tuple[Interval, float]] = field(default_factory=list)
    curve: list[tuple[int, float]] = field(default_factory=list)  # actions, recall

    @property
    def per_tag(self) -> float:
        return self.actions / max(self.right, 1)

    @property
    def precision(self) -> float:
        """Of the tags; of the centroid rule, of what it accepts before anybody looks at it."""
        if self.unreviewed is not None:
            return self.unreviewed
        return self.right / self.tags if self.tags else 1.0


def ours(faces: Encodings, pool: Pool, person: Person, cold: bool = False) -> Result:
    model = Model.of(faces.prior, pool.vectors, pool.photos)
    known = np.zeros(len(model), bool)
    if not cold:
        known[pool.portrait] = True
        model.tell(np.array([pool.portrait]), np.array([True]))
    open_, seconds, curve, before = ~known, [], [], []
    aside = np.random.default_rng(len(model))  # must not change what the person does
    while True:
        started = time.perf_counter()
        ask = learning.choose(model, open_, SIZE)
        seconds.append(time.perf_counter() - started)
        if ask is None:
            break
        rows = ask.rows
        if ask.kind is Kind.ONE:
            yes = np.array([person.single(int(rows[0]))])
        elif ask.kind is Kind.COMMON:
            rows, yes = person.one_of(rows)
        else:
            yes = person.screen(rows, ask.marks)
        started = time.perf_counter()
        model.tell(rows, yes)
        seconds[-1] += time.perf_counter() - started
        curve.append((person.actions, recall(pool, model.scorer.yes)))
        interval, _, truth = sampled_left(model, pool, aside)
        before.append((interval, float(truth)))
    result = outcome(pool, person.actions, model.scorer.yes & ~known, known)
    result.seconds, result.curve, result.left_before = seconds, curve, before
    result.left, result.left_faces, result.true_left = sampled_left(model, pool, person.rng)
    if person.errs:
        return look_again(result, model, pool, person, known)
    return result


def sampled_left(model: Model, pool: Pool, rng: np.random.Generator) -> tuple[Interval, int, int]:
    """How many of the person's faces are left, as a random sample says; of how many; the truth.

    The screens of the sample are not among the actions counted.
    """
    left = np.flatnonzero(~model.answered)
    looked = rng.permutation(left)[: LEFT_SCREENS * SIZE]
    hits = int(pool.person[looked].sum())
    interval = learning_intervals.left_over(hits, len(looked), len(left))
    return interval, len(left) - len(looked), int(pool.person[left].sum()) - hits


def look_again(result: Result, model: Model, pool: Pool, person: Person, known: Mask) -> Result:
    """Second looks at what was approved, and third ones where the answers differ."""
    before = person.actions
    approved = model.scorer.yes & ~known
    looks = learning.second_looks(model, approved, person.rng, SIZE)
    finally_yes = approved.copy()
    for rows in looks.screens(SIZE):
        first = approved[rows]
        second = person.screen(rows, np.ones(len(rows), bool))
        for at in learning.third_looks(first, second).tolist():
            if rows[at] not in looks.traps:  # those are only there to see whether one looks
                finally_yes[rows[at]] = person.single(int(rows[at]))
    after = outcome(pool, result.actions, finally_yes, known)
    return replace(
        result,
        tags=after.tags,
        right=after.right,
        recall=after.recall,
        recall_end_to_end=after.recall_end_to_end,
        extra=person.actions - before,
        approved=stated(looks, finally_yes),
    )


def stated(looks: SecondLooks, finally_yes: Mask) -> Interval:
    wrong = int((~finally_yes[looks.sampled]).sum())
    certain = int(finally_yes[looks.unlikely].sum())
    approved = int(finally_yes.sum())
    return learning_intervals.precision(approved, certain, wrong, len(looks.sampled))


def centroid_rule(faces: Encodings, pool: Pool, person: Person, cold: bool = False) -> Result:
    """Random questions until five Yes, one mean, and a look at each face within the threshold."""
    metric = faces.prior.space.metric
    vectors = faces.prior.space.prepare(pool.vectors)
    known = np.zeros(len(vectors), bool)
    known[pool.portrait] = not cold
    yes, seen = known.copy(), known.copy()
    curve = []
    for row in person.rng.permutation(len(vectors)).tolist():
        if yes.sum() >= AFTER:
            break
        if not seen[row]:
            seen[row], yes[row] = True, person.single(row)
            curve.append((person.actions, recall(pool, yes)))
    accepted = None
    while yes.any():
        middle = learning.centroid(vectors[yes])
        if metric == "euclidean":
            near = learning.distances(vectors, middle) < CENTROID_RULE[metric]
        else:
            near = vectors @ middle / np.linalg.norm(middle) >= CENTROID_RULE[metric]
        matches = np.flatnonzero(near & ~seen)
        accepted = matches if accepted is None else accepted
        if not len(matches):
            break
        for row in matches.tolist():
            seen[row], yes[row] = True, person.single(row)
        curve.append((person.actions, recall(pool, yes)))
    result = outcome(pool, person.actions, yes & ~known, known)
    result.curve = curve
    if accepted is not None and len(accepted):
        result.unreviewed = float(pool.person[accepted].mean())
    return result


def outcome(pool: Pool, actions: int, tagged: Mask, known: Mask) -> Result:
    right = int((tagged & pool.person).sum())
    have = (tagged | known) & pool.person
    return Result(
        actions,
        int(tagged.sum()),
        right,
        recall(pool, have),
        float((have & pool.found).sum() / pool.person.sum()),
    )


def recall(pool: Pool, yes: Mask) -> float:
    return float((yes & pool.person).sum() / pool.person.sum())


# -- running and printing --------------------------------------------------------------------------

Way = Callable[[Encodings, Pool, Person, bool], Result]


def run(
    faces: Encodings,
    way: Way,
    *,
    cold: bool = False,
    errs: bool = False,
    least: int = LEAST,
    ratios: Sequence[int] = RATIOS,
    most: int | None = 100,
    seeds: int = SEEDS,
) -> list[Result]:
    found = []
    for seed in range(seeds):
        for identity in faces.people(least).tolist():
            for ratio in ratios:
                rng = np.random.default_rng([seed, identity, ratio])
                pool = pools.pool(faces, identity, ratio, rng, most)
                person = Person(pool.person, rng, errs)
                found.append(way(faces, pool, person, cold))
    return found


def mean(of: Sequence[float]) -> float:
    return float(np.mean(of)) if len(of) else float("nan")


def worst(of: Sequence[float], high: bool) -> float:
    """The mean of the worst tenth."""
    ordered = np.sort(np.asarray(of, float))
    count = max(1, len(ordered) // 10)
    return float((ordered[-count:] if high else ordered[:count]).mean())


def coverage(intervals: Sequence[tuple[Interval, float]]) -> float:
    return mean([float(interval.holds(truth)) for interval, truth in intervals])


def show(label: str, results: Sequence[Result]) -> None:
    per_tag = [each.per_tag for each in results]
    precision = [each.precision for each in results]
    recalls = [each.recall for each in results]
    ends = [each.recall_end_to_end for each in results]
    print(
        f"{label:38} {mean(per_tag):7.3f} {worst(per_tag, True):7.3f}  "
        f"{mean(precision):.4f} {worst(precision, False):.4f}  "
        f"{mean(recalls):.4f} {worst(recalls, False):.4f}  "
        f"{mean(ends):.4f} {worst(ends, False):.4f}",
        flush=True,
    )


def step(results: Sequence[Result]) -> str:
    times = np.array([second for each in results for second in each.seconds])
    return f"{1000 * times.mean():.1f} ms mean, {1000 * np.quantile(times, 0.95):.1f} ms in 95 %"


def left_intervals(results: Sequence[Result]) -> list[tuple[Interval, float]]:
    return [(each.left, each.true_left) for each in results if each.left and each.left_faces]


def approved_intervals(results: Sequence[Result]) -> list[tuple[Interval, float]]:
    return [(each.approved, each.precision) for each in results if each.approved]


@dataclass
class Report:
    """What one file came to."""

    portrait: list[Result]
    rule: list[Result]
    erring: list[Result]


def report(faces: Encodings) -> Report:
    print(f"\n{faces.name}: {len(faces.people(LEAST))} persons with {LEAST} photos or more")
    print(
        f"{'':38} {'actions a tag':>15}  {'precision':>13}  {'recall':>13}  {'with detector':>13}"
    )
    print(f"{'':38}" + "    mean   worst" + "    mean  worst " * 3)
    rule = run(faces, centroid_rule)
    show("centroid rule, portrait (unreviewed*)", rule)
    show("centroid rule, cold", run(faces, centroid_rule, cold=True, seeds=1))
    portrait = run(faces, ours)
    show("ours, portrait", portrait)
    show("ours, cold", run(faces, ours, cold=True))
    if len(faces.people(MANY)):
        for name, way in (("centroid rule", centroid_rule), ("ours", ours)):
            large = run(faces, way, least=MANY, ratios=(5,), most=None, seeds=LARGE_SEEDS)
            show(f"{name}, {MANY} photos or more", large)
    erring = run(faces, ours, errs=True)
    show("ours, a person who errs, looked again", erring)
    extra = [each.extra / max(each.right, 1) for each in erring]
    print(f"  second looks: {mean(extra):.3f} actions a tag extra")
    stated = approved_intervals(erring)
    width = mean([interval.width for interval, _ in stated])
    print(f"  stated precision: held {coverage(stated):.3f}, {width:.3f} wide")
    left = left_intervals(portrait + erring)
    share = mean(
        [
            each.left.width / each.left_faces
            for each in portrait + erring
            if each.left and each.left_faces
        ]
    )
    faces_wide = mean([interval.width for interval, _ in left])
    print(
        f"  stated number left: held {coverage(left):.3f}, {faces_wide:.0f} faces "
        f"({share:.3f} of them) wide, from {LEFT_SCREENS} screens drawn at random"
    )
    early = [each for result in portrait + erring for each in result.left_before]
    print(f"  the same, had one stopped after any screen before: held {coverage(early):.3f}")
    print(f"  a step: {step(portrait)}")
    return Report(portrait, rule, erring)


def summary(of: Report) -> dict[str, float]:
    per_tag = [each.per_tag for each in of.portrait]
    erring = of.erring
    ends = [each.recall_end_to_end for each in of.portrait]
    stated = approved_intervals(erring)
    left = left_intervals(of.portrait + erring)
    early = [each for result in of.portrait + erring for each in result.left_before]
    rule = mean([each.per_tag for each in of.rule])
    return {
        "actions_per_tag": round(mean(per_tag), 4),
        "actions_per_tag_worst_decile": round(worst(per_tag, True), 4),
        "precision": round(mean([each.precision for each in erring]), 4),
        "precision_worst": round(worst([each.precision for each in erring], False), 4),
        "recall": round(mean(ends), 4),
        "ratio_to_centroid_rule": round(rule / mean(per_tag), 1),
        "interval_coverage": round(min(map(coverage, (stated, left, early))), 4),
        "interval_width": round(mean([interval.width for interval, _ in stated]), 4),
    }


def main() -> None:
    started = time.time()
    reports: dict[str, Report] = {}
    for faces in pools.files():
        if not QUICK or faces.name.endswith("_hard"):
            reports[faces.name] = report(faces)
    print("\n* precision of the centroid rule: of what it accepts before anybody reviews it;")
    print("  with review every tag is right, in both ways, if the person never errs.")
    default = [name for name in reports if name.startswith("sface") and name.endswith("_hard")]
    chosen = default[0] if default else next(iter(reports))
    if out := os.environ.get("CURVES"):
        write_curves(Path(out), reports)
    print(f"{time.time() - started:.0f} s; below: {chosen}, from a portrait; precision with a")
    print("person who errs and looks again; interval_width of the stated precision")
    print(json.dumps(summary(reports[chosen])))


def write_curves(path: Path, reports: dict[str, Report]) -> None:
    """Mean recall after 0…150 actions, for docs/how-it-decides.md (python -m bench.curves)."""
    found = {
        name: {"ours": curve(each.portrait), "centroid rule": curve(each.rule)}
        for name, each in reports.items()
    }
    path.write_text(json.dumps(found))


def curve(results: Sequence[Result], most: int = 150) -> list[float]:
    lines: list[NDArray[np.float64]] = []
    for each in results:
        line = np.zeros(most + 1)
        for actions, reached in each.curve:
            line[min(actions, most + 1) :] = reached
        lines.append(line)
    return [round(float(value), 4) for value in np.mean(lines, axis=0)]


if __name__ == "__main__":
    main()
