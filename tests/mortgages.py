"""Mortgages with lenders, obligations of them, and money that comes in: for tests of dispersals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from db import drafts, installation
from db.drafts import Draft, Leg
from db.engine import Database
from db.importing.order import Imported, Lines
from db.obligations import facts, import_receipts, imports, lenders, positions
from db.obligations.forgive import WAIVED, WRITTEN_OFF, Forgiving, forgive
from db.obligations.receive import Receipt, Received, receive
from db.tx import Row
from db.work import ClaimOrder
from domain.batching import BatchPolicy
from domain.ledger import AccountKind, EntryType
from domain.lender_lines import LenderLine
from domain.obligation_lines import ObligationLine
from domain.obligations import HEAL, TRIES_MAX, ObligationKind, ObligationState
from domain.payout_ids import reference
from domain.position_lines import PositionLine
from domain.receipt_lines import ReceiptLine
from domain.servicing import Frequency, Method
from jobs.dispersals.create import CreateDispersals
from jobs.dispersals.disburse import DisburseDispersals
from jobs.dispersals.heal import HealDispersals
from tests import driving
from tests.builders import change, hurry, rows
from tests.earning import know, payee
from tests.fakes.bank import FakeBank

DAY: Final = date(2026, 3, 20)
LINE: Final = ObligationLine(
    external_id="O-1",
    mortgage="M-1",
    borrower="Mira",
    kind=ObligationKind.REGULAR_INTEREST,
    amount_minor=100_000,
    currency="INR",
    due_on=DAY,
    principal_minor=10_000_000,
    fee_rate_ppm=10_000,
    frequency=Frequency.MONTHLY,
)
"""100,000 of a mortgage of 10,000,000, 1 % a year: a fee of 8,333."""
SETTLED: Final = replace(LINE, state=ObligationState.SETTLED, settled_on=DAY)


def lend(database: Database, units: Mapping[str, int], mortgage: str = "M-1") -> None:
    """Lenders of a mortgage, with their units in it."""
    of = [LenderLine(external_id=name, payee=f"lender {name}") for name in units]
    held = [
        PositionLine(external_id=f"{mortgage}:{name}", mortgage=mortgage, lender=name, units=number)
        for name, number in units.items()
    ]
    with database.begin() as tx:
        id_ = installation.get(tx).id
        lenders.take_over(tx, id_, Lines(lines=of))
        positions.take_over(tx, id_, Lines(lines=held))


def reroute(database: Database, giver: str, taker: str, units: int, day: date = DAY) -> None:
    """Units of M-1 that are another lender's from a day on."""
    line = PositionLine(
        external_id=str(uuid4()),
        mortgage="M-1",
        lender=taker,
        units=units,
        from_lender=giver,
        effective_on=day,
    )
    with database.begin() as tx:
        positions.take_over(tx, installation.get(tx).id, Lines(lines=[line]))


def owe(database: Database, *lines: ObligationLine) -> list[UUID]:
    """Obligations, as they are imported; their ids in the order of the lines."""
    with database.begin() as tx:
        order = Lines(lines=list(lines))
        imports.take_over(tx, installation.get(tx).id, order, actor="test")
    return [id_of(database, line.external_id) for line in lines]


def id_of(database: Database, external_id: str) -> UUID:
    """The obligation another system calls so."""
    [row] = rows(database, "SELECT id FROM obligations WHERE external_id = :x", x=external_id)
    found: UUID = row.id
    return found


def receipt(
    database: Database,
    obligation: UUID,
    amount: int,
    *,
    on: date = DAY,
    method: str = "manual",
) -> Receipt:
    """A receipt on record, of which nothing is in the books yet."""
    made = Receipt(id=uuid4(), obligation=obligation, amount=amount, received_on=on, method=method)
    change(
        database,
        """INSERT INTO receipts (id, external_id, reference, obligation, amount, currency, received_on, method,
                                 content_hash)
           VALUES (:id, CAST(:id AS text), '', :obligation, :amount, 'INR', :on, :method, '')""",
        id=made.id,
        obligation=obligation,
        amount=amount,
        on=on,
        method=method,
    )
    return made


def pay(database: Database, obligation: UUID, amount: int, **more: Any) -> Receipt:  # noqa: ANN401 - by name
    """Money for an obligation comes in."""
    made = receipt(database, obligation, amount, **more)
    take(database, [made])
    return made


def take(database: Database, receipts: Sequence[Receipt]) -> list[Received]:
    """Take in receipts, in one transaction."""
    return database.transact(lambda tx: receive(tx, receipts, run=None, actor="test"))


def stray(external_id: str = "RC-1", **changes: Any) -> ReceiptLine:  # noqa: ANN401 - by name
    """A line of 300.00 that names no obligation; `changes` by field."""
    line = ReceiptLine(
        external_id=external_id,
        reference="rent of May",
        amount_minor=30_000,
        currency="INR",
        received_on=DAY,
        method=Method.PAD,
    )
    return replace(line, **changes)


def lose(database: Database, obligation: UUID, amount: int) -> None:
    """Two people say that so much of the cash of its mortgage was never there."""
    with database.begin() as tx:
        [one] = facts.read(tx, [obligation])
        came = tx.scalar(sa.text("SELECT min(id) FROM entries WHERE type = 'CASH_RECEIVED'"))
        lost = Leg(
            debit=one.of_system(AccountKind.WRITE_OFF),
            credit=one.of_mortgage(AccountKind.TRUST_CASH),
            amount=amount,
        )
        taken = Draft(
            type=EntryType.CORRECTION,
            key="correction:letter 7",
            effective_on=DAY,
            legs=(lost,),
            cause=came,
            reason="it was never there",
        )
        drafts.post(tx, [taken], run=None, actor="asha, ravi")


