"""meta= modules: userinfo, tokens, siteinfo, allmessages, wikibase."""

from __future__ import annotations

from typing import Any

from sandbox.api import access
from sandbox.api.answer import Content
from sandbox.api.call import Call, Json, Params
from sandbox.records import NAMESPACES, now

_EXTENSIONS = (
    "tiff", "tif", "png", "gif", "jpg", "jpeg", "webp", "xcf", "mid", "ogg", "ogv", "svg", "djvu",
    "oga", "flac", "opus", "wav", "webm", "mp3", "midi", "mpg", "mpeg", "pdf", "stl",
)  # fmt: skip
TOKENS = ("csrf", "watch", "rollback", "patrol", "login", "createaccount", "userrights")
_OTHER_LIMITS = {
    "move": (8, 60), "rollback": (10, 60), "sendemail": (20, 86400), "changeemail": (4, 86400),
    "confirmemail": (4, 86400), "purge": (30, 60), "linkpurge": (30, 60), "renderfile": (700, 30),
    "renderfile-nonstandard": (70, 30), "editcontentmodel": (8, 60),
}  # fmt: skip
_SITE_NAMES = {"commons": "Wikimedia Commons", "wikidata": "Wikidata"}


def userinfo(params: Params) -> Json:
    """Who asks."""
    call = params.call
    prop = params.options(
        "prop", ("blockinfo", "hasmsg", "groups", "groupmemberships", "implicitgroups", "rights",
                 "changeablegroups", "options", "editcount", "ratelimits", "theoreticalratelimits",
                 "email", "realname", "acceptlang", "registrationdate", "unreadcount", "centralids",
                 "latestcontrib", "cancreateaccount"),
    )  # fmt: skip
    params.known("attachedwiki")
    user = call.user
    info: Json = {"id": user.id if user else 0, "name": call.user_name}
    if user is None:
        info["anon"] = True
    block = access.FAULT_BLOCK if call.fault_active("blocked") else user and user.blocked
    if "blockinfo" in prop and block:
        info.update(access.block_info(block))
    if "hasmsg" in prop:
        info["messages"] = False
    if "groups" in prop:
        info["groups"] = access.groups_of(user)
    if "rights" in prop:
        info["rights"] = access.rights_of(call.world, user, call.bearer)
    if "options" in prop:
        info["options"] = {"language": "en"}
    if "editcount" in prop and user:
        info["editcount"] = user.editcount
    for name in ("ratelimits", "theoreticalratelimits"):
        if name in prop:
            info[name] = _rate_limits(call)
    if "registrationdate" in prop and user:
        info["registrationdate"] = user.registered
    if "centralids" in prop:
        info["centralids"] = {"local": info["id"]}
        info["attachedlocal"] = {"local": True}
    return {"userinfo": info}


def _rate_limits(call: Call) -> Json:
    limit = access.edit_limit(call)
    if limit is None:
        return {}
    kind = "user" if call.user else "ip"
    all_limits = {"edit": limit, **_OTHER_LIMITS, "wikibase-idgenerator": limit}
    return {
        name: {kind: {"hits": hits, "seconds": seconds}}
        for name, (hits, seconds) in all_limits.items()
    }


def tokens(params: Params) -> Json:
    """Tokens of the kinds asked for."""
    asked = params.options("type", TOKENS, "csrf")
    return {"tokens": {f"{kind}token": access.token_for(params.call, kind) for kind in asked}}


def wikibase(params: Params) -> Json:
    """Where the items live."""
    params.known("prop")
    call = params.call
    base = f"{call.world.base_url}/wikidata"
    repo = {"url": {"base": base, "scriptpath": "/w", "articlepath": "/wiki/$1"}}
    return {"wikibase": {"repo": repo, "siteid": f"{call.wiki}wiki"}}


