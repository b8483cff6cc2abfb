"""Unsafe servers are refused before money moves, by a message with the setting and the cure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from db import installation, server_facts
from db.engine import Database, DatabaseOptions
from db.server_facts import ServerFacts
from domain.errors import RefusedError, UnreachableError
from workers.settings import Settings, load
from workers.startup import (
    clock_complaints,
    connection_complaints,
    refuse_unsafe,
    server_complaints,
)

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
GONE = "redis://127.0.0.1:1"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The test's database as a worker sees it."""
    made = Database(DatabaseOptions(url=database_url, role="bursar_worker"))
    yield made
    made.dispose()


@pytest.fixture
def facts(database: Database) -> ServerFacts:
    """What a safe server says."""
    with database.begin() as tx:
        seen = server_facts.look(tx)
    return replace(seen, fsync=True, full_page_writes=True, synchronous_commit="on")


def razorpayx(account: str) -> Settings:
    """Settings that name an account."""
    return load(
        {
            "BURSAR_PAYOUT_PROVIDER": "razorpayx",
            "BURSAR_RAZORPAYX_KEY_ID": "k",
            "BURSAR_RAZORPAYX_KEY_SECRET": "s",
            "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": account,
        }
    )


def bind(database_url: str, account: str) -> None:
    """Bind as `migrate` does."""
    owner = Database(DatabaseOptions(url=database_url, role=None))
    with owner.begin() as tx:
        installation.bind(tx, "razorpayx", account)
    owner.dispose()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"fsync": False}, "fsync = on"),
        ({"full_page_writes": False}, "full_page_writes = on"),
        ({"synchronous_commit": "off"}, "synchronous_commit = on"),
        ({"in_recovery": True}, "BURSAR_DATABASE_URL"),
        ({"version": 140_011}, "15 or later"),
    ],
)
def test_each_unsafe_setting_is_named_with_its_cure(
    facts: ServerFacts, changes: dict[str, object], names: str
) -> None:
    """F30, F33."""
    assert server_complaints(facts) == []
    (complaint,) = server_complaints(replace(facts, **changes))  # type: ignore[arg-type]  # by name
    assert names in complaint


def test_synchronous_commit_off_for_this_login_is_seen(database: Database) -> None:
    """F30: the setting counts as it is for this connection, not as the file says."""
    with database.begin() as tx:
        tx.connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        seen = server_facts.look(tx)
    assert any("synchronous_commit" in complaint for complaint in server_complaints(seen))


def test_a_clock_is_wrong_only_beyond_the_time_the_question_took() -> None:
    slow_answer = NOW + timedelta(seconds=5)
    assert clock_complaints(NOW, NOW + timedelta(seconds=2.5), slow_answer) == []
    assert clock_complaints(NOW, NOW + timedelta(seconds=2), NOW) == []
    assert clock_complaints(NOW, NOW + timedelta(seconds=2.1), NOW)
    assert clock_complaints(NOW, NOW - timedelta(seconds=2.1), NOW)


def test_more_connections_than_the_server_has_are_named_with_the_setting(
    facts: ServerFacts,
) -> None:
    """F31."""
    assert connection_complaints(facts, processes=1, pool_max=1) == []
    crowded = replace(facts, connections_max=97, role_connections_max=20)
    both = connection_complaints(crowded, processes=20, pool_max=6)
    assert len(both) == 2
    assert all("BURSAR_DATABASE_POOL_MAX" in complaint for complaint in both)


def test_the_bound_account_may_start_and_another_may_not(
    database: Database, database_url: str
) -> None:
    bind(database_url, "1001")
    refuse_unsafe(database, GONE, razorpayx("1001"))
    with pytest.raises(RefusedError, match=r"1001.*1002"):
        refuse_unsafe(database, GONE, razorpayx("1002"))


def test_a_broker_that_is_away_is_no_reason_to_stay_down(database: Database) -> None:
    refuse_unsafe(database, GONE, load({}))


def test_a_schema_that_is_behind_is_refused_and_says_migrate(empty_database_url: str) -> None:
    made = Database(DatabaseOptions(url=empty_database_url, role=None))
    try:
        with pytest.raises(RefusedError, match="bursar migrate"):
            refuse_unsafe(made, GONE, load({}))
    finally:
        made.dispose()


def test_a_database_that_is_away_is_unreachable() -> None:
    made = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x"))
    try:
        with pytest.raises(UnreachableError):
            refuse_unsafe(made, GONE, load({}))
    finally:
        made.dispose()


def test_an_evicting_redis_is_refused(database: Database, own_broker_url: str) -> None:
    with redis.Redis.from_url(own_broker_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(RefusedError, match="noeviction"):
        refuse_unsafe(database, own_broker_url, load({}))


@pytest.fixture
def own_broker_url(request: pytest.FixtureRequest) -> str:
    """A Redis of this test's own, whose settings may be changed."""
    url: str = request.getfixturevalue("own_servers").broker_url
    return url
