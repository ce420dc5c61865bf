"""The pages that search engines may know: none of a project, none of a person."""

from django.contrib.sitemaps import Sitemap
from django.urls import reverse


class Pages(Sitemap[str]):
    changefreq = "daily"

    def items(self) -> list[str]:
        return ["home", "projects", "leaderboard", "how", "help", "about", "privacy"]

    def location(self, item: str) -> str:
        return reverse(item)