def allmessages(params: Params) -> Json:
    """The interface messages that pywikibot reads; others are missing."""
    known = {"hidden-category-category": "Hidden categories", "and": " and",
             "comma-separator": ", ", "word-separator": " ", "parentheses": "($1)"}  # fmt: skip
    params.known("lang", "prop", "enableparser", "nocontent", "includelocal", "args", "filter")
    found: list[Json] = []
    for name in params.values("messages"):
        item: Json = Content(name=name, normalizedname=name)
        if name in known:
            item["content"] = known[name]
        else:
            item["missing"] = True
        found.append(item)
    return {"allmessages": found}


def siteinfo(params: Params) -> Json:
    """What the wiki is."""
    asked = params.options("prop", (*_SECTIONS, *_EMPTY_SECTIONS), "general")
    params.known("showalldb", "numberingroup", "inlanguagecode", "filteriw")
    found: Json = {}
    for name in asked:
        found[name] = _SECTIONS[name](params.call) if name in _SECTIONS else []
    return found


def _general(call: Call) -> Json:
    read_only = call.fault_active("readonly")
    host = call.world.base_url.split("//", 1)[-1]
    general: Json = {
        "mainpage": "Main Page", "base": f"{call.base}/wiki/Main_Page",
        "sitename": _SITE_NAMES[call.wiki], "mainpageisdomainroot": False,
        "logo": f"{call.world.base_url}/_sandbox/static/icon.svg",
        "generator": "MediaWiki 1.43.9", "phpversion": "8.4.28", "phpsapi": "sandbox",
        "dbtype": "sqlite", "dbversion": "3", "imagewhitelistenabled": False,
        "langconversion": True, "linkconversion": True, "titleconversion": True,
        "linkprefixcharset": "", "linkprefix": "", "linktrail": "/^([a-z]+)(.*)$/sD",
        "legaltitlechars": " %!\"$&'()*,\\-.\\/0-9:;=?@A-Z\\\\^_`a-z~\\x80-\\xFF+",
        "invalidusernamechars": "@:>=", "allunicodefixes": False, "fixarabicunicode": True,
        "fixmalayalamunicode": True, "case": "first-letter", "lang": "en", "fallback": [],
        "rtl": False, "fallback8bitEncoding": "windows-1252", "readonly": read_only,
    }  # fmt: skip
    if read_only:
        general["readonlyreason"] = access.READ_ONLY
    general.update({
        "writeapi": True, "maxarticlesize": 2097152, "timezone": "UTC", "timeoffset": 0,
        "articlepath": f"/{call.wiki}/wiki/$1", "scriptpath": f"/{call.wiki}/w",
        "script": f"/{call.wiki}/w/index.php", "variantarticlepath": False,
        "server": call.world.base_url, "servername": host, "wikiid": call.wiki, "time": now(),
        "misermode": False, "uploadsenabled": True, "maxuploadsize": 104857600,
        "minuploadchunksize": 1024,
        "galleryoptions": {"imagesPerRow": 0, "imageWidth": 120, "imageHeight": 120,
                           "captionLength": True, "showBytes": True, "showDimensions": True,
                           "mode": "traditional"},
        "thumblimits": {str(i): width for i, width in enumerate((120, 150, 180, 200, 250, 300))},
        "imagelimits": {str(i): {"width": w, "height": h} for i, (w, h) in enumerate(
            ((320, 240), (640, 480), (800, 600), (1024, 768), (1280, 1024), (2560, 2048)))},
        "favicon": f"{call.world.base_url}/_sandbox/static/icon.svg",
        "centralidlookupprovider": "local", "allcentralidlookupproviders": ["local"],
        "interwikimagic": True, "magiclinks": {"ISBN": False, "PMID": False, "RFC": False},
        "categorycollation": "uppercase", "nofollowlinks": True, "nofollownsexceptions": [],
        "nofollowdomainexceptions": ["mediawiki.org"], "externallinktarget": False,
        "wikibase-conceptbaseuri": "http://www.wikidata.org/entity/",
    })  # fmt: skip
    return general


def _namespaces(call: Call) -> Json:
    found: Json = {
        "-2": _namespace(-2, "Media"), "-1": _namespace(-1, "Special"),
    }  # fmt: skip
    for number, name in NAMESPACES[call.wiki].items():
        found[str(number)] = _namespace(number, name)
    return found


