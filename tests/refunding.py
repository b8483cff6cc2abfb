"""Payments that were captured, as a gateway in memory has them too, and refunds of them."""

from dataclasses import dataclass
from uuid import UUID

from db.clock import now
from db.disputes.hearing import hear
from db.engine import Database
from db.inbox.heard import Heard, Word
from db.orders.capturing import Capture, take_in
from db.refunds.cascade import cascade
from db.refunds.reserve import Asking, Receipt as Reserved, reserve
from db.work import ClaimOrder
from domain.checkout_answers import Taken
from domain.checkouts import Receipt, Request
from domain.ledger import AccountKind
from domain.owners import OrganisationOwner
from domain.payout_ids import reference
from domain.ports import FrozenCall, OrderAsk, RefundAsk
from domain.refunds import RECOVER
from domain.telling import DisputeStatus, ToldDispute
from jobs.refunds.recover import RecoverRefunds
from jobs.refunds.submit import SubmitRefunds
from tests.booking import (
    NOON,
    PRICE,
    appointment,
    begin,
    cancel,
    consultant,
    customer,
    fill,
    organisation,
    plan,
)
from tests.builders import RECOVER_SECONDS, change, hurry, rows
from tests.driving import drive
from tests.fakes.payments import FakePayments
from workers.sandbox.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A checkout that was paid: by whom, to whom, and what the gateway calls its capture."""

    receipt: Receipt
    customer: UUID
    consultant: UUID
    capture: str | None

    @property
    def payment(self) -> UUID:
        """Its payment."""
        return self.receipt.payment


def under_way(
    operator: Database,
    database: Database,
    *,
    kind: str = "webinar",
    price: int = PRICE,
    wallet: int = 0,
    credit: int = 0,
    of_organisation: bool = False,
) -> Paid:
    """A checkout that nobody paid yet; wallet (the customer's, or their organisation's) and credit pay their part."""
    whose, who = consultant(operator), customer(operator)
    offer = plan(operator, kind, of=whose, price=price)
    if wallet and not of_organisation:
        fill(operator, who, wallet)
    if credit:
        fill(operator, who, credit, AccountKind.REFERRAL_CREDIT)
    private = kind in {"consultation", "subscription"}
    what: dict[str, object] = (
        {"starts": (NOON,)} if private else {"at": appointment(operator, offer)}
    )
    if of_organisation:
        paying = organisation(operator, who, amount=wallet)
        what["organisation"] = OrganisationOwner(id=paying)
    made = begin(
        database, of=who, plan=offer, wallet_minor=wallet, credit_minor=credit, key=str(who), **what
    )
    return Paid(receipt=made, customer=who, consultant=whose.id, capture=None)


def captured(database: Database, gateway: FakePayments, one: Paid) -> Paid:
    """The same, paid at the gateway, which has told us so."""
    order = one.receipt.order
    if order is None:
        return one
    amount, currency = one.receipt.gateway_minor, one.receipt.currency
    asked = OrderAsk(reference=str(order), amount_minor=amount, currency=currency)
    body = gateway.freeze_order(asked)
    made = gateway.create_order(FrozenCall(order.hex, body, str(order), amount, currency))
    assert isinstance(made, Taken)
    name = made.thing.provider_id
    capture = gateway.capture(name)
    database.transact(
        lambda tx: take_in(
            tx,
            [
                Capture(
                    payment=one.payment,
                    order=order,
                    provider=gateway.provider,
                    gateway_id=name,
                    captured_as=capture,
                    at=now(tx),
                )
            ],
            run=None,
            actor="gateway",
        )
    )
    return Paid(
        receipt=one.receipt, customer=one.customer, consultant=one.consultant, capture=capture
    )


def paid(operator: Database, database: Database, gateway: FakePayments, **how: object) -> Paid:
    """A checkout that was paid, `how` as `under_way` has it."""
    return captured(database, gateway, under_way(operator, database, **how))  # type: ignore[arg-type]  # by name


def asking(payment: UUID, amount: int | None = None, key: str = "k") -> Asking:
    """What an operator asks for."""
    request = Request(scope="shell", actor=str(payment), key=key)
    return Asking(request=request, payment=payment, amount_minor=amount, why="ill", by="asha")


def give_back(
    database: Database, payment: UUID, amount: int | None = None, key: str = "k"
) -> Reserved:
    """Reserve a refund."""
    return database.transact(lambda tx: reserve(tx, asking(payment, amount, key)))


def ask_for(
    gateway: FakePayments, one: Paid, refund: UUID, amount: int, *, generation: int = 1
) -> None:
    """Have the gateway give back a part of a payment, as `refund` of ours would: here nobody knows."""
    assert one.capture is not None
    name = reference(refund, generation)
    asked = RefundAsk(reference=name, payment_id=one.capture, amount_minor=amount, currency="INR")
    body = gateway.freeze_refund(asked)
    call = FrozenCall(refund.hex, body, name, amount, "INR", one.capture)
    assert isinstance(gateway.refund(call), Taken)


def refunds(database: Database) -> dict[UUID, str]:
    """Every refund's state."""
    return {row.id: row.state for row in rows(database, "SELECT id, state FROM refunds")}


