"""A finding is one row however often it is seen; an alert is sent once, or again when unowned."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db import findings
from db.engine import Database, DatabaseOptions
from db.findings import Filter
from db.tx import Tx
from domain.findings import Finding, FindingKind, Severity
from domain.listings import FindingState

DRIFT = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 1")
PARKED = Finding(kind=FindingKind.WORK_PARKED, subject="payouts.process", detail="1 parked")
FENCED = Finding(kind=FindingKind.FENCED_SETTLE, subject="run 7", detail="late")
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def tx(database_url: str) -> Iterator[Tx]:
    """A transaction on an installation without findings."""
    database = Database(DatabaseOptions(url=database_url))
    with database.begin() as tx:
        yield tx
    database.dispose()


def to_alert(tx: Tx) -> list[str]:
    """The keys that would be sent now."""
    return [row.key for row in findings.to_alert(tx)]


def an_hour_passes(tx: Tx) -> None:
    """Everything that was sent was sent an hour ago."""
    tx.run(sa.text("UPDATE findings SET alerted_at = alerted_at - interval '1 hour'"))


def test_seen_again_it_is_counted_and_says_the_newest(tx: Tx) -> None:
    newer = Finding(kind=DRIFT.kind, subject=DRIFT.subject, detail="off by 2")

    assert findings.report(tx, [DRIFT, PARKED]) == [DRIFT.key, PARKED.key]
    assert findings.report(tx, [newer]) == []

    row = findings.get(tx, DRIFT.key)
    assert row is not None
    assert (row.seen, row.detail, row.severity) == (2, "off by 2", "P0")


def test_the_same_finding_twice_in_one_report_is_one(tx: Tx) -> None:
    assert findings.report(tx, [DRIFT, DRIFT]) == [DRIFT.key]


def test_nothing_to_report_is_nothing(tx: Tx) -> None:
    assert findings.report(tx, []) == []


def test_a_resolved_one_that_is_seen_again_opens_anew(tx: Tx) -> None:
    findings.report(tx, [DRIFT])
    findings.take(tx, [DRIFT.key], "meera")
    findings.mark_alerted(tx, [DRIFT.key])
    assert findings.resolve(tx, [DRIFT.key], by="meera", why="corrected") == [DRIFT.key]
    assert findings.resolve(tx, [DRIFT.key], by="ravi", why="too") == []

    assert findings.report(tx, [DRIFT]) == [DRIFT.key]

    row = findings.get(tx, DRIFT.key)
    assert row is not None
    assert (row.owner, row.resolved_at, row.alerted_at) == (None, None, None)
    assert to_alert(tx) == [DRIFT.key]


def test_what_a_check_no_longer_sees_heals_and_other_kinds_do_not(tx: Tx) -> None:
    other = Finding(kind=FindingKind.WORK_PARKED, subject="payouts.follow", detail="2 parked")
    findings.report(tx, [PARKED, other, DRIFT])

    findings.observe(tx, FindingKind.WORK_PARKED, [other])

    assert {row.key for row in findings.listing(tx, Filter())} == {other.key, DRIFT.key}
    [healed] = findings.listing(tx, Filter(state=FindingState.HEALED))
    assert (healed.key, healed.state, healed.resolved_by) == (PARKED.key, "healed", "bursar")


def test_p0_and_p1_are_sent_once_gravest_first_and_p2_never(tx: Tx) -> None:
    findings.report(tx, [FENCED, PARKED, DRIFT])

    assert to_alert(tx) == [DRIFT.key, PARKED.key]
    findings.mark_alerted(tx, [DRIFT.key, PARKED.key])
    assert to_alert(tx) == []


def test_an_hour_later_only_what_nobody_took_is_sent_again(tx: Tx) -> None:
    findings.report(tx, [PARKED, DRIFT])
    findings.mark_alerted(tx, [DRIFT.key, PARKED.key])
    findings.take(tx, [DRIFT.key], "meera")

    an_hour_passes(tx)

    assert to_alert(tx) == [PARKED.key]


def test_a_muted_one_is_listed_and_not_sent_until_then(tx: Tx) -> None:
    findings.report(tx, [DRIFT])

    assert findings.mute(tx, [DRIFT.key], until=LATER, by="meera", why="known") == [DRIFT.key]

    assert to_alert(tx) == []
    assert [row.state for row in findings.listing(tx, Filter())] == ["muted"]
    tx.run(sa.text("UPDATE findings SET muted_until = clock_timestamp()"))
    assert to_alert(tx) == [DRIFT.key]


def test_pages_follow_one_another_without_gap_or_double(tx: Tx) -> None:
    some = [Finding(kind=DRIFT.kind, subject=f"account {n:02}", detail="x") for n in range(25)]
    findings.report(tx, some)
    keys: list[str] = []
    while page := findings.listing(tx, Filter(limit=10, after=keys[-1] if keys else None)):
        keys += [row.key for row in page]

    assert len(keys) == len(set(keys)) == 25


def test_a_listing_narrows_by_what_is_asked(tx: Tx) -> None:
    findings.report(tx, [DRIFT, PARKED, FENCED])
    findings.take(tx, [PARKED.key], "meera")

    def keys(which: Filter) -> list[str]:
        return [row.key for row in findings.listing(tx, which)]

    assert keys(Filter(severity=Severity.P2)) == [FENCED.key]
    assert keys(Filter(kind=FindingKind.BOOKS_DRIFT)) == [DRIFT.key]
    assert keys(Filter(owner="meera")) == [PARKED.key]
    assert len(keys(Filter(state=FindingState.ALL))) == 3
