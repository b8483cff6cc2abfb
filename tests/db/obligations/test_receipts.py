"""Receipts as a file brings them in: received by the obligation that they name, or set apart."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from db.clock import latest_day
from db.engine import Database
from db.suspense.routing import NAMED_MAX, REST
from domain.errors import BadInputsError
from tests.builders import rows
from tests.db.test_ledger import broken
from tests.mortgages import DAY, LINE, SETTLED, balances, bring, owe, standing, stray

LATER = date(2026, 4, 2)


def found(database: Database) -> dict[str, str]:
    """Findings that are open, by key."""
    told = rows(database, "SELECT key, detail FROM findings WHERE resolved_at IS NULL")
    return {row.key: row.detail for row in told}


def test_what_names_an_obligation_is_received_by_it(database: Database) -> None:
    [id_] = owe(database, LINE)
    done = bring(
        database,
        stray("RC-2", reference="O-1", amount_minor=60_000, received_on=LATER),
        stray("RC-1", reference="O-1", amount_minor=50_000),
    )
    assert (done.created, done.amounts, done.labels) == (2, {"INR": 110_000}, {})
    one = standing(database, id_)
    assert (one.state, one.open, one.settled_on, one.method) == ("SETTLED", 0, LATER, "pad")
    assert balances(database) == {
        "trust_cash": 110_000,
        "control_allocation": 100_000,
        "unapplied_cash": 10_000,
    }
    assert found(database) == {}


def test_what_names_nothing_is_set_apart_an_item_each(database: Database) -> None:
    """Invariant 67: what nobody knows whose it is stands in suspense, and somebody is told of each."""
    owe(database, replace(LINE, currency="USD"))
    done = bring(
        database, stray("RC-1"), stray("RC-2", reference=""), stray("RC-3", reference="O-1")
    )
    assert done.labels == {("suspense", "INR"): (3, 90_000)}
    held = balances(database)
    assert (held["suspense"], held["cash_clearing"]) == (90_000, 90_000)
    assert "trust_cash" not in held
    keys = rows(
        database,
        "SELECT e.key, r.id FROM receipts r JOIN entries e ON e.key = 'suspense-routed:' || r.id",
    )
    assert len(keys) == 3
    told = found(database)
    assert set(told) == {f"suspense-open:receipt {row.id}" for row in keys}
    assert (
        "receipt RC-1 names 'rent of May', and no obligation of INR is called so" in told.values()
    )


def test_a_file_twice_brings_in_nothing_more(database: Database) -> None:
    owe(database, LINE)
    lines = (stray("RC-1", reference="O-1", amount_minor=1_000), stray("RC-2"))
    bring(database, *lines)
    before = balances(database)
    again = bring(database, *lines)
    assert (again.created, again.existing, again.labels) == (0, 2, {})
    assert balances(database) == before


def test_the_same_id_with_other_content_is_an_error_and_nothing_is_written(
    database: Database,
) -> None:
    owe(database, LINE)
    bring(database, stray("RC-1"))
    with pytest.raises(BadInputsError, match="row 2 field amount"):
        bring(
            database,
            stray("RC-2", reference="O-1"),
            stray("RC-1", amount_minor=1),
        )
    assert len(rows(database, "SELECT FROM receipts")) == 1


def test_what_comes_after_it_was_taken_for_paid_stays_unapplied(database: Database) -> None:
    [id_] = owe(database, LINE)
    bring(database, stray("RC-1", reference="O-1", amount_minor=100_000))
    bring(database, stray("RC-2", reference="O-1"))
    assert balances(database)["unapplied_cash"] == 30_000
    assert standing(database, id_).state == "SETTLED"


@pytest.mark.parametrize(
    "table",
    [
        "receipts",
        "obligations",
        "moves",
        "work",
        "findings",
        "entries",
        "postings",
        "balances",
        "ledger_totals",
    ],
)
@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_a_file_is_in_the_books_whole_or_not_at_all(
    database: Database, superuser_url: str, table: str, when: str
) -> None:
    """Invariant 50: whichever write of it breaks, rows, states, entries, balances and totals vanish together."""
    [id_] = owe(database, LINE)
    before = balances(database), rows(database, "SELECT * FROM ledger_totals ORDER BY 1")
    lines = stray("RC-1", reference="O-1", amount_minor=100_000), stray("RC-2")
    with broken(superuser_url, table, when), pytest.raises(Exception, match="broken on purpose"):
        bring(database, *lines)
    assert (balances(database), rows(database, "SELECT * FROM ledger_totals ORDER BY 1")) == before
    assert standing(database, id_).state == "DUE"
    for empty in ("receipts", "findings", "moves", "work"):
        assert rows(database, f"SELECT FROM {empty}") == []
    assert bring(database, *lines).created == 2
    assert standing(database, id_).settled_on == DAY


def test_a_day_that_is_still_to_come_is_named_and_nothing_is_written(database: Database) -> None:
    """TRAP: what was received on a day to come is held beyond it, and by a day without end for ever."""
    today = database.transact(latest_day)
    owe(database, LINE)
    late = stray("RC-2", reference="O-1", received_on=today + timedelta(days=1))
    with pytest.raises(
        BadInputsError, match=r"receipts.csv row 2 field received_on: .* after today"
    ):
        bring(database, stray("RC-1", received_on=today), late)
    assert rows(database, "SELECT FROM receipts") == []
    with pytest.raises(BadInputsError, match=r"field settled_on: .* must not be after today"):
        owe(database, replace(SETTLED, external_id="O-2", settled_on=date.max))
    assert len(owe(database, replace(LINE, external_id="O-2", due_on=date.max))) == 1
    assert bring(database, stray("RC-1", received_on=today)).created == 1


def test_of_many_that_name_nothing_the_first_hundred_are_told_and_that_there_are_more(
    database: Database,
) -> None:
    """TRAP: of the others nobody hears before the next morning."""
    bring(database, *(stray(f"RC-{number}") for number in range(NAMED_MAX + 1)))
    told = found(database)
    assert len(told) == NAMED_MAX + 1
    assert told[f"suspense-open:{REST}"].startswith(f"{NAMED_MAX + 1} receipts of one file")
