"""Reserve what is to be given back: under the payment's lock, once for each key, never more than is left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from db import switches
from db.advance import begin
from db.bookings.facts import lock
from db.clock import now
from db.refunds.facts import Refundable, refundable
from db.tx import Tx
from domain.booking_errors import KeyReusedError
from domain.checkouts import Request
from domain.owners import CustomerOwner, owned_by
from domain.payments import LegKind, PaymentState
from domain.refund_errors import (
    DisputedError,
    ExceedsRefundableError,
    FullyRefundedError,
    InvalidAmountError,
    PaymentNotFoundError,
    PaymentNotSucceededError,
)
from domain.refunds import REFUNDS, Origin, RefundState, divide
from domain.switches import MAKER_CHECKER


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is to be given back of a payment (minor units; None: all that is left), why, and who says so.

    Asked for under `request`; the same three words again are the same refund.
    """

    request: Request
    payment: UUID
    amount_minor: int | None
    why: str
    by: str

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what is asked for: the same key with another one is an error."""
        said = (str(self.payment), self.amount_minor)
        return sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a refund; `gateway_minor` of it the gateway gives back, the rest wallet and credit."""

    refund: UUID
    payment: UUID
    state: str
    amount_minor: int
    gateway_minor: int
    currency: str
    replayed: bool


def reserve(tx: Tx, asking: Asking) -> Receipt:
    """Reserve a refund that an operator asks for.

    While `policy:maker-checker` is on it is PROPOSED, for another one to approve. Raises `KeyReusedError`,
    `PaymentNotFoundError`, `PaymentNotSucceededError`, `FullyRefundedError`, `DisputedError`,
    `InvalidAmountError`, `ExceedsRefundableError`; then nothing is reserved.
    """
    return _reserve(tx, asking, None, waits=switches.is_on(tx, MAKER_CHECKER))


def reserve_own(tx: Tx, owner: CustomerOwner, asking: Asking) -> Receipt:
    """The same of a payment of `owner`, for an application that decides about it."""
    return _reserve(tx, asking, owned_by(owner), waits=False)


_ALONE: Final = sa.text("""
    SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(E'\\x1f', 'refund', CAST(:scope AS text), CAST(:actor AS text), CAST(:key AS text)), 0))""")
_KNOWN: Final = sa.text("""
    SELECT id, encode(request_hash, 'hex') AS request_hash FROM refunds
    WHERE scope = :scope AND actor = :actor AND key = :key""")


def _reserve(tx: Tx, asking: Asking, customer: UUID | None, *, waits: bool) -> Receipt:
    asked = {
        "scope": asking.request.scope,
        "actor": asking.request.actor,
        "key": asking.request.key,
    }
    tx.rows(_ALONE, **asked)
    known = tx.row(_KNOWN, **asked)
    if known is not None:
        if known.request_hash != asking.content_hash:
            message = f"key {asking.request.key!r} came with another request before"
            raise KeyReusedError(message)
        return receipt(tx, known.id, replayed=True)
    lock(tx, "payment", [asking.payment])
    found = next(iter(refundable(tx, [asking.payment])), None)
    if found is None or (customer is not None and found.customer != customer):
        raise PaymentNotFoundError(f"there is no payment {asking.payment}")
    parts = _divided(found, asking.amount_minor)
    return _make(tx, asking, found.currency, parts, waits=waits)


def _divided(payment: Refundable, amount_minor: int | None) -> Mapping[LegKind, int]:
    """What each leg gives of it. Raises what `reserve` says."""
    if amount_minor is not None and amount_minor <= 0:
        raise InvalidAmountError("amount", amount_minor, "must be above zero")
    if payment.state != PaymentState.SUCCEEDED:
        raise PaymentNotSucceededError(f"payment {payment.id} is {payment.state}")
    left = payment.left_minor
    if not left:
        raise FullyRefundedError(f"all of payment {payment.id} was given back, or is about to be")
    if payment.is_disputed:
        message = f"a dispute about payment {payment.id} is open: its bank decides"
        raise DisputedError(message)
    part = left if amount_minor is None else amount_minor
    if part > left:
        message = f"{left} minor units of payment {payment.id} are left, {part} were asked for"
        raise ExceedsRefundableError(message)
    return divide(part, sum(payment.legs.values()), payment.legs, payment.left)


