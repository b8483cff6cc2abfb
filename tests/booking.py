"""Who offers what, and who asks for it: consultants, plans, appointments and customers for a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from db import ledger
from db.accounts import Owner, open_accounts
from db.bookings.cancel import Cancelled, cancel_pending_checkout
from db.bookings.capture import Captured, capture
from db.bookings.request import request_booking
from db.bookings.start import start_checkout
from db.clock import now
from db.engine import Database
from db.tx import Tx
from db.wallets.rows import Credit, credit_wallets, open_wallets
from domain.checkouts import SCOPE, Receipt, Request, Wanted
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.owners import CustomerOwner
from domain.wishes import SCOPE as WISHES, Wish
from tests.builders import change, rows

NOON = datetime(2031, 3, 5, 12, tzinfo=UTC)
"""When appointments of tests begin, unless they say otherwise: in the future of every test."""
HOUR = timedelta(hours=1)
PRICE = 10_000
WALLET = AccountKind.WALLET

_CONSULTANT = sa.text("""
    WITH account AS (
      INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
      VALUES ('payee_payable', CAST(:id AS text), 'INR', 'C', 1, true) RETURNING id),
    balance AS (INSERT INTO balances (account, stripe, floor) SELECT id, 0, 'C' FROM account),
    payee AS (INSERT INTO payees (id, name, payable) SELECT :id, :name, id FROM account)
    SELECT FROM account""")
_OFFERS = sa.text("INSERT INTO consultants (payee) VALUES (:id) RETURNING number")
_PLAN = sa.text("""
    INSERT INTO plans (id, external_id, consultant, kind, title, price, currency, minutes, times)
    VALUES (:id, CAST(:id AS text), :consultant, :kind, :kind, :price, 'INR', 60, :times)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultant:
    """A payee who offers plans: its id, and its number in slots."""

    id: UUID
    number: int


def consultant(database: Database) -> Consultant:
    """A consultant with nothing planned."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.run(_CONSULTANT, id=id_, name=f"consultant {id_}")
    return offering(database, id_)


def offering(database: Database, payee: UUID) -> Consultant:
    """A payee who offers plans from now on."""
    with database.begin() as tx:
        return Consultant(id=payee, number=tx.scalar(_OFFERS, id=payee))


def plan(
    database: Database,
    kind: str = "webinar",
    *,
    of: Consultant | None = None,
    price: int = PRICE,
    times: int = 1,
) -> UUID:
    """A plan of a consultant, of a new one unless told whose."""
    id_, whose = uuid4(), of or consultant(database)
    with database.begin() as tx:
        tx.run(_PLAN, id=id_, consultant=whose.id, kind=kind, price=price, times=times)
    return id_


offer = plan
"""The same, where a parameter has its name."""


def customer(database: Database, name: str = "Mira") -> UUID:
    """A customer, who is a payee of the same id too: what they have with us is a wallet."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.run(_CONSULTANT, id=id_, name=f"customer {id_}")
        statement = """INSERT INTO customers (id, external_id, name, payee)
                       VALUES (:id, :name || CAST(:id AS uuid), :name, :id)"""
        tx.run(sa.text(statement), id=id_, name=name)
    return id_


def organisation(database: Database, *members: UUID, amount: int = 0) -> UUID:
    """An organisation with a wallet, which may pay for customers."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.run(_CONSULTANT, id=id_, name=f"organisation {id_}")
    change(database, "UPDATE payees SET kind = 'organisation' WHERE id = :id", id=id_)
    if amount:
        fill(database, id_, amount)
    for member in members:
        change(
            database, "UPDATE customers SET organisation = :id WHERE id = :of", id=id_, of=member
        )
    return id_


_PUBLISH = sa.text("""
    WITH made AS (
      INSERT INTO appointments (id, external_id, plan, capacity, starts_at, ends_at)
      VALUES (:id, CAST(:id AS text), :plan, :capacity, :starts, :ends) RETURNING id, plan, starts_at, ends_at),
    work AS (INSERT INTO work (job, subject, due_at) SELECT 'bookings.complete', id, ends_at FROM made)
    SELECT id FROM made""")


def appointment(
    database: Database, plan: UUID, *, capacity: int = 1, starts: Sequence[datetime] = (NOON,)
) -> UUID:
    """A published appointment of a shared plan, with a slot of an hour at each of `starts`."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.rows(
            _PUBLISH,
            id=id_,
            plan=plan,
            capacity=capacity,
            starts=min(starts),
            ends=max(starts) + HOUR,
        )
        for at in starts:
            slot(tx, id_, at)
    return id_


