"""Keep back what payees owe from what they are about to be paid: before requests are frozen, so that no retry computes anew.

What was paid twice, or given back to a customer after it was paid, stands on its payee's account
`payee_receivable`. The claim of a first send keeps it back, down to the least that is paid, and its entry
takes it off that account: so nothing is kept back twice, and what is put back, fails or comes back is owed
again. What is made of earnings, and lenders' shares, is kept back from; sets of imported payouts cost no statement.

Whoever takes from that account holds the payee's row first; who adds to it needs no lock. Lock order:
after wallets, before tax years; payees in the order of their ids.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.accounts import Owner, open_accounts
from db.payouts.details import Details
from db.tx import Tx
from domain.ledger import AccountKind
from domain.payout_modes import AMOUNT_MIN
from domain.payouts import PayoutState

_OWING: Final = sa.text("""
    SELECT p.id, p.payee, a.id AS account, CAST(b.debits - b.credits AS bigint) AS owing
    FROM payouts p
    JOIN accounts a ON a.kind = 'payee_receivable' AND a.owner = CAST(p.payee AS text) AND a.currency = p.currency
    JOIN balances b ON b.account = a.id
    WHERE p.id = ANY(CAST(:ids AS uuid[])) AND b.debits > b.credits""")
_LOCK: Final = sa.text("""
    SELECT FROM payees y JOIN payouts p ON p.payee = y.id
    WHERE p.id = ANY(CAST(:ids AS uuid[])) ORDER BY y.id FOR NO KEY UPDATE OF y""")


@dataclass(frozen=True, slots=True)
class Debts:
    """What payees of payouts owe, in minor units: it only grows to the end of the transaction."""

    accounts: dict[UUID, int] = field(default_factory=dict)
    """By payout: its payee's account, where something is owed on it."""
    owing: Counter[int] = field(default_factory=Counter)
    """By account."""

    def take(self, row: Details, most: int) -> int:
        """What is kept back of a payout, `most` at most; it is owed no more by the next one."""
        account = self.accounts.get(row.id, 0)
        taken = max(0, min(self.owing[account], most))
        self.owing[account] -= taken
        return taken

    def has(self, row: Details, minor: int) -> bool:
        """Whether that much is owed still, and take it; nothing, and less, always is. Of a part nothing is taken."""
        if self.owing[self.accounts.get(row.id, 0)] < minor:
            return False
        return minor <= 0 or self.take(row, minor) == minor

    def take_again(self, row: Details) -> bool:
        """Whether what was kept back of a payout that was put back since is owed still, and take it: its request stays."""
        return row.state != PayoutState.APPROVED or self.has(row, row.recovered)


def hold_payees(tx: Tx, payouts: Collection[UUID]) -> None:
    """Hold the payees of `payouts`: nobody else takes from what they owe."""
    if payouts:
        tx.rows(_LOCK, ids=list(payouts))


def hold(tx: Tx, rows: Sequence[Details]) -> Debts:
    """What is owed by the payees of those of `rows` that are about to be sent, and are made of earnings or shares."""
    ids = [
        row.id
        for row in rows
        if (row.is_earned or row.dispersal) and row.state == PayoutState.APPROVED
    ]
    owing = debts(tx, ids).accounts
    hold_payees(tx, owing)
    return debts(tx, owing)


def debts(tx: Tx, payouts: Collection[UUID]) -> Debts:
    """What is owed by the payees of `payouts`: it stays so only where they are held."""
    rows = tx.rows(_OWING, ids=list(payouts)) if payouts else ()
    return Debts(
        {row.id: row.account for row in rows}, Counter({row.account: row.owing for row in rows})
    )


_WRITE: Final = sa.text("""
    UPDATE payouts p SET net_amount = coalesce(p.net_amount, p.amount) - g.recovered, recovered = g.recovered
    FROM unnest(CAST(:ids AS uuid[]), CAST(:recovered AS bigint[])) AS g (id, recovered)
    WHERE p.id = g.id AND p.state = 'APPROVED' AND p.recovered = 0""")


def stage(
    tx: Tx, debts: Debts, rows: Sequence[Details], fresh: Collection[UUID], least_minor: int
) -> list[Details]:
    """Keep back what the payees of the `fresh` ones of `rows` owe, each debt once; `least_minor` is left of each at least.

    Nor less than any provider pays out; of a share no more than that is left. `fresh` are those that tax was just computed
    for, and shares sent for the first time; the others stay as they were.
    """
    least = max(least_minor, AMOUNT_MIN)
    taken = {
        row.id: debts.take(row, row.net - (AMOUNT_MIN if row.dispersal else least))
        for row in sorted(rows, key=lambda row: row.id)
        if row.id in fresh
    }
    recovered = {id_: minor for id_, minor in taken.items() if minor}
    if recovered:
        written = tx.run(_WRITE, ids=list(recovered), recovered=list(recovered.values()))
        if written != len(recovered):
            raise AssertionError("a payout that is sent for the first time is APPROVED")
    return [
        row._replace(net=row.net - recovered[row.id], recovered=recovered[row.id])
        if row.id in recovered
        else row
        for row in rows
    ]


_OWNERS: Final = sa.text("""
    SELECT p.id, p.payee FROM payouts p WHERE p.id = ANY(CAST(:ids AS uuid[]))""")


def payees(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, UUID]:
    """The payee of each of `rows`, by payout."""
    return {row.id: row.payee for row in tx.rows(_OWNERS, ids=[row.id for row in rows])}


def receivables(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, int]:
    """What each payee owes, as an account, by payout; opened where it is missing."""
    if not rows:
        return {}
    owners, kind = payees(tx, rows), AccountKind.PAYEE_RECEIVABLE
    wanted = {
        row.id: Owner(kind=kind, owner=str(owners[row.id]), currency=row.currency) for row in rows
    }
    opened = open_accounts(tx, wanted.values())
    return {id_: opened[owner] for id_, owner in wanted.items()}
