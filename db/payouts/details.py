"""What the payout modules need to know of a payout: its row, its account, its books, its newest effect."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.payout_ids import reference


class Details(NamedTuple):
    """One payout. Amounts in minor units; `in_transit` and `cash` None where there are no books in its currency."""

    id: UUID
    amount: int
    """The gross: what its payee is owed less by."""
    net: int
    """What is sent: the gross, less what was withheld and recovered at its claim."""
    withheld: int
    """Tax kept back at its claim."""
    recovered: int
    """Kept back at its claim of what its payee owes."""
    tax_year: str | None
    """The financial year it counts in; None where nothing was computed, or there was nothing to compute."""
    tax_engine: str | None
    """What its tax was computed by; None before the claim of its first send."""
    is_earned: bool
    """Made of earnings, so withheld from; an imported payout names what is to be sent."""
    wallet: UUID | None
    """Whose money it is: a wallet's, and `payable` is its account."""
    dispersal: UUID | None
    """What it pays: a lender's share of an obligation, and `payable` is that lender's account of those."""
    currency: str
    mode: str | None
    purpose: str
    narration: str
    generation: int
    effect_key: UUID
    payable: int
    payee_kind: str
    """What its payee was when it was made."""
    state: str
    is_sealed: bool | None
    """Whether amount, beneficiary and key still fit the seal of the approval; None where nobody asked."""
    fund_account_id: str
    is_vpa: bool
    """Whether UPI leads there, and nothing else."""
    active: bool
    verified: bool
    resident: bool
    """Whether its payee is."""
    in_transit: int | None
    cash: int | None
    effect_state: str | None
    """Of this generation's effect; None before its first claim, and so for the columns after it."""
    sends: int | None
    put_backs: int | None
    provider_id: str | None
    accepted_at: datetime | None
    first_sent_at: datetime | None
    completed_at: datetime | None
    is_past_key: bool | None
    """Whether a same-key send is no longer known to be safe."""
    is_foreign: bool
    """Whether another system sent it: it may be asked about, and is never sent again."""
    foreign_reference: str | None
    """What the other system had it filed under, where that is known."""
    is_told: bool
    """Whether applications are told what becomes of payouts: the switch `notices`."""
    is_mailed: bool
    """Whether payees are: the switch `mails`."""

    @property
    def sent(self) -> int:
        """What goes through the books between claim and end: what is sent, and the tax of it."""
        return self.amount - self.recovered

    @property
    def filed_under(self) -> str:
        """What its provider has it under; empty where another system chose that, and nobody told."""
        if self.is_foreign:
            return self.foreign_reference or ""
        return reference(self.id, self.generation)


_READ: Final = sa.text("""
    SELECT p.id, p.amount, coalesce(p.net_amount, p.amount) AS net, p.tds_deducted AS withheld, p.recovered,
           p.tds_financial_year AS tax_year, p.tds_engine AS tax_engine, p.source = 'earnings' AS is_earned, p.wallet, p.dispersal, p.currency, p.mode, p.purpose, p.narration, p.generation,
           p.effect_key, p.payable, p.payee_kind, p.state,
           CASE WHEN :is_sending THEN p.approval_seal = payout_seal(p, p.generation, p.effect_key) END AS is_sealed,
           a.fund_account_id, coalesce(a.kind = 'vpa', false) AS is_vpa, a.active, a.verified, y.resident, t.id AS in_transit, c.id AS cash,
           e.state AS effect_state, e.sends, e.put_backs, e.provider_id, e.accepted_at, e.first_sent_at, p.completed_at,
           e.sends > 0 AND clock_timestamp() - e.first_sent_at > make_interval(secs => :key_seconds) AS is_past_key,
           coalesce(e.taken_over, false) AS is_foreign, e.reference AS foreign_reference,
           EXISTS (SELECT FROM switches WHERE name = 'notices' AND is_on) AS is_told,
           EXISTS (SELECT FROM switches WHERE name = 'mails' AND is_on) AS is_mailed
    FROM payouts p
    JOIN payout_accounts a ON a.id = p.account
    JOIN payees y ON y.id = p.payee
    LEFT JOIN accounts t ON t.kind = 'payouts_in_transit' AND t.owner = '' AND t.currency = p.currency
    LEFT JOIN accounts c ON c.kind = 'cash' AND c.owner = '' AND c.currency = p.currency
    LEFT JOIN effects e ON e.key = p.effect_key
    WHERE p.id = ANY(CAST(:ids AS uuid[]))""")


def read(
    tx: Tx, ids: Iterable[UUID], *, key_seconds: float = 0.0, is_sending: bool = False
) -> list[Details]:
    """The details of `ids`, in no order; what does not exist is absent. Seals are compared for whoever `is_sending`."""
    asked = {"key_seconds": key_seconds, "is_sending": is_sending}
    return list(map(Details._make, tx.rows(_READ, ids=list(ids), **asked)))


def one(tx: Tx, payout: UUID) -> Details | None:
    """The details of one payout."""
    return next(iter(read(tx, [payout])), None)
