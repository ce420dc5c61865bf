"""Headers of every answer that Django's and django-csp's own middleware don't send, or not with
all of them."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

# Nothing of the device is ever asked for.
POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "usb",
        "xr-spatial-tracking",
    )
)


class Headers:
    """Middleware, the outermost, so that static files, refusals and 304 have them, too.

    Who asks for the head alone gets no body: Django makes it like any other, and leaves it to the
    web server to throw it away, which warns of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Permissions-Policy", POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "Cache-Control" not in response.headers:
            # what somebody saw who is logged in stays nowhere, not for the next one at this desk
            personal = settings.SESSION_COOKIE_NAME in request.COOKIES
            response.headers["Cache-Control"] = "no-store" if personal else "no-cache"
        if request.method == "HEAD":
            _leave_out_body(response)
        return response


def _leave_out_body(response: HttpResponse) -> None:
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()
    else:
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
