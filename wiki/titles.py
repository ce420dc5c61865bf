"""Titles of wiki pages in what people paste: addresses of any shape, and local namespace names."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings

LONGEST_ADDRESS = 2500  # characters: a title has 250 bytes, each of them three characters at most


class Namespace(StrEnum):
    """A namespace whose pages people paste."""

    FILE = "file"
    CATEGORY = "category"
    USER = "user"


# What the namespaces are called on the big wikis. A file or category keeps its name on Commons.
_NAMES = {
    Namespace.FILE: """
        file image datei bild fichier archivo imagen fil plik grafika bestand afbeelding ficheiro
        arquivo imagem immagine файл изображение зображення ファイル 画像 文件 档案 檔案 图像 圖像
        파일 그림 ملف صورة پرونده تصویر קובץ תמונה dosya resim soubor tiedosto kuva fájl kép fișier
        imagine berkas gambar αρχείο εικόνα चित्र slika датотека слика súbor obrázok fitxer imatge
        fitxategi irudi dosiero
    """,
    Namespace.CATEGORY: """
        category kategorie catégorie categoría kategori kategoria categorie categoria kategória
        kategorija категория категорія категорија カテゴリ 分类 分類 분류 تصنيف رده קטגוריה luokka
        κατηγορία श्रेणी kategorio
    """,
    Namespace.USER: """
        user benutzer benutzerin utilisateur utilisatrice usuario usuaria bruker användare bruger
        wikipedysta wikipedystka gebruiker usuário usuária utilizador utilizadora utente участник
        участница користувач користувачка 利用者 用户 用戶 使用者 사용자 مستخدم مستخدمة کاربر משתמש
        משתמשת kullanıcı uživatel uživatelka käyttäjä szerkesztő utilizator pengguna χρήστης
        usuari lankide uzanto
    """,
}
_CALLED = {name: space for space, names in _NAMES.items() for name in names.split()}
_PREFIX = re.compile(r":?\s*([^\W\d_]+)(?:[ _]talk)?\s*:\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?:)?//\S|[\w-]+(?:\.[\w-]+)+(?::\d+)?/\S*$", re.IGNORECASE)
# upload.wikimedia.org: …/a/ab/Foo.jpg, and …/thumb/a/ab/Foo.jpg/800px-Foo.jpg
_STORED = re.compile(r"/[0-9a-f]/[0-9a-f]{2}/(?:\d{14}!)?([^/]+)(?:/[^/]+)?$")
_VIEWED = re.compile(r"/media/(.+)")  # the photo that MediaViewer shows over a page
_MEDIA_INFO = re.compile(r"M([1-9]\d{0,14})")
_ENTITY = re.compile(r"(?:/entity/|Special:Entity(?:Page|Data)/)M([1-9]\d{0,14})(?:\.\w+)?$")
_PAGE_ID = re.compile(r"[1-9]\d{0,14}")
_LINK = re.compile(r"\[\[:?([^\[\]|]+)(?:\|[^\[\]]*)?\]\]")
_WRAPPED = re.compile(r"""["“”„](.+)["“”]|«(.+)»|'(.+)'""")
_WITHIN = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_PICTURE = re.compile(r"[^/]+\.(?:jpe?g|png|gif|svg|tiff?|webp|xcf)", re.IGNORECASE)
_SPECIAL = (
    (re.compile(r"Special:(?:FilePath|Redirect/file)/", re.IGNORECASE), "File:"),
    (re.compile(r"Special:(?:Contributions|ListFiles)/", re.IGNORECASE), "User:"),
)


def is_address(text: str) -> bool:
    """Return whether a text is the address of a page, with or without its scheme."""
    return bool(_ADDRESS.match(text))


def is_of_wikidata(address: str) -> bool:
    """Return whether an address leads to Wikidata, where a person's Q-ID may stand anywhere."""
    host = _host(address) if is_address(address) else ""
    return host == "wikidata.org" or host.endswith(".wikidata.org")


def is_of_wikipedia(address: str) -> bool:
    """Return whether an address leads to a Wikipedia, where a page without a namespace is an
    article."""
    return is_address(address) and _host(address).endswith(".wikipedia.org")


def unwrap(text: str) -> str:
    """Return the name or address in what somebody pasted, without the brackets of a link or the
    quotes around it, and without the words around an address."""
    text = " ".join(text.split())
    if link := _LINK.fullmatch(text):
        return link[1].strip()
    if wrapped := _WRAPPED.fullmatch(text):
        return str(next(filter(None, wrapped.groups()))).strip()
    within = None if is_address(text) else _WITHIN.search(text)
    return within[0] if within else text


def is_picture(text: str) -> bool:
    """Return whether a text ends as the title of a picture does."""
    return bool(_PICTURE.fullmatch(text))


def page_id_in(text: str) -> int | None:
    """Return the page id on Commons that a text gives instead of a title: “M123” or its address,
    or an address with `curid=123`; None for other texts."""
    if not is_address(text):
        given = _MEDIA_INFO.fullmatch(text)
        return int(given[1]) if given else None
    parts = _split(text)
    query = parse_qs(parts.query)
    if entity := _ENTITY.search(unquote(parts.path)) or _ENTITY.search(_page_of(parts)):
        return int(entity[1])
    curid = (query.get("curid") or [""])[0]
    of_commons = _host(text) == urlsplit(settings.WIKI.commons_api).hostname
    return int(curid) if of_commons and _PAGE_ID.fullmatch(curid) else None


def split_namespace(title: str) -> tuple[Namespace | None, str]:
    """Return the namespace of a title, in any big language, and the name after it; an English talk
    page stands for its page. The namespace is None for other titles, which stay whole."""
    found = _PREFIX.match(title)
    space = _CALLED.get(found[1].lower()) if found else None
    return (space, title[found.end() :]) if found and space else (None, title)


def title_of(address: str, *, of_category: bool) -> str:
    """Return the title of the page that an address leads to; "" where it tells none.

    Where a photo is open over a page, the photo is meant, unless a title `of_category` is wanted
    and the page is one.
    """
    parts = _split(address)
    title = _page_of(parts)
    viewed = _VIEWED.match(unquote(parts.fragment))
    if viewed and not (of_category and split_namespace(title)[0] == Namespace.CATEGORY):
        title = viewed[1]
    title = " ".join(title.replace("_", " ").split())
    for special, prefix in _SPECIAL:
        title = special.sub(prefix, title)
    return title


def _host(address: str) -> str:
    """Return the host of an address; the one for phones is the same wiki."""
    return (_split(address).hostname or "").replace(".m.", ".")


def _split(address: str) -> SplitResult:
    with_host = address if "//" in address.partition("?")[0] else f"//{address}"
    try:
        return urlsplit(with_host)
    except ValueError:  # such as an unclosed bracket in the host
        return urlsplit("")


def _page_of(parts: SplitResult) -> str:
    query, path = parse_qs(parts.query), unquote(parts.path)
    if named := query.get("title"):
        return named[0]
    if "Special:ListFiles" in path and (user := query.get("user")):
        return f"User:{user[0]}"
    if stored := _STORED.search(path):
        return f"File:{stored[1]}"
    return path.partition("/wiki/")[2]