def orphan(operator: Database, database: Database, gateway: FakePayments, **how: object) -> Paid:
    """A checkout that was cancelled, and captured after that."""
    one = under_way(operator, database, **how)  # type: ignore[arg-type]  # by name
    cancel(database, one.customer, one.payment)
    return captured(database, gateway, one)


def dispute(
    database: Database, one: Paid, status: DisputeStatus = DisputeStatus.OPEN, amount: int = 1_000
) -> None:
    """What is told of a customer who disputes a part of a payment at their bank, and fits."""
    said = told_of_dispute(database, one, status, amount)
    assert said.applied, said


def told_of_dispute(database: Database, one: Paid, status: DisputeStatus, amount: int) -> Heard:
    """The same, whether it fits or not; what came of it."""
    assert one.capture is not None
    told = ToldDispute(
        dispute_id=f"disp_{one.capture}",
        captured_as=one.capture,
        status=status,
        raw_status=status,
        amount_minor=amount,
        currency=one.receipt.currency,
        at=NOON,
    )
    word = Word(event=one.payment, provider="razorpay", is_fresh=False, told=told)
    return database.transact(lambda tx: hear(tx, [word], run=7))[one.payment]


def payable(owner: Database, one: Paid) -> None:
    """Let the earning of a payment be past its hold, and its consultant have an account that may be paid."""
    change(
        owner,
        """INSERT INTO payout_accounts (id, payee, fund_account_id, verified, is_default)
           SELECT gen_random_uuid(), id, 'fa_' || left(CAST(id AS text), 8), true, true
           FROM payees WHERE id = :payee""",
        payee=one.consultant,
    )
    change(owner, "UPDATE earnings SET ready_at = clock_timestamp() WHERE id = :id", id=one.payment)


def every_refund(operator: Database, database: Database) -> None:
    """A refund in each state that waits or has ended, each of a payment of its own; a wallet paid a part of each."""
    gateway = FakePayments()
    submit, recover = (
        job(gateway, call_seconds_max=1.0, recover_seconds=RECOVER_SECONDS)
        for job in (SubmitRefunds, RecoverRefunds)
    )
    made = [paid(operator, database, gateway, wallet=4_000) for _ in range(4)]
    give_back(database, made[0].payment)
    drive(database, submit)
    gateway.finish()
    hurry(database, RECOVER)
    drive(database, recover)
    order = ClaimOrder(run=7, limit=10, lease_seconds=15.0)
    database.transact(lambda tx: cascade(tx, order))
    give_back(database, made[1].payment)
    gateway.script(Fault.REFUSE)
    drive(database, submit)
    give_back(database, made[2].payment, 1_000)
    drive(database, submit)
    give_back(database, made[3].payment, 1_000)
