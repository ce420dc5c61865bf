"""Makes the awkward files of the sandbox wiki: broken, huge, oddly coded, oddly named.

Run from the repository's root: `python sandbox/data/make_awkward.py`. It rewrites
`sandbox/data/awkward/` and `sandbox/data/awkward.csv`, which has the columns of `manifest.csv`.
The pictures come from `photos/`; face boxes are scaled with them.
"""

from __future__ import annotations

import csv
import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
PHOTOS, OUT = HERE / "photos", HERE / "awkward"
MANIFEST = {row["file"]: row for row in csv.DictReader((HERE / "manifest.csv").open())}
HUGE = (20000, 15000)

Row = dict[str, str]


def derived(name: str, title: str, source: str, scale: float, note: str) -> Row:
    """A manifest row for a copy of `source`, with its boxes scaled."""
    row = MANIFEST[source]
    faces: list[dict[str, Any]] = json.loads(row["faces"])
    for face in faces:
        face["box"] = [round(value * scale) for value in face["box"]]
    return {**row, "file": name, "title": title, "faces": json.dumps(faces),
            "note": f"made here from {source}: {note}"}  # fmt: skip


def made(name: str, title: str, qids: str, note: str) -> Row:
    """A manifest row for a file without a usable face."""
    return {"file": name, "title": title, "person_qids": qids, "faces": "[]",
            "author": "WikiVisage sandbox", "licence": "CC0-1.0", "source": "make_awkward.py",
            "note": f"made here: {note}"}  # fmt: skip


def scaled(source: str, width: int) -> tuple[Image.Image, float]:
    """The picture at that width (never larger) and the scale."""
    image = Image.open(PHOTOS / source)
    scale = min(1.0, width / image.width)
    return image.resize((round(image.width * scale), round(image.height * scale))), scale


