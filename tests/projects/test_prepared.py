"""Queries that are compiled once: they answer as Django's do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone

from core.prepared_queries import prepared
from projects.models import Membership, Project, User
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db
Built = list[tuple[Any, ...]]
READ_WITH: Any = ("subject__person", "mine")


def projects_of(user: Any, since: Any, public_ids: Any, active: Any = None) -> QuerySet[Any]:
    mine = Q(memberships__user=user)
    found = Project.objects.annotate(mine=FilteredRelation("memberships", condition=mine))
    found = found.filter(mine__user=user, mine__joined_at__gte=since).exclude(
        public_id__in=public_ids
    )
    if active:
        others = Membership.objects.filter(project=OuterRef("pk")).exclude(user=user)
        found = found.filter(Exists(others))
    return found.select_related(*READ_WITH).annotate(since=F("mine__joined_at")).order_by("pk")


def test_it_gives_what_the_queryset_gives(
    make_project: MakeProject, alice: User, bob: User
) -> None:
    one, two = make_project(alice, members=[bob]), make_project(bob)
    ask = prepared(projects_of)
    now = timezone.now()
    for user in (alice, bob):
        for since in (now - timedelta(days=1), now + timedelta(days=1)):
            for left_out in ([], [one.public_id], {one.public_id, "x", "y"}):
                for active in (None, True):
                    given = (user.pk, since, left_out, active)
                    expected = list(projects_of(*given))
                    found = ask(*given)
                    assert found == expected
                    assert [each.since for each in found] == [each.since for each in expected]
                    assert all(each.mine.user_id == user.pk for each in found)
    assert ask(bob.pk, now - timedelta(days=1), [], None) == [one, two]


def test_it_is_built_once_for_each_kind_of_values(alice: User) -> None:
    built: Built = []

    @prepared
    def some(public_ids: Any, flag: bool) -> QuerySet[User]:
        built.append((len(public_ids.every) if public_ids else 0, flag))
        return User.objects.filter(public_id__in=public_ids)

    for number in range(1, 9):
        assert some([alice.public_id] * number, True) == [alice]
    assert built == [(1, True), (2, True), (4, True), (8, True)], "and not for each length"
    assert some([], True) == [], "nothing can be found, so nothing is asked"
    assert some([alice.public_id], False) == [alice]
    assert built[-2:] == [(0, True), (1, False)]


@pytest.mark.django_db(transaction=True)
def test_threads_ask_by_their_own_connections(alice: User) -> None:
    @prepared
    def user(key: Any) -> QuerySet[User]:
        return User.objects.filter(pk=key)

    assert user(alice.pk) == [alice]
    found = []

    def ask() -> None:
        found.append((user(alice.pk), id(connection.connection)))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert [rows for rows, _connection in found] == [[alice]] * 3
    assert id(connection.connection) not in {key for _rows, key in found}
