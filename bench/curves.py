"""`python -m bench.curves FILE`: draw docs/learning-curves.svg.

FILE is what `CURVES=FILE make bench-learning` wrote: the mean recall of the simulated projects
after so many actions, of ours and of the centroid rule.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "docs" / "learning-curves.svg"
WIDTH, HEIGHT = 340, 220  # of a panel
LEFT, TOP, RIGHT, BOTTOM = 46, 34, 12, 40
ACTIONS = 100
COLOURS = {"ours": "#3366cc", "centroid rule": "#b32424"}
DASHES = {"ours": "none", "centroid rule": "5 4"}
TITLES = {"sface_a_hard": "SFace, hard", "dlib_a_hard": "dlib, hard"}


def main() -> None:
    found: dict[str, dict[str, list[float]]] = json.loads(Path(sys.argv[1]).read_text())
    shown = {name: lines for name, lines in found.items() if name.endswith("_hard")}
    panels = [
        panel(TITLES.get(name, name), lines, at * WIDTH)
        for at, (name, lines) in enumerate(sorted(shown.items(), reverse=True))
    ]
    whole = WIDTH * len(panels)
    OUT.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="#202122">\n'
        f"<title>Share of the person’s faces found after so many actions</title>\n"
        f'<rect width="{whole}" height="{HEIGHT}" fill="#fff"/>\n'
        + "\n".join(panels)
        + "\n</svg>\n"
    )
    print(OUT)


def panel(title: str, lines: dict[str, list[float]], offset: int) -> str:
    parts = [f'<g transform="translate({offset} 0)">']
    parts.append(f'<text x="{LEFT}" y="20" font-size="13" font-weight="bold">{title}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" '
            f'stroke="#eaecf0"/><text x="{LEFT - 6}" y="{y(share) + 4:.1f}" '
            f'text-anchor="end">{share:.0%}</text>'
        )
    for actions in range(0, ACTIONS + 1, 20):
        parts.append(
            f'<text x="{x(actions):.1f}" y="{HEIGHT - BOTTOM + 16}" '
            f'text-anchor="middle">{actions}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        "actions of a person</text>"
    )
    for at, (name, values) in enumerate(lines.items()):
        points = " ".join(
            f"{x(actions):.1f},{y(value):.1f}"
            for actions, value in enumerate(values[: ACTIONS + 1])
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" '
            f'stroke-width="2" stroke-dasharray="{DASHES[name]}"/>'
        )
        row = y(0.25) + 18 * at
        parts.append(
            f'<line x1="{x(55):.1f}" x2="{x(66):.1f}" y1="{row:.1f}" y2="{row:.1f}" '
            f'stroke="{COLOURS[name]}" stroke-width="2" stroke-dasharray="{DASHES[name]}"/>'
            f'<text x="{x(68):.1f}" y="{row + 4:.1f}">{name}</text>'
        )
    return "\n".join([*parts, "</g>"])


def x(actions: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * actions / ACTIONS


def y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


if __name__ == "__main__":
    main()
