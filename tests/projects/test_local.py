"""One's own copy on one's own machine: everything but sending, and nobody from elsewhere."""

import pytest
from django.urls import reverse
from pytest_django import Settings

from projects.models import User
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unregistered(settings: Settings) -> None:
    settings.CAN_LOG_IN, settings.LOCAL_LOGIN = False, True


def test_whoever_sits_at_the_machine_goes_on_without_an_account(client_of: ClientOf) -> None:
    client = client_of(None)
    page = client.get(reverse("login"), {"next": "/projects"}).content.decode()
    assert reverse("local-login") in page
    answer = client.post(reverse("local-login"), {"next": "/projects"})
    assert answer.headers["Location"] == "/projects"
    assert client.get(reverse("account")).status_code == 200
    user = User.objects.get(issuer="local")
    assert not user.is_staff
    assert not user.credentials.exists()


def test_a_second_time_it_is_the_same_user(client_of: ClientOf) -> None:
    for _ in range(2):
        client_of(None).post(reverse("local-login"))
    assert User.objects.filter(issuer="local").count() == 1


def test_nobody_from_elsewhere(client_of: ClientOf) -> None:
    answer = client_of(None).post(reverse("local-login"), REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 404


def test_it_is_off_unless_turned_on(client_of: ClientOf, settings: Settings) -> None:
    settings.LOCAL_LOGIN = False
    assert client_of(None).post(reverse("local-login")).status_code == 404
    assert reverse("local-login") not in client_of(None).get(reverse("login")).content.decode()


def test_it_leads_nowhere_else(client_of: ClientOf) -> None:
    answer = client_of(None).post(reverse("local-login"), {"next": "https://evil.example/"})
    assert answer.headers["Location"] == reverse("home")
