"""The commands of a page, as an operator copies them."""

from __future__ import annotations

from pathlib import Path


def get_blocks(page: Path, heading: str) -> list[str]:
    """Return the shell blocks between a heading and the next one."""
    blocks: list[str] = []
    block: list[str] | None = None
    is_below = False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            if block is not None:
                blocks += ["\n".join(block)] if is_below else []
                block = None
            elif line == "```sh":
                block = []
            else:  # of another language: skip it
                block, is_below = [], False
        elif block is not None:
            block.append(line)
        elif line.startswith("#"):
            is_below = line.lstrip("# ") == heading
    if not blocks:
        raise LookupError(f"{page.name} has no commands under {heading!r}")
    return blocks
