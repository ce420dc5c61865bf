# Whatever uses Django must know the broker, or a message from the web goes nowhere.
from celery_app import app as celery_app

__all__ = ["celery_app"]
