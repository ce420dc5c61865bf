"""What the product knows of the wiki it works on: addresses, hosts and property ids.

A deployment talks to one wiki pair (Commons and its Wikidata) at a time; `settings.WIKI`
holds it. Rows carry its code, so that sandbox and Commons rows never mix.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


@dataclass(frozen=True)
class Wiki:
    code: str  # stands in the column `wiki` of Person, Photo, Claim, WikiCredential
    name: str | Promise  # as people call it within a sentence
    commons: str  # origin + prefix of the media wiki, no trailing slash
    wikidata: str  # the same of its item wiki
    meta: str  # where OAuth 2.0 lives
    issuer: str  # who vouches for a user's `sub`; stays when the sandbox changes its port
    sparql: str  # address of the SPARQL endpoint
    image_hosts: tuple[str, ...]  # origins that pictures come from (CSP img-src, fetching)
    login_hosts: tuple[str, ...]  # through which a login passes (CSP form-action)
    depicts: str = "P180"
    region: str = "P2677"  # relative position within image
    artwork: str = "P6243"  # digital representation of: the file reproduces an artwork

    @property
    def commons_api(self) -> str:
        return f"{self.commons}/w/api.php"

    @property
    def wikidata_api(self) -> str:
        return f"{self.wikidata}/w/api.php"

    @property
    def rest(self) -> str:
        return f"{self.meta}/w/rest.php"

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The only origins that the product ever fetches from (scheme://host[:port])."""
        urls = (self.commons, self.wikidata, self.meta, self.sparql, *self.image_hosts)
        return frozenset("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls)

    @property
    def may_be_private(self) -> bool:
        """Whether it may stand at an address of this machine or network: only the sandbox."""
        return self.code == "sandbox"

    def page_url(self, title: str) -> str:
        return f"{self.commons}/wiki/{quote(title.replace(' ', '_'), safe=':/()!,')}"

    def diff_url(self, revision: int) -> str:
        return f"{self.commons}/wiki/Special:Diff/{revision}"

    def file_path(self, title: str, width: int) -> str:
        """A redirect to the thumbnail of a file (`File:…`).

        Commons renders these widths only: 20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840;
        any other is answered 429.
        """
        name = quote(title.removeprefix("File:").replace(" ", "_"), safe="")
        return f"{self.commons}/wiki/Special:FilePath/{name}?width={width}"


def commons() -> Wiki:
    return Wiki(
        code="commons",
        name="Wikimedia Commons",
        commons="https://commons.wikimedia.org",
        wikidata="https://www.wikidata.org",
        meta="https://meta.wikimedia.org",
        issuer="https://meta.wikimedia.org",
        sparql="https://query.wikidata.org/sparql",
        image_hosts=("https://upload.wikimedia.org", "https://commons.wikimedia.org"),
        # Browsers hold form-action against redirects, too, and who is not logged in at Meta is
        # sent on: https://www.mediawiki.org/wiki/MediaWiki_Platform_Team/SUL3
        login_hosts=("https://meta.wikimedia.org", "https://auth.wikimedia.org"),
    )


def sandbox(url: str) -> Wiki:
    """The pretend Wikimedia of `sandbox/`, at its own origin."""
    return Wiki(
        code="sandbox",
        name=gettext_lazy("the sandbox wiki"),
        commons=f"{url}/commons",
        wikidata=f"{url}/wikidata",
        meta=f"{url}/commons",
        issuer="sandbox",
        sparql=f"{url}/sparql",
        image_hosts=(url,),
        login_hosts=(url,),
    )
