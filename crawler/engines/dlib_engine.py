"""dlib's HOG detector and its 128-D ResNet, through `face_recognition`.

`face_recognition.face_locations` hides the detector's scores, and `face_encodings` looks for
landmarks a second time, so the same objects are called here directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageFile

from crawler.engines.base import (
    Box,
    Detector,
    EngineUnavailable,
    Face,
    Landmarks,
    Licences,
    Picture,
    check_digest,
)
from crawler.engines.boxes import overlap

RESNET = "dlib_face_recognition_resnet_model_v1.dat"
FIVE_POINTS = "shape_predictor_5_face_landmarks.dat"
# A drawn box is scaled to this side before the detector looks for the face in it: HOG's window
# is 80 px, and at twice that it finds a face whatever air a person left round it.
DRAWN_PX = 160
SMALL_SIDE = 500  # px: half of the thumbnail step that pictures are looked at in
DRAWN_LONGEST = 640  # its other side then; a sliver drawn by mistake must not fill the memory


class DlibEngine:
    """Loads its weights when made: about 1 s and 60 MB. One face costs some 100 ms."""

    key = "dlib"
    label = "HOG + dlib’s ResNet"
    name = "dlib-resnet-v1"
    version = "1"
    detector = Detector(
        name="dlib-hog-v1",
        licences=Licences(code="BSL-1.0", weights="CC0-1.0"),
        weights={FIVE_POINTS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"},
    )
    dimension = 128
    metric = "euclidean"
    match = 0.6
    licences = Licences(code="BSL-1.0, MIT", weights="CC0-1.0")
    weights: ClassVar[Mapping[str, str]] = {
        RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    }
    prior: ClassVar[Mapping[str, float]] = {
        "constant": -11.4,
        "nearest": 4.2,
        "mean": 22.0,
        "rejected": -13.4,
        "passed_on": 14.4,
        "same": 0.5,
        "crowd": 0.2,
        "nobody": 0.45,
    }
    aligns_by: ClassVar[tuple[str, ...]] = (detector.name,)

    def __init__(self) -> None:
        api = _face_recognition({**self.weights, **self.detector.weights})
        self._detect = api.face_detector
        self._landmarks = api.pose_predictor_5_point
        self._encode = api.face_encoder
        self._dlib = api.dlib

    def look(self, picture: Picture, *, upsample: int = 1) -> list[Face]:
        return [
            self._face(picture, rectangle, score)
            for rectangle, score in self._searched(picture, upsample)
        ]

    def embed(self, picture: Picture, box: Box, landmarks: Landmarks | None = None) -> Face:
        """The box stays as drawn, whatever alignment is found inside it."""
        shape = (
            self._shape(picture, box, landmarks)
            if landmarks
            else self._landmarks(picture, self._aligned(picture, box))
        )
        return self._described(picture, shape, box, None)

    def _searched(self, picture: Picture, upsample: int) -> list[tuple[Any, float]]:
        """What is found, and in a small picture what is found at twice that size as well.

        HOG's window is 80 px; another doubling finds faces of 25 px, but may lose a large one.
        On the sandbox's photos both looks together find 146 instead of 129 of 187 boxed faces,
        with no more false ones, in 1.3 times the time (bench/detection.py).
        """
        found = list(self._found(picture, upsample))
        if max(picture.shape[:2]) <= SMALL_SIDE:
            known = [_sides(rectangle) for rectangle, _ in found]
            found += [
                (rectangle, score)
                for rectangle, score in self._found(picture, upsample + 1)
                if all(overlap(_sides(rectangle), sides) < 0.3 for sides in known)
            ]
        return sorted(found, key=lambda pair: -pair[1])

    def _found(self, picture: Picture, upsample: int) -> Iterator[tuple[Any, float]]:
        """Rectangles with scores, surest first (dlib sorts them so)."""
        rectangles, scores, _ = self._detect.run(picture, upsample, 0.0)
        yield from zip(rectangles, scores, strict=True)

    def _face(self, picture: Picture, rectangle: Any, score: float | None) -> Face:
        height, width = picture.shape[:2]
        shape = self._landmarks(picture, rectangle)
        return self._described(picture, shape, _unit_box(rectangle, width, height), score)

    def _described(self, picture: Picture, shape: Any, box: Box, score: float | None) -> Face:
        height, width = picture.shape[:2]
        vector = self._encode.compute_face_descriptor(picture, shape)
        return Face(
            box=box,
            score=score,
            landmarks=tuple((point.x / width, point.y / height) for point in shape.parts()),
            embedding=np.asarray(vector, dtype=np.float32),
            height_px=max(1, round(box[3] * height)),
        )

    def _aligned(self, picture: Picture, box: Box) -> Any:
        """The rectangle that the detector would give for the face in a drawn box.

        People draw round the head, the detector round the features, and the network was trained
        on the latter. Where it finds nothing, the square in the middle of the box has to do.
        """
        height, width = picture.shape[:2]
        left, top = box[0] * width, box[1] * height
        w, h = max(box[2] * width, 1.0), max(box[3] * height, 1.0)
        window = (
            max(0, int(left - w / 2)),
            max(0, int(top - h / 2)),
            min(width, int(left + 1.5 * w) + 1),
            min(height, int(top + 1.5 * h) + 1),
        )
        scale = drawn_scale(w, h)
        patch = _resized(picture, window, scale)
        for rectangle, _ in self._found(patch, 0):
            x, y = window[0] + rectangle.left() / scale, window[1] + rectangle.top() / scale
            side = rectangle.width() / scale
            if overlap((x, y, side, side), (left, top, w, h)) >= 0.3:
                return self._square(x, y, side)
        side = min(w, h)
        return self._square(left + (w - side) / 2, top + (h - side) / 2, side)

    def _square(self, x: float, y: float, side: float) -> Any:
        return self._dlib.rectangle(round(x), round(y), round(x + side), round(y + side))

    def _shape(self, picture: Picture, box: Box, landmarks: Landmarks) -> Any:
        """Return the landmarks as dlib's own type; alignment reads the points alone."""
        height, width = picture.shape[:2]
        x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        rectangle = self._dlib.rectangle(round(x), round(y), round(x + w), round(y + h))
        points = [self._dlib.point(round(px * width), round(py * height)) for px, py in landmarks]
        return self._dlib.full_object_detection(rectangle, points)