def bring(database: Database, *lines: ReceiptLine) -> Imported:
    """Receipts, as they are imported."""
    with database.begin() as tx:
        order = Lines(lines=list(lines), file="receipts.csv")
        return import_receipts.take_over(tx, installation.get(tx).id, order, actor="test")


def shares(database: Database, obligation: UUID) -> dict[str, int]:
    """The dispersals of an obligation's generation, by lender."""
    found = rows(
        database,
        """SELECT l.external_id, d.amount FROM obligations o
           JOIN dispersals d ON d.obligation = o.id AND d.generation = o.generation
           JOIN lenders l ON l.payee = d.lender WHERE o.id = :id ORDER BY 1""",
        id=obligation,
    )
    return {row.external_id: row.amount for row in found}


def standing(database: Database, obligation: UUID) -> Row:
    """An obligation as it is, with what is open of it and the job it waits for."""
    [row] = rows(
        database,
        """SELECT o.*, b.debits - b.credits AS open, w.job FROM obligations o
           JOIN balances b ON b.account = o.receivable
           LEFT JOIN work w ON w.subject = o.id WHERE o.id = :id""",
        id=obligation,
    )
    return row


def balances(database: Database) -> dict[str, int]:
    """What each kind of account holds, on its normal side; kinds that hold nothing are left out."""
    found = rows(
        database,
        """SELECT a.kind, sum(CASE a.normal WHEN 'D' THEN b.debits - b.credits ELSE b.credits - b.debits END) AS held
           FROM accounts a JOIN balances b ON b.account = a.id GROUP BY a.kind""",
    )
    return {row.kind: int(row.held) for row in found if row.held}


def disperse(database: Database) -> None:
    """One transaction of the job that divides."""
    order = ClaimOrder(run=1, limit=1_000, lease_seconds=15.0)
    database.transact(lambda tx: CreateDispersals().work(tx, order))


def heal(database: Database, times: int = 1) -> None:
    """So many tries of the job that heals, each as if its wait were over."""
    order = ClaimOrder(run=1, limit=1_000, lease_seconds=15.0)
    for _ in range(times):
        hurry(database, HEAL)
        database.transact(lambda tx: HealDispersals().work(tx, order))


def bank(database: Database, *names: str, verified: bool = True) -> None:
    """Where lenders are paid."""
    know(database, [payee(f"lender {name}", verified=verified) for name in names])


def disburse(database: Database) -> None:
    """One transaction of the job that pays."""
    order = ClaimOrder(run=2, limit=1_000, lease_seconds=15.0)
    database.transact(lambda tx: DisburseDispersals(BatchPolicy()).work(tx, order))


def every_standing(operator: Database, worker: Database) -> dict[str, UUID]:
    """An obligation in each state that it may stand in, by that."""
    lend(operator, {"A": 6000, "B": 4000})
    names = (
        *("dispersed", "fee", "stalled", "escalated", "due", "part", "settled"),
        *("waived", "written off"),
    )
    lines = [replace(LINE, external_id=f"O-{name}") for name in names]
    lines[1] = replace(lines[1], amount_minor=8_000)
    lines[2:4] = [replace(line, mortgage="M-2") for line in lines[2:4]]
    made = dict(zip(names, owe(operator, *lines), strict=True))
    pay(operator, made["dispersed"], 100_000, method="pad")
    pay(operator, made["fee"], 9_000)
    pay(operator, made["escalated"], 100_000)
    disperse(worker)
    heal(worker, TRIES_MAX + 1)
    pay(operator, made["stalled"], 100_000)
    disperse(worker)
    pay(operator, made["part"], 1)
    pay(operator, made["settled"], 100_000)
    for name, way in (("waived", WAIVED), ("written off", WRITTEN_OFF)):
        give_up(operator, made[name], way)
    return made


def every_paying(operator: Database, worker: Database, fake: FakeBank) -> None:
    """Dispersals on their way, approved and sent; paid; failed; given back."""
    lend(operator, {"P": 1}, "M-3")
    bank(operator, "P")
    lines = [replace(LINE, external_id=f"O-paying {n}", mortgage="M-3") for n in range(5)]
    for id_ in owe(operator, *lines):
        pay(operator, id_, 100_000)
    disperse(worker)
    disburse(worker)
    found = rows(worker, "SELECT id FROM payouts WHERE source = 'dispersals' ORDER BY id")
    ids = [row.id for row in found]
    driving.drive(worker, driving.process(fake), only=ids[:4])
    for paid, word in zip(ids, ("processed", "failed", "processed"), strict=False):
        fake.settle(reference(paid, 1), word)
    for asked in (ids[:3], ids[2:3]):
        driving.hasten(operator)
        driving.drive(worker, driving.follow(fake), only=asked)
        fake.settle(reference(ids[2], 1), "reversed")


def give_up(database: Database, obligation: UUID, way: Forgiving) -> None:
    """What is open of an obligation is asked for no more."""
    database.transact(
        lambda tx: forgive(tx, [obligation], way, actor="asha, ravi", why="she cannot pay")
    )
