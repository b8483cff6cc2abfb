"""Imports of earnings: each external id once, owed in the books, all or nothing."""

from datetime import timedelta
from uuid import UUID

import pytest

from db import installation
from db.earnings.imports import look
from db.importing.order import Lines
from domain.errors import BadInputsError
from tests.builders import assert_sound
from tests.earning import LONG_AGO, earn, earning
from tests.operating import opened, query


def owed(database: object) -> dict[tuple[str, str], int]:
    """What each payee is owed, by the books."""
    found = query(
        database,  # type: ignore[arg-type]  # a Database
        """SELECT y.name, a.currency, b.credits - b.debits AS minor FROM accounts a JOIN balances b ON b.account = a.id
           JOIN payees y ON CAST(y.id AS text) = a.owner WHERE a.kind = 'payee_payable'""",
    )
    return {(row.name, row.currency): row.minor for row in found}


def test_what_is_earned_is_owed_and_held(database_url: str) -> None:
    lines = [
        earning("E-1"),
        earning("E-2", amount_minor=50_000),
        earning("E-3", payee="Bela", currency="USD"),
    ]
    with opened(database_url) as operator:
        done = earn(operator, lines)
        assert (done.created, done.amounts) == (3, {"INR": 150_000, "USD": 100_000})
        assert owed(operator) == {("payee 0", "INR"): 150_000, ("Bela", "USD"): 100_000}
        rows = query(operator, "SELECT * FROM earnings ORDER BY external_id")
        assert [row.state for row in rows] == ["READY"] * 3
        assert rows[0].ready_at == LONG_AGO + timedelta(hours=24)
        assert_sound(operator)


def test_the_same_lines_again_create_nothing(database_url: str) -> None:
    with opened(database_url) as operator:
        earn(operator, [earning("E-1")])
        done = earn(operator, [earning("E-1"), earning("E-2")])
        assert (done.created, done.existing) == (1, 1)
        assert owed(operator) == {("payee 0", "INR"): 200_000}


def test_other_content_under_the_same_id_is_named_and_nothing_is_kept(database_url: str) -> None:
    with opened(database_url) as operator:
        earn(operator, [earning("E-1")])
        with pytest.raises(BadInputsError, match=r"earnings.csv row 2 field amount: '1000.01'"):
            earn(operator, [earning("E-2"), earning("E-1", amount_minor=100_001)])
        assert [row.external_id for row in query(operator, "SELECT * FROM earnings")] == ["E-1"]


def test_partial_takes_over_the_rest(database_url: str) -> None:
    with opened(database_url) as operator:
        earn(operator, [earning("E-1")])
        done = earn(operator, [earning("E-2"), earning("E-1", payee="Bela")], partial=True)
        assert (done.created, len(done.errors)) == (1, 1)


def test_a_look_writes_nothing(database_url: str) -> None:
    with opened(database_url) as operator:
        earn(operator, [earning("E-1")])
        with operator.begin() as tx:
            order = Lines(lines=[earning("E-1"), earning("E-2")])
            done = look(tx, installation.get(tx).id, order)
        assert (done.created, done.existing, done.amounts) == (1, 1, {"INR": 100_000})
        assert query(operator, "SELECT count(*) AS n FROM earnings")[0].n == 1


def test_ids_come_from_what_is_imported(database_url: str) -> None:
    """F34: after a restore the same file makes the same earnings."""
    with opened(database_url) as operator:
        earn(operator, [earning("E-1")])
        [row] = query(operator, "SELECT id FROM earnings")
        assert isinstance(row.id, UUID)
        assert row.id.version == 5
