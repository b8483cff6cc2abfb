"""What a provider's report is held against: a payout as we know it, under the lease it is held by."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.payouts.details import Details
from db.work import Held
from domain.answers import ProviderPayout
from domain.payees import PayeeKind
from domain.payouts import PayoutState


class Known(NamedTuple):
    """A claimed payout about which its provider was asked."""

    held: Held
    key: UUID
    state: PayoutState
    payee_kind: PayeeKind
    reference: str
    """What its provider has it under; empty where nobody knows."""
    amount_minor: int
    currency: str
    fund_account_id: str
    provider_id: str | None
    completed_at: datetime | None


def known(held: Held, row: Details) -> Known:
    """What we hold a provider's report against."""
    return Known(
        held=held,
        key=row.effect_key,
        state=PayoutState(row.state),
        payee_kind=PayeeKind(row.payee_kind),
        reference=row.filed_under,
        amount_minor=row.net,
        currency=row.currency,
        fund_account_id=row.fund_account_id,
        provider_id=row.provider_id,
        completed_at=row.completed_at,
    )


def mismatch(known: Known, paid: ProviderPayout) -> str | None:
    """How a report contradicts what we know, or None."""
    told = (
        ("amount", known.amount_minor, paid.amount_minor),
        ("currency", known.currency, paid.currency),
        ("reference", known.reference or paid.reference, paid.reference or known.reference),
        ("fund account", known.fund_account_id, paid.fund_account_id or known.fund_account_id),
        ("id", known.provider_id or paid.provider_id, paid.provider_id),
    )
    wrong = [f"{name} is {theirs!r}, not {ours!r}" for name, ours, theirs in told if ours != theirs]
    return f"provider's payout {paid.provider_id}: {', '.join(wrong)}" if wrong else None
