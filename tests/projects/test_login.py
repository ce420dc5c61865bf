"""Logging in through the wiki, as a browser does it."""

from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from projects.accounts import tokens
from projects.models import Notification, User
from projects.notifications.services import notify
from sandbox import RunningSandbox
from sdc.models import EditBatch
from tests.conftest import ClientOf, MakeProject
from wikivisage.ops import retention as ops_retention

pytestmark = pytest.mark.django_db


class Form(HTMLParser):
    """The hidden inputs of the page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inputs: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.inputs.setdefault(str(given["name"]), given.get("value") or "")


def begin(client: Client, next_page: str = "") -> str:
    """Press the button; returns where the wiki sends the browser first."""
    answer = client.post(reverse("mediawiki_login"), {"process": "login", "next": next_page})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def approve(authorize_url: str, account: str, **buttons: str) -> str:
    """Pick an account on the wiki's login page, and allow on the next one (or press another
    button); returns the callback's address."""
    with requests.Session() as browser:
        page = browser.get(authorize_url, timeout=10)
        assert page.status_code == 200, page.text
        form = Form(page.text).inputs | {"user": account}
        page = browser.post(f"{settings.WIKI.commons}/wiki/Special:UserLogin", form, timeout=10)
        assert page.status_code == 200, page.text
        form = Form(page.text).inputs | (buttons or {"accept": "1"})
        answer = browser.post(
            f"{settings.WIKI.commons}/wiki/Special:OAuth/approve",
            data=form,
            timeout=10,
            allow_redirects=False,
        )
        while urlsplit(answer.headers["Location"]).path != reverse("mediawiki_callback"):
            answer = browser.get(answer.headers["Location"], timeout=10, allow_redirects=False)
        return answer.headers["Location"]


def come_back(client: Client, callback: str) -> HttpResponse:
    parts = urlsplit(callback)
    return client.get(f"{parts.path}?{parts.query}")  # type: ignore[return-value]


def log_in(client: Client, account: str, next_page: str = "") -> HttpResponse:
    return come_back(client, approve(begin(client, next_page), account))


