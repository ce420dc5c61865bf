"""`make smoke`: the whole path without a browser, on fresh data, for several persons.

Screens of faces, answered from the photos' ground truth, until nothing more is worth asking;
then the second looks; then Send: a first batch of ten edits, a look at them, and the rest. An
action is a screen that is confirmed, or a mark that is put right. The last line is JSON. Exit
code 1 when a wrong statement was sent, or none.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from bench import truth
from bench.system import System
from bench.volunteer import Looked, Volunteer, wait

PERSONS = {
    "Q937": "Albert Einstein",
    "Q76": "Barack Obama",
    "Q7186": "Marie Curie",
    "Q6279": "Joe Biden",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", default=",".join(PERSONS), help="Q-ids with commas")
    chosen = parser.parse_args().persons.split(",")
    photos = truth.photos()
    with System(environment={"EDITS_A_MINUTE": "6000"}) as system:
        before = depicted(system.wiki)
        began = time.monotonic()
        volunteer = Volunteer(system.url, "Ingrid S.", photos)
        volunteer.log_in()
        results = [run(volunteer, qid) for qid in chosen]
        seconds = time.monotonic() - began
        after = depicted(system.wiki)
    report = figures(results, before, after, set(chosen), seconds)
    print(json.dumps(report))
    return 0 if report["claims_sent"] and report["right"] == report["claims_sent"] else 1


def run(volunteer: Volunteer, qid: str) -> dict[str, Any]:
    """One person from the new project to the sent batch."""
    project = volunteer.create(qid, PERSONS[qid])
    created = time.monotonic()
    wait(lambda: volunteer.question(project), 60, "the first question")
    first = time.monotonic() - created
    wait(lambda: at_rest(volunteer, project), 300, "the end of looking and learning")
    asked: list[Looked] = []
    again: list[Looked] = []
    while new := answered(volunteer, project, "grid", qid):
        asked += new
        again += answered(volunteer, project, "again", qid)
    status = volunteer.json(f"{project}/status.json")
    left = sum(right + wrong for right, wrong in volunteer.review(project, qid))
    sent = volunteer.send(project)
    result = {
        "photos": status["photos"],
        "faces": status["faces"],
        "screens": len(asked),
        "actions": sum(each.actions for each in asked),
        "second_looks": sum(each.actions for each in again),
        "marked": sum(each.right + each.wrong for each in asked),
        "marked_wrong": sum(each.wrong for each in asked),
        "to_review": left,
        "claims_sent": sent,
        "left_out": volunteer.left_out(project),
        "seconds_to_first_question": round(first, 1),
    }
    print(f"{PERSONS[qid]}: {result}", flush=True)
    return result


def answered(volunteer: Volunteer, project: str, page: str, qid: str) -> list[Looked]:
    """The screens of a page, each answered after the worker has learned from the one before."""
    found = []
    for screen in volunteer.screens(f"{project}/{page}", qid):
        found.append(screen)
        wait(lambda: at_rest(volunteer, project), 60, "the end of learning")
    return found


def at_rest(volunteer: Volunteer, project: str) -> bool:
    status = volunteer.json(f"{project}/status.json")
    return not (status["crawling"] or status["detecting"] or status["learning"])


def depicted(wiki: str) -> set[tuple[str, str]]:
    """(photo, Q-id) of every depicts statement that stands on the sandbox wiki now."""
    names = list(truth.photos())
    with ThreadPoolExecutor(4) as pool:
        chunks = [names[at : at + 50] for at in range(0, len(names), 50)]
        return {
            pair
            for found in pool.map(lambda chunk: _depicted(wiki, chunk), chunks)
            for pair in found
        }


def _depicted(wiki: str, names: list[str]) -> set[tuple[str, str]]:
    api = f"{wiki}/commons/w/api.php"
    common = {"format": "json", "formatversion": "2"}
    titles = "|".join(f"File:{name}" for name in names)
    query = common | {"action": "query", "titles": titles, "redirects": "1"}
    pages = requests.get(api, params=query, timeout=30).json()["query"]["pages"]
    by_mid = {
        f"M{page['pageid']}": page["title"].removeprefix("File:")
        for page in pages
        if "pageid" in page
    }
    query = common | {"action": "wbgetentities", "ids": "|".join(by_mid)}
    entities = requests.get(api, params=query, timeout=30).json()["entities"]
    return {
        (by_mid[mid], claim["mainsnak"]["datavalue"]["value"]["id"])
        for mid, entity in entities.items()
        for claim in dict(entity.get("statements") or {}).get("P180", [])
        if claim["mainsnak"]["snaktype"] == "value"
    }


def figures(
    results: list[dict[str, Any]],
    before: set[tuple[str, str]],
    after: set[tuple[str, str]],
    qids: set[str],
    seconds: float,
) -> dict[str, Any]:
    true = {(photo.name, qid) for photo in truth.photos().values() for qid in photo.persons}
    new = {pair for pair in after - before if pair[1] in qids}
    faces = {pair for pair in truth.pairs(with_face=True) if pair[1] in qids}
    for name, qid in sorted(faces - after):
        print(f"missed: {qid} in {name}")
    for name, qid in sorted(new - true):
        print(f"WRONG: {qid} in {name}")
    summed = [key for key in results[0] if key != "seconds_to_first_question"]
    report: dict[str, Any] = {key: sum(result[key] for result in results) for key in summed}
    return report | {
        "right": len(new & true),
        "actions_per_tag": round(report["actions"] / max(1, len(new & true)), 3),
        "missed": len(faces - after),
        "seconds_to_first_question": max(r["seconds_to_first_question"] for r in results),
        "seconds_total": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