def _namespace(number: int, name: str) -> Json:
    canonical = "Project" + name.removeprefix("Commons").removeprefix("Wikidata")
    space: Json = {
        "id": number,
        "case": "first-letter",
        "name": name,
        "subpages": number not in (-2, -1, 6, 8, 14),
        "canonical": canonical if number in (4, 5) else name,
        "content": number == 0,
        "nonincludable": False,
    }
    if number == 8:
        space["namespaceprotection"] = "editinterface"
    if number == 0:
        del space["canonical"]
    return space


def _statistics(call: Call) -> Json:
    count = call.world.store.value
    return {
        "pages": count("SELECT count(*) FROM page WHERE wiki = ? AND deleted = 0", (call.wiki,)),
        "articles": 0,
        "edits": count("SELECT count(*) FROM revision WHERE wiki = ?", (call.wiki,)),
        "images": count(
            "SELECT count(*) FROM page WHERE wiki = ? AND ns = 6 AND deleted = 0", (call.wiki,)
        ),
        "users": count("SELECT count(*) FROM user"),
        "activeusers": 1,
        "admins": 1,
        "jobs": 0,
    }


def _usergroups(_: Call) -> list[Json]:
    return [{"name": name, "rights": rights} for name, rights in access.GROUP_RIGHTS.items()]


def _dbrepllag(_: Call) -> list[Json]:
    return [{"host": "", "lag": 0}]


def _extensions(_: Call) -> list[Json]:
    names = ("WikibaseClient", "WikibaseMediaInfo", "CommonsMetadata", "OAuth", "PagedTiffHandler")
    return [
        {
            "type": "other", "name": name, "namemsg": f"{name.lower()}-name",
            "descriptionmsg": f"{name.lower()}-desc", "author": "Wikimedia",
            "url": f"https://www.mediawiki.org/wiki/Extension:{name}", "version": "1.43",
            "license-name": "GPL-2.0-or-later", "license": f"/wiki/Special:Version/License/{name}",
        }
        for name in names
    ]  # fmt: skip


def _rights(_: Call) -> Json:
    return {"url": "https://creativecommons.org/licenses/by-sa/4.0/", "text": "CC BY-SA 4.0"}


def _aliases(call: Call) -> list[Json]:
    return [{"id": 6, "alias": "Image"}, {"id": 7, "alias": "Image talk"}]


def _file_extensions(_: Call) -> list[Json]:
    return [{"ext": ext} for ext in _EXTENSIONS]


def _temporary(_: Call) -> Json:
    return {"enabled": False}


def _dialog(_: Call) -> Json:
    empty = dict.fromkeys(("filepage", "description", "ownwork", "license", "uncategorized"), "")
    return {
        "fields": {"description": True, "date": False, "categories": False},
        "licensemessages": {"local": "generic-local", "foreign": "generic-foreign"},
        "comment": {"local": "", "foreign": ""},
        "format": empty,
    }


def _languages(_: Call) -> list[Any]:
    return [Content(code=code, bcp47=code, name=code, content=code) for code in ("en", "de", "fr")]


def _namespaces_or_magic(_: Call) -> list[Any]:
    return [{"name": "redirect", "aliases": ["#REDIRECT"], "case-sensitive": False}]


_SECTIONS: dict[str, Any] = {
    "general": _general, "namespaces": _namespaces, "namespacealiases": _aliases,
    "statistics": _statistics, "usergroups": _usergroups, "dbrepllag": _dbrepllag,
    "extensions": _extensions, "rightsinfo": _rights, "fileextensions": _file_extensions,
    "autocreatetempuser": _temporary, "uploaddialog": _dialog, "languages": _languages,
    "magicwords": _namespaces_or_magic,
}  # fmt: skip
_EMPTY_SECTIONS = (
    "interwikimap", "specialpagealiases", "libraries", "restrictions", "skins", "extensiontags",
    "functionhooks", "showhooks", "variables", "protocols", "defaultoptions",
)  # fmt: skip