@cache
def load() -> DlibEngine:
    """The engine of this process. Raises EngineUnavailable and WrongWeights."""
    return DlibEngine()


def _face_recognition(weights: Mapping[str, str]) -> Any:
    """The module `face_recognition.api`, with checked weights. Slow, so only in a worker's child.

    On import it reads the 68-point model, which is large, not free for every use and not needed:
    it is given the 5-point one twice. It calls `quit()` where its models are missing.
    """
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        import face_recognition_models as models  # type: ignore[import-untyped]

        folder = Path(models.face_recognition_model_location()).parent
        for file, digest in weights.items():
            check_digest(folder / file, digest)
        models.pose_predictor_model_location = models.pose_predictor_five_point_model_location
        from face_recognition import api
    except (ImportError, SystemExit) as error:
        raise EngineUnavailable("dlib, face_recognition or its models don't load") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient  # its import turns it on for all of Pillow
    return api


def _sides(rectangle: Any) -> Box:
    return rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height()


def _unit_box(rectangle: Any, width: int, height: int) -> Box:
    """A rectangle in pixels, cut at the picture's edges, as left, top, width, height 0-1."""
    left, top = max(rectangle.left(), 0), max(rectangle.top(), 0)
    right, bottom = min(rectangle.right() + 1, width), min(rectangle.bottom() + 1, height)
    return (left / width, top / height, (right - left) / width, (bottom - top) / height)


def drawn_scale(w: float, h: float) -> float:
    """How much a drawn box of so many pixels is enlarged (or shrunk) to look for its face."""
    return min(DRAWN_PX / min(w, h), DRAWN_LONGEST / max(w, h))


def _resized(picture: Picture, window: tuple[int, int, int, int], scale: float) -> Picture:
    left, top, right, bottom = window
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    patch = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, box=window)
    return np.asarray(patch)