def recoded() -> list[Row]:
    """Copies in other formats and colour modes, and copies with difficult titles."""
    rows = []
    image, scale = scaled("obama_2012_official_portrait.jpg", 700)
    image.convert("CMYK").save(OUT / "cmyk.jpg", quality=85)
    rows.append(derived("cmyk.jpg", "File:President Barack Obama (CMYK print scan).jpg",
                        "obama_2012_official_portrait.jpg", scale, "CMYK colours"))  # fmt: skip

    image, scale = scaled("nasa_armstrong.jpg", 400)
    sixteen = np.asarray(image.convert("L")).astype(np.uint16) * 257
    Image.fromarray(sixteen).save(OUT / "grey16.png")
    rows.append(derived("grey16.png", "File:Neil Armstrong pose (16-bit greyscale).png",
                        "nasa_armstrong.jpg", scale, "16 bits a pixel"))  # fmt: skip

    image, scale = scaled("curie_1920.jpg", 800)
    image.convert("RGB").save(OUT / "curie.webp", quality=80)
    rows.append(derived("curie.webp", "File:Marie Curie c. 1920s (WebP).webp",
                        "curie_1920.jpg", scale, "WebP"))  # fmt: skip

    image, scale = scaled("nasa_aldrin.jpg", 400)
    frames = [image.convert("L").point(lambda v, k=k: v * k // 4) for k in (4, 3, 2)]
    frames[0].save(OUT / "aldrin.gif", save_all=True, append_images=frames[1:], duration=500)
    rows.append(derived("aldrin.gif", "File:Buzz Aldrin fading.gif", "nasa_aldrin.jpg", scale,
                        "animated GIF of three frames"))  # fmt: skip

    for name, title, source, width in (
        ("question.jpg", "File:Who was Albert Einstein?.jpg", "einstein_1920_desk.jpg", 330),
        ("quotes.jpg", 'File:"Albert & Elsa" – 100% relativity, a couple\'s journey.jpg',
         "einstein_elsa_1921.jpg", 600),
        ("japanese.jpg", "File:アルベルト・アインシュタイン 1921年.jpg",
         "einstein_1921_schmutzer.jpg", 300),
        ("russian.jpg", "File:Мария Кюри, около 1920 года.jpg", "curie_portrait.jpg", 500),
        ("arabic.jpg", "File:ماري كوري 1903.jpg", "curie_1903_profile.jpg", 300),
    ):  # fmt: skip
        image, scale = scaled(source, width)
        image.convert("RGB").save(OUT / name, quality=70)
        rows.append(derived(name, title, source, scale, "smaller copy, difficult title"))
    return rows


def bare() -> Row:
    """A cut-out whose file page says nothing of it (`bare` in world.toml)."""
    source, (left, top), size = "solvay_1927.jpg", (1310, 1010), (280, 220)
    image = Image.open(PHOTOS / source).crop((left, top, left + size[0], top + size[1]))
    image.resize((size[0] * 2, size[1] * 2)).save(OUT / "bare.jpg", quality=80)
    row = derived("bare.jpg", "File:Dirac cutout.jpg", source, 1, "a cut-out without a template")
    [face] = [face for face in json.loads(row["faces"]) if face["qid"] == "Q47480"]
    x, y, width, height = face["box"]
    face["box"] = [2 * (x - left), 2 * (y - top), 2 * width, 2 * height]
    return {**row, "person_qids": "Q47480", "faces": json.dumps([face])}


def containers() -> list[Row]:
    """True TIFF and PNG files for the two titles that the photo set keeps as JPEG."""
    Image.open(PHOTOS / "ray_charles_nixon_1972.jpg").save(
        OUT / "ray_charles_nixon_1972.tif", compression="tiff_lzw"
    )
    with Image.open(PHOTOS / "neg_woodblock_three_men.jpg") as image:
        image.quantize(128).save(OUT / "neg_woodblock_three_men.png", optimize=True)
    return []  # their rows stand in manifest.csv


def broken() -> list[Row]:
    """Files that no thumbnailer can render."""
    whole = (PHOTOS / "obama_2009_congress_address.jpg").read_bytes()
    (OUT / "truncated.jpg").write_bytes(whole[: len(whole) // 3])
    (OUT / "not_an_image.jpg").write_bytes(
        b"\xff\xd8\xff\xe0 Dear Professor Einstein, this text only looks like a JPEG.\n" * 20
    )
    (OUT / "almost_empty.jpg").write_bytes(b"\n")
    (OUT / "huge.png").write_bytes(huge_png(*HUGE))
    return [
        {**derived("truncated.jpg", "File:Barack Obama at the lectern (interrupted upload).jpg",
                   "obama_2009_congress_address.jpg", 1, "its first third"), "faces": "[]"},
        made("not_an_image.jpg", "File:Letter to Albert Einstein.jpg", "", "text, named .jpg"),
        made("almost_empty.jpg", "File:Joe Biden, empty upload.jpg", "", "one byte"),
        made("huge.png", "File:Seating plan of the Solvay Conference (300 megapixels).png", "",
             "20000 x 15000 pixels in a few kilobytes"),
    ]  # fmt: skip


def huge_png(width: int, height: int) -> bytes:
    """An all-white PNG of one bit a pixel, written row by row (no 300-megapixel buffer)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body)
        )  # fmt: skip

    packer, row = zlib.compressobj(9), b"\0" + b"\xff" * (width // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def not_photos() -> list[Row]:
    """Drawings, documents, film and sound: in the file namespace, but no photographs."""
    (OUT / "formula.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360">\n'
        "<title>E = mc²</title>\n"
        '<rect width="640" height="360" fill="#fff"/>\n'
        '<text x="90" y="220" font-size="120" font-family="serif">E = mc²</text>\n</svg>\n'
    )
    page = Image.new("RGB", (420, 594), "white")
    ImageDraw.Draw(page).text((60, 80), "Pierre Curie, by Marie Curie (1923)", fill="black")
    then = time.gmtime(0)  # so that each run writes the same bytes
    page.save(OUT / "biography.pdf", creationDate=then, modDate=then)
    ebml = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"
    (OUT / "landing.webm").write_bytes(ebml)
    (OUT / "speech.ogg").write_bytes(b"OggS\0\x02" + b"\0" * 22 + b"\x01vorbis")
    return [
        made("formula.svg", "File:E=mc².svg", "", "SVG"),
        made("biography.pdf", "File:Pierre Curie, by Marie Curie (1923).pdf", "", "PDF, one page"),
        made("landing.webm", "File:Apollo 11 landing.webm", "", "the head of a WebM film"),
        made("speech.ogg", "File:Albert Einstein speech.ogg", "", "the head of an Ogg sound"),
    ]


def main() -> None:
    """Writes the files and their manifest."""
    OUT.mkdir(exist_ok=True)
    rows = [*recoded(), bare()] + containers() + broken() + not_photos()
    with (HERE / "awkward.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(next(iter(MANIFEST.values()))))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
