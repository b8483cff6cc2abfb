"""Refunds that nobody here asked for: made at the gateway itself, or taken back by a customer's bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from db.advance import begin
from db.bookings.facts import lock
from db.clock import now
from db.refunds.facts import refundable
from db.tx import Tx
from domain.payments import LegKind, PaymentState
from domain.refunds import REFUNDS, Origin, RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is gone already of a capture: how much (minor units), and what which gateway calls it."""

    payment: UUID
    provider: str
    name: str
    """Of the refund or the dispute; it is taken over once."""
    origin: Origin
    amount_minor: int
    currency: str
    why: str

    @property
    def called(self) -> tuple[str, str]:
        """Which gateway calls it what: two may use one name."""
        return self.provider, self.name


_KNOWN: Final = sa.text("""
    SELECT given_by, given_as FROM refunds WHERE given_as = ANY(CAST(:names AS text[]))""")
_INSERT: Final = sa.text("""
    INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet, referral_credit, currency,
                         why, asked_by, state, effect_key, given_by, given_as)
    SELECT t.id, t.payment, t.origin, t.origin, t.provider, t.name, '', t.amount, t.amount, 0, 0, t.currency, t.why, :by, 'SUCCEEDED',
           effect_key('refund.give', t.id, 1), t.provider, t.name
    FROM unnest(CAST(:ids AS uuid[]), CAST(:payments AS uuid[]), CAST(:origins AS text[]), CAST(:providers AS text[]),
                CAST(:names AS text[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:whys AS text[]))
      AS t (id, payment, origin, provider, name, amount, currency, why)""")


def take_over(tx: Tx, taken: Sequence[Taken], *, by: str) -> dict[tuple[str, str], str]:
    """Write down what is gone, of the gateway's leg alone; returns by gateway and name those that do not fit, and why not.

    Each name is taken over once: said again it changes nothing.
    """
    if not taken:
        return {}
    lock(tx, "payment", [one.payment for one in taken])
    known = {
        (row.given_by, row.given_as) for row in tx.rows(_KNOWN, names=[one.name for one in taken])
    }
    payments = {one.id: one for one in refundable(tx, sorted({one.payment for one in taken}))}
    left = {id_: one.left.get(LegKind.GATEWAY, 0) for id_, one in payments.items()}
    fits, wrong = dict[tuple[str, str], Taken](), dict[tuple[str, str], str]()
    for one in taken:
        if one.called in known or one.called in fits:
            continue
        payment = payments[one.payment]
        if payment.state != PaymentState.SUCCEEDED or payment.currency != one.currency:
            wrong[one.called] = f"the payment is {payment.state}, in {payment.currency}"
        elif one.amount_minor > left[one.payment]:
            wrong[one.called] = f"{one.amount_minor} are gone, {left[one.payment]} were left"
        else:
            left[one.payment] -= one.amount_minor
            fits[one.called] = one
    _insert(tx, list(fits.values()), by)
    return wrong


def _insert(tx: Tx, taken: Sequence[Taken], by: str) -> None:
    if not taken:
        return
    ids = [uuid4() for _ in taken]
    tx.run(
        _INSERT,
        ids=ids,
        payments=[one.payment for one in taken],
        origins=[one.origin.value for one in taken],
        providers=[one.provider for one in taken],
        names=[one.name for one in taken],
        amounts=[one.amount_minor for one in taken],
        currencies=[one.currency for one in taken],
        whys=[one.why for one in taken],
        by=by,
    )
    begin(tx, REFUNDS, RefundState.SUCCEEDED, dict.fromkeys(ids, now(tx)))