_SLOT = sa.text("""
    INSERT INTO slots (id, appointment, consultant, starts_at, ends_at, confirmed)
    SELECT gen_random_uuid(), a.id, c.number, :starts, :ends, :confirmed
    FROM appointments a JOIN plans l ON l.id = a.plan JOIN consultants c ON c.payee = l.consultant
    WHERE a.id = :appointment""")


_SPAN = sa.text("""
    UPDATE appointments a SET starts_at = s.starts_at, ends_at = s.ends_at
    FROM (SELECT min(starts_at) AS starts_at, max(ends_at) AS ends_at FROM slots WHERE appointment = :appointment) s
    WHERE a.id = :appointment""")


def slot(
    tx: Tx, appointment: UUID, starts: datetime, *, last: timedelta = HOUR, confirmed: bool = True
) -> None:
    """One more time of an appointment."""
    assert tx.run(
        _SLOT, appointment=appointment, starts=starts, ends=starts + last, confirmed=confirmed
    )
    tx.run(_SPAN, appointment=appointment)


def ask(
    key: str = "k", *, of: UUID, plan: UUID, at: UUID | None = None, **more: object
) -> tuple[Request, Wanted]:
    """A request for a checkout of customer `of`, under `key`: at an appointment, or with `starts`."""
    wanted = Wanted(customer=CustomerOwner(id=of), plan=plan, appointment=at, **more)  # type: ignore[arg-type]  # by name
    return Request(scope=SCOPE, actor=str(of), key=key), wanted


def begin(database: Database, key: str = "k", **asked: object) -> Receipt:
    """Begin a checkout."""
    request, wanted = ask(key, **asked)  # type: ignore[arg-type]  # by name
    return database.transact(lambda tx: start_checkout(tx, request, wanted))


def wish(
    database: Database, key: str = "k", *, of: UUID | None = None, plan: UUID | None = None
) -> UUID:
    """What a customer asks for, of a new plan by a new customer unless told whose; its booking."""
    asked = Wish(customer=CustomerOwner(id=of or customer(database)), plan=plan or offer(database))
    request = Request(scope=WISHES, actor=str(asked.customer.id), key=key)
    return database.transact(lambda tx: request_booking(tx, request, asked)).booking


def pay(database: Database, *payments: UUID) -> list[str]:
    """Take in that payments were captured now; returns their outcomes, in the order of their ids."""

    def work(tx: Tx) -> list[Captured]:
        return capture(tx, dict.fromkeys(payments, now(tx)), run=None, actor="gateway")

    return [one.outcome for one in database.transact(work)]


def cancel(database: Database, customer: UUID, payment: UUID) -> Cancelled:
    """Cancel a checkout as its customer."""
    owner = CustomerOwner(id=customer)
    return database.transact(lambda tx: cancel_pending_checkout(tx, owner, payment))


def fill(database: Database, owner: UUID, amount: int, kind: AccountKind = WALLET) -> None:
    """Put money into a wallet, or give a credit."""

    def work(tx: Tx) -> None:
        if kind is WALLET:
            [wallet] = open_wallets(tx, [(owner, "INR")]).values()
            credits_ = [Credit(reference=str(uuid4()), wallet=wallet, minor=amount)]
            credit_wallets(tx, credits_, run=None, actor="test")
            return
        to, source = (
            Owner(kind=kind, owner=str(owner), currency="INR"),
            Owner(kind=AccountKind.PROMOTIONS, owner="", currency="INR"),
        )
        opened = open_accounts(tx, [to, source])
        entry = Entry(
            type=EntryType.CREDIT_GRANTED,
            key=f"credit:{uuid4()}",
            currency="INR",
            effective_on=ledger.today(tx),
            postings=(Posting(debit=opened[source], credit=opened[to], amount=amount),),
        )
        ledger.post(tx, [entry], run=None, actor="test")

    database.transact(work)


def balance(database: Database, kind: AccountKind, owner: object = "") -> int:
    """What an account holds, credits less debits."""
    found = rows(
        database,
        """SELECT coalesce(sum(b.credits - b.debits), 0) AS sum FROM accounts a JOIN balances b ON b.account = a.id
           WHERE a.kind = :kind AND a.owner = :owner""",
        kind=kind.value,
        owner=str(owner),
    )
    return int(found[0].sum)


def state(database: Database, table: str, id_: UUID | None) -> str:
    """Where one subject is."""
    [row] = rows(database, f"SELECT state FROM {table} WHERE id = :id", id=id_)  # noqa: S608  a table of ours
    return str(row.state)


