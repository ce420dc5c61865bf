"""A perceptual hash of a face: nearly the same for crops, re-uploads and other sizes of a photo."""

from __future__ import annotations

import dhash  # type: ignore[import-untyped]
import numpy as np
from PIL import Image

from crawler.engines.base import Box
from crawler.engines.base import Picture as Pixels

# Of the box on each side: with more, crops close to the face lose; with less, the detector's
# box, which moves a little with each copy, tells in too many bits.
AIR = 0.3
CELLS = 8  # a side; rows and columns make 128 bits


def face_hash(pixels: Pixels, box: Box) -> str:
    """32 hex digits (64 bits of rows, 64 of columns) of the face in a box of an upright picture.

    Measured on the 386 faces that YuNet finds in the sandbox's photos: of copies in other sizes,
    qualities and crops 94 % differ in at most 20 bits (97 % where the face is 32 px or higher);
    of 70,000 pairs of faces of different photos 0.01 % do, and 0.2 % differ in 30 or less.
    """
    height, width = pixels.shape[:2]
    x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    left, right = _span(x - AIR * w, x + (1 + AIR) * w, width)
    top, bottom = _span(y - AIR * h, y + (1 + AIR) * h, height)
    # Only the face is made grey, with the pixels that its edges lie in.
    first, above = int(left), int(top)
    part = pixels[above : int(np.ceil(bottom)), first : int(np.ceil(right))]
    grey = Image.fromarray(part).convert("L")
    edges = (left - first, top - above, right - first, bottom - above)
    small = grey.resize((CELLS + 1, CELLS + 1), Image.Resampling.BILINEAR, box=edges)
    rows, columns = dhash.dhash_row_col(np.asarray(small).ravel().tolist(), CELLS)
    hexed: str = dhash.format_hex(rows, columns, CELLS)
    return hexed


def _span(low: float, high: float, limit: int) -> tuple[float, float]:
    """Cut at the picture's edges; at least a pixel is left."""
    low = min(max(low, 0.0), limit - 1.0)
    return low, min(max(high, low + 1), float(limit))
