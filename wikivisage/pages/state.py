"""A project's state as JSON: the figures of its page for scripts."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from projects.models import Project
from projects.permissions import Can, project_view
from wikivisage.pages.overview import overview


@require_safe
@project_view(Can.VIEW)
def state(request: HttpRequest, project: Project) -> JsonResponse:
    now = overview(project)
    return JsonResponse(
        {
            "state": project.state,
            "counting": now.is_being_counted,  # the other figures are 0 until that ends
            "photos": now.crawl.photos,
            "looked_at": now.crawl.looked_at,
            "set_aside": now.crawl.set_aside,
            "faces": now.faces.faces,
            "confirmed": now.faces.confirmed,
            "answered": now.faces.answered,
            "matches": now.faces.matches,
            "ready": now.ready,
            "on_wiki": now.on_wiki,
            "crawling": now.crawl.crawling,
            "detecting": now.crawl.detecting,
            "learning": now.learner.behind,
        }
    )