_INSERT: Final = sa.text("""
    INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet, referral_credit, currency,
                         why, asked_by, state, effect_key)
    VALUES (:id, :payment, :origin, :scope, :actor, :key, decode(:hash, 'hex'), :amount, :gateway, :wallet, :referral_credit,
            :currency, :why, :by, :state, effect_key('refund.give', CAST(:id AS uuid), 1))""")


def _make(
    tx: Tx, asking: Asking, currency: str, parts: Mapping[LegKind, int], *, waits: bool
) -> Receipt:
    id_, gateway = uuid4(), parts.get(LegKind.GATEWAY, 0)
    # What is given back by our own books alone, no gateway is asked for.
    at_once = RefundState.RESERVED if gateway else RefundState.SUCCEEDED
    state = RefundState.PROPOSED if waits else at_once
    tx.run(
        _INSERT,
        id=id_,
        payment=asking.payment,
        origin=Origin.ASKED,
        scope=asking.request.scope,
        actor=asking.request.actor,
        key=asking.request.key,
        hash=asking.content_hash,
        amount=sum(parts.values()),
        gateway=gateway,
        wallet=parts.get(LegKind.WALLET, 0),
        referral_credit=parts.get(LegKind.REFERRAL_CREDIT, 0),
        currency=currency,
        why=asking.why,
        by=asking.by,
        state=state,
    )
    begin(tx, REFUNDS, state, {id_: now(tx)})
    return receipt(tx, id_, replayed=False)


_RECEIPT: Final = sa.text("""
    SELECT id AS refund, payment, state, amount AS amount_minor, gateway AS gateway_minor, currency
    FROM refunds WHERE id = :id AND (CAST(:customer AS uuid) IS NULL
      OR EXISTS (SELECT FROM payments p WHERE p.id = payment AND p.customer = :customer))""")


def receipt(tx: Tx, refund: UUID, *, replayed: bool) -> Receipt:
    """What there is to say of a refund now."""
    row = tx.row(_RECEIPT, id=refund, customer=None)
    assert row is not None, "its caller found or made it"
    return Receipt(**row._asdict(), replayed=replayed)


_PROPOSE: Final = sa.text("""
    -- All that can be given back of each, once for ever: what a person rejected is not proposed again.
    WITH owed AS MATERIALIZED (
      SELECT p.id AS payment, p.currency, effect_key('refund.orphan', p.id, 1) AS id, l.gateway, l.wallet, l.referral_credit
      FROM payments p
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(g.amount - g.given_back) FILTER (WHERE g.kind = 'gateway'), 0) AS gateway,
               coalesce(sum(g.amount - g.given_back) FILTER (WHERE g.kind = 'wallet'), 0) AS wallet,
               coalesce(sum(g.amount - g.given_back) FILTER (WHERE g.kind = 'referral_credit'), 0) AS referral_credit
        FROM payment_legs g WHERE g.payment = p.id AND (g.kind = 'gateway' OR refundable(p) = p.amount)) l
      WHERE p.id = ANY(CAST(:payments AS uuid[])) AND p.orphaned AND l.gateway + l.wallet + l.referral_credit > 0)
    INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet, referral_credit, currency,
                         why, asked_by, state, effect_key)
    SELECT id, payment, 'orphan', 'orphan', '', CAST(payment AS text), '', gateway + wallet + referral_credit, gateway, wallet,
           referral_credit, currency, 'captured when its seat was gone', :by, 'PROPOSED', effect_key('refund.give', id, 1)
    FROM owed ON CONFLICT DO NOTHING""")


def propose_orphans(tx: Tx, payments: Sequence[UUID], *, by: str) -> int:
    """Propose to give orphaned payments back, each once for ever; returns how many are new."""
    lock(tx, "payment", list(payments))
    return tx.run(_PROPOSE, payments=list(payments), by=by) if payments else 0


def own_receipt(tx: Tx, owner: CustomerOwner, refund: UUID) -> Receipt:
    """What there is to say of a refund of a payment of `owner`. Raises `PaymentNotFoundError`."""
    row = tx.row(_RECEIPT, id=refund, customer=owned_by(owner))
    if row is None:
        raise PaymentNotFoundError(f"there is no refund {refund}")
    return Receipt(**row._asdict(), replayed=False)
