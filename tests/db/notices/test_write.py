"""A notice is written with the move it tells of, once per generation and state, and only where it is wanted."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from db import installation, switches
from db.engine import Database
from db.errors import DatabaseRefusedError
from domain.errors import BusyError
from domain.payout_ids import reference
from domain.switches import NOTICES
from tests.builders import assert_sound, owner
from tests.driving import drive, every_state, follow, hasten, ids, process
from tests.fakes.bank import FakeBank
from tests.operating import change, line, opened, query, take
from workers.sandbox.faults import Fault

CANCEL = """
    SELECT outcome FROM bursar_move('payout', (SELECT array_agg(id) FROM payouts), 'CANCELLED', 'a', 'b')
    ORDER BY outcome"""


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    with opened(database_url, "bursar_worker") as database:
        yield database


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    with owner(database_url) as database:
        yield database


def turn(operator: Database, *, on: bool) -> None:
    with operator.begin() as tx:
        switches.turn(tx, NOTICES, on=on, who="asha", why="x")


def completed(operator: Database, worker: Database, count: int = 1) -> list[UUID]:
    """Payouts that were paid just now."""
    bank = FakeBank()
    take(operator, [line(f"A-{n}") for n in range(count)], approve=True)
    drive(worker, process(bank))
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))
    return ids(worker, "COMPLETED")


def notices(worker: Database) -> Sequence[Any]:
    return query(
        worker,
        """SELECT n.*, CAST(n.payload AS text) AS body, w.job FROM notices n
           LEFT JOIN work w ON w.subject = n.id ORDER BY n.subject, n.sequence""",
    )


def test_a_completed_payout_is_told_of_as_the_page_says(
    operator: Database, worker: Database, outside: Database
) -> None:
    turn(operator, on=True)
    [payout] = completed(operator, worker)

    [notice] = notices(worker)
    told = json.loads(notice.body)
    assert (notice.kind, notice.sequence, notice.state) == ("payout.completed", 1, "PENDING")
    assert notice.job == "notices.deliver"
    assert told["occurred_at"].endswith("Z")
    [row] = query(worker, "SELECT * FROM payouts")
    assert {k: v for k, v in told.items() if k != "occurred_at"} == {
        "id": str(notice.id),
        "type": "payout.completed",
        "sequence": 1,
        "payout": {
            "id": str(payout),
            "external_id": "A-0",
            "payee": str(row.payee),
            "state": "COMPLETED",
            "generation": 1,
            "amount_minor": row.amount,
            "net_minor": row.amount,
            "tax_minor": 0,
            "recovered_minor": 0,
            "currency": "INR",
        },
    }
    [account] = query(worker, "SELECT fund_account_id FROM payout_accounts")
    assert account.fund_account_id not in notice.body
    assert_sound(outside)


def test_the_id_is_made_from_what_it_tells_and_from_nothing_else(
    operator: Database, worker: Database
) -> None:
    """So a database that was restored tells it again under the same id."""
    turn(operator, on=True)
    [payout] = completed(operator, worker)
    with worker.begin() as tx:
        made_of = f"{installation.get(tx).id}:notice.COMPLETED:{payout}:1"
    assert notices(worker)[0].id == UUID(hashlib.sha256(made_of.encode()).hexdigest()[:32])


def test_every_end_is_told_once_and_nothing_else_is(
    operator: Database, worker: Database, outside: Database
) -> None:
    """Paid, refused (each generation), cancelled by hand, reversed: each in the order it happened."""
    turn(operator, on=True)
    every_state(operator, worker, FakeBank())

    [wanted] = query(
        worker,
        """SELECT array_agg(concat_ws(' ', subject, target) ORDER BY subject, at) AS moves FROM moves
           WHERE kind = 'payout' AND target IN ('COMPLETED', 'FAILED', 'CANCELLED', 'REVERSED')""",
    )
    told = [f"{n.subject} {n.kind.removeprefix('payout.').upper()}" for n in notices(worker)]
    assert told == wanted.moves
    assert {n.kind.removeprefix("payout.") for n in notices(worker)} == {
        *("completed", "failed", "cancelled", "reversed")
    }
    assert_sound(outside)


def test_after_its_notices_went_a_payout_s_numbers_go_on(
    operator: Database, worker: Database, outside: Database
) -> None:
    """A receiver tells old from new by them: a reversal after years is no first word."""
    turn(operator, on=True)
    bank = FakeBank()
    take(operator, [line("A-0")], approve=True)
    drive(worker, process(bank))
    [payout] = ids(worker, "PROCESSING")
    bank.settle(reference(payout, 1), "processed")
    hasten(worker)
    drive(worker, follow(bank))
    for statement in (
        "DELETE FROM work WHERE job = 'notices.deliver'",
        "UPDATE notices SET state = 'DELIVERED', updated_at = updated_at - interval '91 days'",
        "DELETE FROM notices",
        "UPDATE payouts SET created_at = created_at - interval '91 days'",
    ):
        change(outside, statement)
    bank.settle(reference(payout, 1), "reversed")
    hasten(worker)
    drive(worker, follow(bank))

    assert [(n.kind, n.sequence) for n in notices(worker)] == [("payout.reversed", 2)]


def test_a_retry_is_another_generation_and_is_told_of_anew(
    operator: Database, worker: Database
) -> None:
    turn(operator, on=True)
    bank = FakeBank()
    take(operator, [line("A")], approve=True)
    bank.script(Fault.REFUSE, Fault.REFUSE)
    drive(worker, process(bank))
    move = "SELECT FROM bursar_move('payout', (SELECT array_agg(id) FROM payouts), 'APPROVED', 'a', 'b')"
    query(operator, move)
    drive(worker, process(bank))

    first, second = notices(worker)
    assert (first.kind, second.kind) == ("payout.failed", "payout.failed")
    assert [json.loads(n.body)["payout"]["generation"] for n in (first, second)] == [1, 2]
    assert first.id != second.id


def test_while_nobody_wants_them_nothing_is_written_and_no_statement_is_spent(
    operator: Database, worker: Database
) -> None:
    turn(operator, on=True)
    turn(operator, on=False)
    said: list[str] = []

    def listen(_c: object, _u: object, statement: str, *_: object) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        completed(operator, worker)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    assert said
    assert [s for s in said if "notices" in s and "is_sealed" not in s] == []
    assert notices(worker) == []
    take(operator, [line("B")])
    assert [row.outcome for row in query(operator, CANCEL)] == ["illegal", "moved"]
    assert notices(worker) == []


def test_what_was_off_is_not_told_later(operator: Database, worker: Database) -> None:
    take(operator, [line("A")])
    assert [row.outcome for row in query(operator, CANCEL)] == ["moved"]
    turn(operator, on=True)
    assert [row.outcome for row in query(operator, CANCEL)] == ["illegal"]
    assert notices(worker) == []


def test_a_move_that_is_undone_was_never_told(operator: Database, worker: Database) -> None:
    turn(operator, on=True)
    take(operator, [line("A")])
    with operator.begin() as tx, suppress(BusyError), tx.savepoint():
        tx.rows(sa.text(CANCEL))
        assert tx.scalar(sa.text("SELECT count(*) FROM notices")) == 1
        raise BusyError("undone")
    assert notices(worker) == []
    assert query(worker, "SELECT FROM payouts WHERE state = 'PENDING'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notices SET payload = '{}'",
        "UPDATE notices SET subject = gen_random_uuid()",
    ],
)
def test_what_was_said_stays(worker: Database, statement: str) -> None:
    with pytest.raises(DatabaseRefusedError, match="permission denied"):
        change(worker, statement)


def test_a_notice_that_nothing_will_deliver_is_found_by_the_audit(
    operator: Database, worker: Database, outside: Database
) -> None:
    turn(operator, on=True)
    completed(operator, worker)
    change(worker, "DELETE FROM work WHERE job = 'notices.deliver'")
    with pytest.raises(AssertionError, match="notices-work-fits-state"):
        assert_sound(outside)