def everything(database: Database, receipt: Receipt) -> dict[str, object]:
    """Where a checkout and all that hangs on it are, and how many places are taken."""
    [row] = rows(
        database,
        """SELECT p.state AS payment, b.state AS booking, s.state AS seat, a.state AS appointment, a.taken,
                  o.state AS "order", p.orphaned
           FROM payments p JOIN bookings b ON b.id = p.booking JOIN seats s ON s.booking = b.id
           JOIN appointments a ON a.id = s.appointment LEFT JOIN orders o ON o.payment = p.id WHERE p.id = :id""",
        id=receipt.payment,
    )
    return row._asdict()


def every_ending(operator: Database, database: Database) -> dict[str, Receipt]:
    """A checkout of each ending: under way, paid, cancelled, and captured after that; a credit pays a part of each."""
    made: dict[str, Receipt] = {}
    for kind in ("webinar", "consultation"):
        for n, word in enumerate(("under way", "paid", "cancelled", "orphaned")):
            who, offer = customer(operator), plan(operator, kind)
            fill(operator, who, 1_000, AccountKind.REFERRAL_CREDIT)
            what = (
                {"at": appointment(operator, offer, capacity=3)}
                if kind == "webinar"
                else {"starts": (NOON + n * HOUR,)}
            )
            one = made[f"{kind} {word}"] = begin(
                database, of=who, plan=offer, credit_minor=1_000, **what
            )
            if word in {"cancelled", "orphaned"}:
                cancel(database, who, one.payment)
            if word in {"paid", "orphaned"}:
                pay(database, one.payment)
    wish(operator)
    return made


def abandon(database: Database, payment: UUID) -> None:
    """A payment that ended while its seat was left behind, as other systems leave it."""
    change(
        database,
        """WITH told AS (
             INSERT INTO moves (kind, subject, source, target, actor)
             VALUES ('payment', :id, 'PENDING', 'FAILED', 'elsewhere')),
           closed AS (UPDATE orders SET state = 'CLOSING' WHERE payment = :id RETURNING id),
           to_close AS (UPDATE work w SET job = 'bookings.close_orders' FROM closed c WHERE w.subject = c.id),
           told_too AS (INSERT INTO moves (kind, subject, source, target, actor)
                        SELECT 'order', id, 'NEW', 'CLOSING', 'elsewhere' FROM closed)
           UPDATE payments SET state = 'FAILED' WHERE id = :id""",
        id=payment,
    )


def put(database: Database, booking: UUID, parent: str) -> None:
    """A booking elsewhere, with the history of how it came there."""
    change(
        database,
        """WITH was AS (SELECT id, state FROM bookings WHERE id = :id),
           told AS (INSERT INTO moves (kind, subject, source, target, actor)
                    SELECT 'booking', id, state, :state, 'test' FROM was)
           UPDATE bookings SET state = :state WHERE id = :id""",
        id=booking,
        state=parent,
    )


def also(database: Database, booking: UUID, appointment: UUID) -> None:
    """One more confirmed seat of a booking, elsewhere: as other systems have them, in which a course is many."""
    change(
        database,
        """WITH seat AS (
             INSERT INTO seats (id, appointment, booking, customer, places, state)
             SELECT gen_random_uuid(), :appointment, id, customer, 1, 'CONFIRMED' FROM bookings WHERE id = :booking
             RETURNING id),
           told AS (INSERT INTO moves (kind, subject, source, target, actor)
                    SELECT 'seat', id, 'TENTATIVE', 'CONFIRMED', 'elsewhere' FROM seat)
           UPDATE appointments SET taken = taken + 1 WHERE id = :appointment""",
        appointment=appointment,
        booking=booking,
    )


def end(database: Database, *appointments: UUID) -> None:
    """Let appointments have taken place, as time would: these, with their slots."""
    change(
        database,
        """WITH slots AS (
             UPDATE slots SET starts_at = starts_at - interval '9 years', ends_at = ends_at - interval '9 years'
             WHERE appointment = ANY(CAST(:ids AS uuid[])))
           UPDATE appointments SET starts_at = starts_at - interval '9 years', ends_at = ends_at - interval '9 years'
           WHERE id = ANY(CAST(:ids AS uuid[]))""",
        ids=list(appointments),
    )
    change(
        database,
        """UPDATE work SET due_at = clock_timestamp()
           WHERE job = 'bookings.complete' AND subject = ANY(CAST(:ids AS uuid[]))""",
        ids=list(appointments),
    )