def test_a_first_login_makes_an_account_without_any_form(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    client = client_of(None)
    answer = log_in(client, "Tomás R.")
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("home")
    user = User.objects.get()
    assert (user.issuer, user.sub) == (settings.WIKI.issuer, "70000106")
    assert (user.username, user.wiki_username) == ("mw-70000106", "Tomás R.")
    assert not user.is_staff
    assert not user.has_usable_password()
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_tokens_are_ours_sealed_and_nothing_else_is_kept(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    log_in(client_of(None), "Alice")
    user = User.objects.get()
    token = tokens.access_token(user)
    answer = requests.get(
        f"{settings.WIKI.rest}/oauth2/resource/profile",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.json()["username"] == "Alice"
    assert not SocialToken.objects.exists()
    assert not EmailAddress.objects.exists()
    assert user.email == ""
    assert SocialAccount.objects.get().extra_data == {"username": "Alice"}


def test_state_and_pkce_go_with_the_browser(sandbox: RunningSandbox, client_of: ClientOf) -> None:
    query = parse_qs(urlsplit(begin(client_of(None))).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["code_challenge"]
    assert query["state"]


def test_a_second_login_finds_the_same_user_under_a_new_name(
    fresh_sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    log_in(client_of(None), "Bob")
    fresh_sandbox.world.users.change("Bob", new_name="Robert")
    log_in(client_of(None), "Robert")
    assert User.objects.get().wiki_username == "Robert"


def test_somebody_else_who_takes_an_old_name_is_another_user(
    fresh_sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    log_in(client_of(None), "Bob")
    fresh_sandbox.world.users.change("Bob", new_name="Robert")
    fresh_sandbox.world.users.add("Bob", groups=["autoconfirmed"])
    log_in(client_of(None), "Bob")
    assert User.objects.count() == 2


def test_a_user_known_before_any_login_is_found_by_sub(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    log_in(client_of(None), "Alice")
    assert User.objects.get() == alice


def test_moderators_are_named_by_the_settings_at_each_login(
    sandbox: RunningSandbox, client_of: ClientOf, settings: Settings
) -> None:
    client = client_of(None)
    log_in(client, "Mona")
    assert User.objects.get().is_staff
    assert client.get("/admin/").status_code == 200
    settings.MODERATORS = []
    log_in(client_of(None), "Mona")
    assert not User.objects.get().is_staff


def test_one_comes_back_to_the_page_one_wanted(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    client = client_of(None)
    wanted = reverse("project-new")
    answer = client.get(wanted)
    assert answer.headers["Location"] == f"{reverse('login')}?next={wanted}"
    page = client.get(answer.headers["Location"])
    assert Form(page.content.decode()).inputs["next"] == wanted
    assert log_in(client, "Alice", wanted).headers["Location"] == wanted


def test_nobody_is_led_to_another_site(sandbox: RunningSandbox, client_of: ClientOf) -> None:
    answer = log_in(client_of(None), "Alice", "https://evil.example/")
    assert answer.headers["Location"] == reverse("home")


def test_cancelling_is_answered_kindly_with_a_way_on(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    client = client_of(None)
    callback = approve(begin(client), "Alice", cancel="1")
    assert parse_qs(urlsplit(callback).query)["error"] == ["unauthorized_client"]
    answer = come_back(client, callback)
    assert answer.status_code == 200
    assert b"You did not log in" in answer.content
    assert reverse("login").encode() in answer.content
    assert not User.objects.exists()


def test_a_callback_of_another_browser_logs_nobody_in(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    callback = approve(begin(client_of(None)), "Alice")
    victim = client_of(None)
    answer = come_back(victim, callback)
    assert answer.status_code == 400
    assert b"That login is over" in answer.content
    assert "_auth_user_id" not in victim.session


def test_a_used_callback_logs_nobody_in_twice(sandbox: RunningSandbox, client_of: ClientOf) -> None:
    client = client_of(None)
    callback = approve(begin(client), "Alice")
    come_back(client, callback)
    assert come_back(client, callback).status_code == 400


def test_a_silent_wiki_is_said_so(sandbox: RunningSandbox, client_of: ClientOf) -> None:
    client = client_of(None)
    callback = approve(begin(client), "Alice")
    sandbox.faults.add("cut-before", {"path": "/commons/w/rest.php/oauth2/access_token"})
    answer = come_back(client, callback)
    assert answer.status_code == 503
    assert b"did not answer" in answer.content
    assert not User.objects.exists()


def test_an_account_is_never_connected_to_somebody_elses(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    client = client_of(alice)
    answer = client.post(f"{reverse('mediawiki_login')}?process=connect", {"process": "connect"})
    come_back(client, approve(answer.headers["Location"], "Bob"))
    assert not SocialAccount.objects.filter(user=alice).exists()


def test_without_a_consumer_the_page_says_that_all_is_read_only(
    client_of: ClientOf, settings: Settings
) -> None:
    settings.CAN_LOG_IN = False
    page = client_of(None).get(reverse("login")).content.decode()
    assert "OAUTH_CLIENT_ID" in page
    assert reverse("mediawiki_login") not in page


def test_without_a_consumer_a_forged_post_gets_the_same_page(
    client_of: ClientOf, settings: Settings
) -> None:
    settings.CAN_LOG_IN = False
    settings.SOCIALACCOUNT_PROVIDERS = {"mediawiki": {"APPS": []}}
    browser = client_of(None)
    for ask, address in ((browser.post, "mediawiki_login"), (browser.get, "mediawiki_callback")):
        answer = ask(reverse(address))
        assert answer.status_code == 503
        assert b"OAUTH_CLIENT_ID" in answer.content


def test_the_page_before_the_wiki_is_ours(client_of: ClientOf) -> None:
    for address in (reverse("login"), reverse("mediawiki_login")):
        page = client_of(None).get(address)
        assert page.status_code == 200
        assert f'action="{reverse("mediawiki_login")}' in page.content.decode()
    answer = client_of(None).get("/accounts/login/?next=/projects")
    assert answer.headers["Location"] == "/login/?next=/projects"


def test_the_consumer_is_registered_with_this_address() -> None:
    assert reverse("mediawiki_callback") == "/accounts/mediawiki/login/callback/"


@pytest.mark.parametrize(
    "page",
    [
        *("", "signup/", "email/", "password/change/", "password/reset/", "confirm-email/"),
        *("reauthenticate/", "login/code/", "2fa/", "sessions/", "social/connections/"),
        *("3rdparty/", "3rdparty/signup/", "3rdparty/login/cancelled/", "3rdparty/login/error/"),
    ],
)
@pytest.mark.parametrize("logged_in", [False, True])
def test_allauths_other_pages_are_not_there(
    alice: User, client_of: ClientOf, page: str, *, logged_in: bool
) -> None:
    """So that nobody disconnects, adds or renames anything: an account here is the wiki's."""
    client = client_of(alice if logged_in else None)
    for answer in (client.get(f"/accounts/{page}"), client.post(f"/accounts/{page}")):
        assert answer.status_code == 404
        assert b"WikiVisage" in answer.content


@pytest.mark.parametrize("under_way", [False, True])
def test_logging_out_takes_a_post_and_the_tokens_unless_a_batch_needs_them(
    alice: User, client_of: ClientOf, make_project: MakeProject, *, under_way: bool
) -> None:
    state = EditBatch.State.RUNNING if under_way else EditBatch.State.DONE
    batch = {"project": make_project(alice, "Q7186", []), "user": alice, "wiki": "sandbox"}
    EditBatch.objects.create(**batch, state=state)
    client = client_of(alice)
    assert client.get(reverse("account_logout")).status_code == 200
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session
    assert alice.credentials.exists() is under_way
    User.objects.filter(pk=alice.pk).update(last_login=timezone.now() - timedelta(days=2))
    ops_retention.sweep(10)
    assert alice.credentials.exists() is under_way
    EditBatch.objects.update(state=EditBatch.State.DONE)
    ops_retention.sweep(10)
    assert not alice.credentials.exists()


def test_who_was_renamed_on_the_wiki_bears_the_new_name_where_others_were_told_of_them(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    log_in(client_of(None), "Charlie")
    User.objects.filter(wiki_username="Charlie").update(wiki_username="Charles the Old")
    notify([alice], None, Notification.Kind.PEOPLE, code="asked", who="Charles the Old", people=1)
    log_in(client_of(None), "Charlie")
    assert Notification.objects.get().data["who"] == "Charlie"
