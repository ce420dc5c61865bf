"""Who did how much, all projects together."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from projects.members.leaderboard import PERIODS, standings


@require_safe
def leaderboard(request: HttpRequest) -> HttpResponse:
    period = request.GET.get("period", "week")
    if period not in PERIODS:
        period = "week"
    context = {
        "period": period,
        "periods": PERIODS,
        "standings": standings(period, request.user, page=board_page(request)),
    }
    return render(request, "projects/leaderboard.html", context)


def board_page(request: HttpRequest) -> int:
    page = request.GET.get("board", "")
    return int(page) if page.isdecimal() and len(page) < 9 else 1
