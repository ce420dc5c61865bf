"""The real WSGI application for a real web server, whose static files need not be collected."""

from wikivisage import settings

PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STORAGES["staticfiles"] = {"BACKEND": PLAIN}

from wikivisage.wsgi import application  # noqa: E402

__all__ = ["application"]
